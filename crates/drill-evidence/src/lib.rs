//! What samples say, and how sure they are.
//!
//! Pure functions over numbers and milliseconds: no clock, no I/O, no other crate of the project, no dependency. Every
//! answer is an interval or one of three words, and never says more than the samples do.
//!
//! Begin with [`interval`] and [`series`]: everything else rests on the time that a sample tells of.
//!
//! | while a fault lasts | after it | in the plan and in every report |
//! | --- | --- | --- |
//! | [`guard`]: so many in a row, or blind | [`weighted`]: shares and means of a time | [`change`]: what could be seen |
//! | [`sequential`]: worse than before | [`recovery`]: to be back, [`before`]: whose doing | [`outage`], [`area`], [`budget`]: the cost |

pub mod area;
pub mod before;
pub mod budget;
pub mod change;
pub mod guard;
pub mod interval;
mod numbers;
pub mod outage;
pub mod recovery;
pub mod sequential;
pub mod series;
pub mod weighted;

/// What can be said of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// The samples do not tell.
    Unknown,
}

impl Answer {
    /// Whether something that lies between `low` and `high` is at most `limit`. A bound that is not known is `None`.
    pub fn at_most<T: PartialOrd>(low: T, high: Option<T>, limit: T) -> Self {
        match high {
            Some(high) if high <= limit => Self::Yes,
            Some(_) | None if low > limit => Self::No,
            Some(_) | None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_bounds_nothing_is_known() {
        for (low, high, expected) in [
            (1, Some(4), Answer::Yes),
            (1, Some(5), Answer::Yes),
            (1, Some(6), Answer::Unknown),
            (5, Some(6), Answer::Unknown),
            (6, Some(6), Answer::No),
            (1, None, Answer::Unknown),
            (6, None, Answer::No),
        ] {
            assert_eq!(Answer::at_most(low, high, 5), expected, "{low} to {high:?}");
        }
    }
}
