//! P4 and P6 as far as the template decides them: function time-outs, and the ends that no Catch sees.
//!
//! The template is taken as a value, in CloudFormation's long or short forms, as far as these rules look into it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Rule, Violation};
use crate::definition::{Kind, Machine, Resource, Seconds};

/// P4: a Task gives up after its function does, so that a function is never left working behind the machine's back.
///
/// `functions` has the time-out of each function, by the placeholder of its ARN.
pub fn timeouts_cover(machine: &Machine, functions: &BTreeMap<String, u64>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, state) in &machine.states {
        let Kind::Task(task) = &state.kind else { continue };
        let Resource::Function(arn) = &task.resource else { continue };
        let placeholder = arn.trim_start_matches("${").trim_end_matches('}');
        let what = match (functions.get(placeholder), &task.timeout) {
            (None, _) => format!("calls `{placeholder}`, whose time-out is not known"),
            (Some(function), Some(Seconds::Fixed(task))) if task > function => continue,
            (Some(function), Some(Seconds::Fixed(task))) => {
                format!("gives up after {task} s, and its function may work for {function} s")
            }
            (Some(_), Some(Seconds::At(path))) => format!("takes its limit from `{path}`"),
            (Some(_), None) => "has no TimeoutSeconds".to_owned(),
        };
        violations.push(Rule::Bounded.broken(name, what));
    }
    violations
}

/// The statuses that an execution can end with unseen by any Catch.
const UNSEEN: [&str; 3] = ["FAILED", "TIMED_OUT", "ABORTED"];

/// P6: a rule on status changes covers every end that no Catch sees, and a schedule sweeps.
pub fn covered_outside(template: &Value) -> Vec<Violation> {
    let broken = |what: &str| Rule::CoveredOutside.broken("the template", what);
    let mut patterns = Vec::new();
    let mut schedules = 0;
    collect(template, &mut |members| {
        patterns.extend(members.get("EventPattern").or_else(|| members.get("Pattern")));
        schedules +=
            usize::from(members.get("ScheduleExpression").or_else(|| members.get("Schedule")).is_some_and(|text| {
                text.as_str().is_some_and(|text| text.starts_with("rate(1 minute") || text.starts_with("cron(* "))
            }));
    });
    let mut violations = Vec::new();
    let about_ends = patterns.into_iter().filter(|pattern| {
        includes(&pattern["source"], "aws.states")
            && includes(&pattern["detail-type"], "Step Functions Execution Status Change")
    });
    let covering =
        about_ends.filter(|pattern| UNSEEN.iter().all(|status| includes(&pattern["detail"]["status"], status)));
    if covering.count() == 0 {
        violations.push(broken("has no rule on status changes that matches FAILED, TIMED_OUT and ABORTED"));
    }
    if schedules == 0 {
        violations.push(broken("has no schedule that sweeps every minute"));
    }
    violations
}

fn includes(list: &Value, word: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|entry| entry == word))
}

fn collect<'a>(value: &'a Value, visit: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|value| collect(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(statuses: Value, schedule: &str) -> Value {
        json!({"Resources": {"Janitor": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {
            "Ends": {"Type": "EventBridgeRule", "Properties": {"Pattern": {
                "source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"status": statuses},
            }}},
            "Sweep": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": schedule}},
        }}}}})
    }

    #[test]
    fn every_unseen_end_must_be_in_one_rule() {
        let check = |statuses, schedule, count| {
            assert_eq!(covered_outside(&template(statuses, schedule)).len(), count);
        };

        check(json!(["FAILED", "TIMED_OUT", "ABORTED"]), "rate(1 minute)", 0);
        check(json!(["FAILED", "TIMED_OUT"]), "rate(1 minute)", 1);
        check(json!(["FAILED", "ABORTED"]), "rate(1 hour)", 2);
    }

    #[test]
    fn a_task_outlives_its_function() {
        let machine = |seconds: u64| {
            Machine::from_value(&json!({"StartAt": "Inject", "States": {
                "Inject": {"Type": "Task", "Resource": "${InjectFunctionArn}", "TimeoutSeconds": seconds, "End": true}}}))
            .unwrap()
        };
        let check = |functions: &[(&str, u64)], count| {
            let functions = functions.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect();
            assert_eq!(timeouts_cover(&machine(60), &functions).len(), count);
        };

        check(&[("InjectFunctionArn", 59)], 0);
        check(&[("InjectFunctionArn", 60)], 1);
        check(&[], 1);
    }
}
