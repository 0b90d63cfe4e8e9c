//! What IAM decides about one request, for the operators that the template uses; any other is refused with a panic.
//!
//! Explicit denial wins; without an allowing statement the answer is no.

use std::collections::BTreeMap;

use super::policy::Statement;

/// The condition keys of a request. A key that is not there is absent, which is not the same as empty.
pub type Context = BTreeMap<String, Vec<String>>;

/// True if these statements allow the request.
pub fn allows(statements: &[Statement], action: &str, resource: &str, context: &Context) -> bool {
    let of = |statement: &&Statement| {
        statement.actions.iter().any(|pattern| matches(&pattern.to_lowercase(), &action.to_lowercase()))
            && statement.resources.iter().any(|pattern| matches(pattern, resource))
            && holds(statement, context)
    };
    let applying: Vec<&Statement> = statements.iter().filter(of).collect();
    applying.iter().any(|statement| statement.allow) && applying.iter().all(|statement| statement.allow)
}

/// `*` is any text, `?` any one character.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    loop {
        match pattern.next() {
            None => return text.next().is_none(),
            Some('*') => {
                let rest = pattern.as_str();
                let mut tail = text.as_str();
                while !matches(rest, tail) {
                    let mut chars = tail.chars();
                    if chars.next().is_none() {
                        return false;
                    }
                    tail = chars.as_str();
                }
                return true;
            }
            Some('?') if text.next().is_some() => {}
            Some('?') => return false,
            Some(wanted) if text.next() == Some(wanted) => {}
            Some(_) => return false,
        }
    }
}

fn holds(statement: &Statement, context: &Context) -> bool {
    statement.condition.iter().all(|(operator, keys)| {
        keys.iter().all(|(key, wanted)| {
            let known = context.get(key);
            let any = |one: &String, test: fn(&str, &str) -> bool| wanted.iter().any(|pattern| test(pattern, one));
            let equal: fn(&str, &str) -> bool = |pattern, one| pattern == one;
            match operator.as_str() {
                "Null" => wanted.iter().all(|word| (word == "true") == known.is_none()),
                "Bool" | "StringEquals" | "ArnEquals" => known.is_some_and(|known| any(&known[0], equal)),
                "StringLike" | "ArnLike" => known.is_some_and(|known| any(&known[0], matches)),
                "ForAnyValue:StringEquals" => known.is_some_and(|known| known.iter().any(|one| any(one, equal))),
                // An absent key satisfies ForAllValues, which is why it never stands alone in the template.
                "ForAllValues:StringEquals" => known.is_none_or(|known| known.iter().all(|one| any(one, equal))),
                "ForAllValues:StringLike" => known.is_none_or(|known| known.iter().all(|one| any(one, matches))),
                other => panic!("the evaluation does not know the operator {other}"),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(allow: bool, action: &str, resource: &str, condition: &[(&str, &str, &str)]) -> Statement {
        let mut conditions: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (operator, key, value) in condition {
            conditions.entry((*operator).to_owned()).or_default().insert((*key).to_owned(), vec![(*value).to_owned()]);
        }
        Statement {
            sid: String::new(),
            allow,
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
            condition: conditions,
        }
    }

    fn context(keys: &[(&str, &str)]) -> Context {
        keys.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect()
    }

    #[test]
    fn stars_match_any_text_and_question_marks_one_character() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("ssm:*", "ssm:SendCommand", true),
            ("ssm:Send*", "ssm:GetCommandInvocation", false),
            ("*/i-*", "arn/x/i-0", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn nothing_is_allowed_that_no_statement_allows() {
        let some = [statement(true, "ec2:StartInstances", "*", &[])];

        assert!(allows(&some, "ec2:StartInstances", "i-1", &Context::new()));
        assert!(!allows(&some, "ec2:StopInstances", "i-1", &Context::new()));
    }

    #[test]
    fn a_denial_wins_over_any_allowance() {
        let some = [
            statement(true, "*", "*", &[]),
            statement(false, "ec2:StopInstances", "*", &[("Null", "aws:ResourceTag/Protected", "false")]),
        ];

        assert!(allows(&some, "ec2:StopInstances", "i-1", &Context::new()));
        assert!(!allows(&some, "ec2:StopInstances", "i-1", &context(&[("aws:ResourceTag/Protected", "")])));
    }

    #[test]
    fn a_condition_on_an_absent_key_does_not_hold() {
        let some = [statement(true, "ec2:StopInstances", "*", &[("StringEquals", "aws:ResourceTag/Ready", "staging")])];

        assert!(!allows(&some, "ec2:StopInstances", "i-1", &Context::new()));
        assert!(!allows(&some, "ec2:StopInstances", "i-1", &context(&[("aws:ResourceTag/Ready", "production")])));
        assert!(allows(&some, "ec2:StopInstances", "i-1", &context(&[("aws:ResourceTag/Ready", "staging")])));
    }
}
