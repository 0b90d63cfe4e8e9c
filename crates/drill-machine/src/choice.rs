//! Choice rules: what a Choice state asks of its input, and where it goes.
//!
//! A test on a path that leads nowhere is an error, as on AWS, unless the test is `IsPresent`; a value of another type only fails to match.

use serde_json::Value;

use crate::path::Path;

/// One entry of `Choices`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What must hold.
    pub test: Test,
    /// Where to go when it does.
    pub next: String,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// All of these, asked from first to last until one fails.
    And(Vec<Test>),
    /// Any of these, asked from first to last until one holds.
    Or(Vec<Test>),
    /// Not this.
    Not(Box<Test>),
    /// A comparison with one value of the input.
    Compare {
        /// `Variable`.
        variable: Path,
        /// The operator and its operand.
        with: Comparison,
    },
}

/// An operator and its operand.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// `IsPresent`
    IsPresent(bool),
    /// `IsNull`
    IsNull(bool),
    /// `IsString`
    IsString(bool),
    /// `IsNumeric`
    IsNumeric(bool),
    /// `IsBoolean`
    IsBoolean(bool),
    /// `StringEquals`
    StringEquals(String),
    /// `BooleanEquals`
    BooleanEquals(bool),
    /// `NumericEquals`
    NumericEquals(f64),
    /// `NumericGreaterThan`
    NumericGreaterThan(f64),
    /// `NumericGreaterThanEquals`
    NumericGreaterThanEquals(f64),
    /// `NumericLessThan`
    NumericLessThan(f64),
    /// `NumericLessThanEquals`
    NumericLessThanEquals(f64),
}

impl Test {
    /// Does it hold? `Err` is the path that leads nowhere.
    pub fn holds(&self, input: &Value) -> Result<bool, Path> {
        match self {
            Self::And(tests) => tests.iter().try_fold(true, |so_far, test| Ok(so_far && test.holds(input)?)),
            Self::Or(tests) => tests.iter().try_fold(false, |so_far, test| Ok(so_far || test.holds(input)?)),
            Self::Not(test) => Ok(!test.holds(input)?),
            Self::Compare { variable, with } => match (variable.find(input), with) {
                (found, Comparison::IsPresent(expected)) => Ok(found.is_some() == *expected),
                (None, _) => Err(variable.clone()),
                (Some(value), with) => Ok(with.holds(value)),
            },
        }
    }

    /// Every comparison in it, in the order in which they are asked.
    pub fn comparisons(&self) -> Vec<(&Path, &Comparison)> {
        match self {
            Self::And(tests) | Self::Or(tests) => tests.iter().flat_map(Self::comparisons).collect(),
            Self::Not(test) => test.comparisons(),
            Self::Compare { variable, with } => vec![(variable, with)],
        }
    }
}

impl Comparison {
    fn holds(&self, value: &Value) -> bool {
        let number = |holds: &dyn Fn(f64) -> bool| value.as_f64().is_some_and(holds);
        match self {
            Self::IsPresent(expected) => *expected,
            Self::IsNull(expected) => value.is_null() == *expected,
            Self::IsString(expected) => value.is_string() == *expected,
            Self::IsNumeric(expected) => value.is_number() == *expected,
            Self::IsBoolean(expected) => value.is_boolean() == *expected,
            Self::StringEquals(expected) => value.as_str() == Some(expected),
            Self::BooleanEquals(expected) => value.as_bool() == Some(*expected),
            Self::NumericEquals(bound) => number(&|n| n == *bound),
            Self::NumericGreaterThan(bound) => number(&|n| n > *bound),
            Self::NumericGreaterThanEquals(bound) => number(&|n| n >= *bound),
            Self::NumericLessThan(bound) => number(&|n| n < *bound),
            Self::NumericLessThanEquals(bound) => number(&|n| n <= *bound),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compare(path: &str, with: Comparison) -> Test {
        Test::Compare { variable: Path::parse(path).unwrap(), with }
    }

    #[test]
    fn a_value_of_another_type_does_not_match() {
        let says_done = compare("$.verdict", Comparison::StringEquals("done".into()));
        let at_least_one = compare("$.verdict", Comparison::NumericGreaterThanEquals(1.0));

        assert_eq!(says_done.holds(&json!({"verdict": "done"})), Ok(true));
        assert_eq!(says_done.holds(&json!({"verdict": 1})), Ok(false));
        assert_eq!(at_least_one.holds(&json!({"verdict": 1})), Ok(true));
        assert_eq!(at_least_one.holds(&json!({"verdict": "9"})), Ok(false));
    }

    #[test]
    fn only_is_present_may_ask_for_what_is_not_there() {
        let says_done = compare("$.verdict", Comparison::StringEquals("done".into()));

        assert_eq!(says_done.holds(&json!({})).unwrap_err().to_string(), "$.verdict");
        assert_eq!(compare("$.verdict", Comparison::IsPresent(false)).holds(&json!("text")), Ok(true));
    }

    #[test]
    fn and_and_or_stop_at_the_first_answer() {
        let missing = || compare("$.missing", Comparison::IsNull(true));
        let present = |expected| compare("$.verdict", Comparison::IsPresent(expected));
        let input = json!({"verdict": 1});

        assert_eq!(Test::And(vec![present(false), missing()]).holds(&input), Ok(false));
        assert_eq!(Test::Or(vec![present(true), missing()]).holds(&input), Ok(true));
        assert_eq!(Test::Not(Box::new(present(true))).holds(&input), Ok(false));
        assert!(Test::And(vec![present(true), missing()]).holds(&input).is_err());
    }
}
