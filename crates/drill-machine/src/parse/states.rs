//! One state, by its type.
//!
//! Every field of the language is either read here or refused by name.

use serde_json::Value;

use super::fields::Fields;
use super::{ParseError, rules};
use crate::definition::{
    Catcher, Choice, Fail, Jitter, Kind, Next, Pass, Resource, ResultPath, Retrier, Seconds, State, Task, Wait,
};
use crate::errors;
use crate::path::{Path, Root};

/// Fields that the language knows on states and we do not.
const KNOWN: [&str; 13] = [
    "InputPath",
    "OutputPath",
    "ResultSelector",
    "HeartbeatSeconds",
    "HeartbeatSecondsPath",
    "Credentials",
    "QueryLanguage",
    "Arguments",
    "Output",
    "Assign",
    "Timestamp",
    "TimestampPath",
    "ErrorPath",
];

/// Integrations that the interpreter's hosts answer.
const ACTIONS: [&str; 2] = ["lambda:invoke", "sns:publish"];

pub(super) fn state(name: &str, value: &Value) -> Result<State, ParseError> {
    let mut fields = Fields::of(format!("state `{name}`"), value)?;
    let comment = fields.optional_text("Comment")?;
    let kind = match fields.text("Type")?.as_str() {
        "Task" => Kind::Task(Box::new(task(&mut fields)?)),
        "Choice" => Kind::Choice(choice(&mut fields)?),
        "Wait" => Kind::Wait(wait(&mut fields)?),
        "Pass" => Kind::Pass(pass(&mut fields)?),
        "Succeed" => Kind::Succeed,
        "Fail" => Kind::Fail(Fail { error: fields.optional_text("Error")?, cause: fields.optional_text("Cause")? }),
        other @ ("Map" | "Parallel") => return Err(fields.unsupported(format!("a {other} state"))),
        other => return Err(fields.wrong("Type", "Task, Choice, Wait, Pass, Succeed or Fail", &other.into())),
    };
    fields.finish(&[&KNOWN[..], &["CausePath"]].concat())?;
    Ok(State { comment, kind })
}

fn task(fields: &mut Fields<'_>) -> Result<Task, ParseError> {
    let both = fields.has("TimeoutSeconds") && fields.has("TimeoutSecondsPath");
    if both {
        return Err(fields.wrong("TimeoutSeconds", "without a `TimeoutSecondsPath` beside it", &"both".into()));
    }
    let timeout = fields.optional_seconds("TimeoutSeconds")?.map(Seconds::Fixed);
    let timeout_path = input_path(fields, "TimeoutSecondsPath")?.map(Seconds::At);
    Ok(Task {
        resource: resource(fields)?,
        parameters: fields.optional_template("Parameters")?,
        timeout: timeout.or(timeout_path),
        result_path: result_path(fields)?,
        retry: fields.optional_list("Retry")?.map_or(Ok(Vec::new()), |list| each(fields, "Retry", list, retrier))?,
        catch: fields.optional_list("Catch")?.map_or(Ok(Vec::new()), |list| each(fields, "Catch", list, catcher))?,
        next: next(fields)?,
    })
}

fn resource(fields: &mut Fields<'_>) -> Result<Resource, ParseError> {
    let text = fields.text("Resource")?;
    let Some(action) = text.strip_prefix("arn:aws:states:::") else {
        let function = text.starts_with("${") || text.contains(":lambda:");
        return if function { Ok(Resource::Function(text)) } else { Err(fields.unsupported(format!("`{text}`"))) };
    };
    let (action, wait_for_task_token) = match action.strip_suffix(".waitForTaskToken") {
        Some(action) => (action, true),
        None => (action, false),
    };
    if !ACTIONS.contains(&action) {
        return Err(fields.unsupported(format!("`{text}`")));
    }
    Ok(Resource::Service { action: action.into(), wait_for_task_token })
}

fn retrier(fields: &mut Fields<'_>) -> Result<Retrier, ParseError> {
    let interval_seconds = fields.optional_seconds("IntervalSeconds")?.unwrap_or(1);
    let backoff_rate = match fields.take("BackoffRate") {
        None => 2.0,
        Some(value) => value
            .as_f64()
            .filter(|rate| *rate >= 1.0)
            .ok_or_else(|| fields.wrong("BackoffRate", "a number from 1.0", value))?,
    };
    let max_delay_seconds = fields.optional_seconds("MaxDelaySeconds")?;
    if let Some(delay) = max_delay_seconds.filter(|delay| *delay <= interval_seconds) {
        return Err(fields.wrong("MaxDelaySeconds", "above IntervalSeconds", &delay.into()));
    }
    let jitter = match fields.optional_text("JitterStrategy")?.as_deref() {
        None | Some("NONE") => Jitter::None,
        Some("FULL") => Jitter::Full,
        Some(other) => return Err(fields.wrong("JitterStrategy", "FULL or NONE", &other.into())),
    };
    Ok(Retrier {
        error_equals: error_equals(fields)?,
        interval_seconds,
        max_attempts: fields.optional_count("MaxAttempts")?.unwrap_or(3),
        backoff_rate,
        max_delay_seconds,
        jitter,
    })
}

fn catcher(fields: &mut Fields<'_>) -> Result<Catcher, ParseError> {
    Ok(Catcher { error_equals: error_equals(fields)?, result_path: result_path(fields)?, next: fields.text("Next")? })
}

fn error_equals(fields: &mut Fields<'_>) -> Result<Vec<String>, ParseError> {
    let list = fields.optional_list("ErrorEquals")?.ok_or_else(|| fields.missing("ErrorEquals"))?;
    let names: Vec<String> = list
        .iter()
        .map(|name| name.as_str().map(str::to_owned).ok_or_else(|| fields.wrong("ErrorEquals", "error names", name)))
        .collect::<Result<_, _>>()?;
    if let Some(unknown) = names.iter().find(|n| n.starts_with("States.") && !errors::RESERVED.contains(&n.as_str())) {
        return Err(fields.wrong(
            "ErrorEquals",
            "without unknown names that start with `States.`",
            &(**unknown).into(),
        ));
    }
    if names.len() > 1 && names.iter().any(|name| name == errors::ALL) {
        return Err(fields.wrong("ErrorEquals", "States.ALL alone, or without it", &names.into()));
    }
    Ok(names)
}

fn choice(fields: &mut Fields<'_>) -> Result<Choice, ParseError> {
    let list = fields.optional_list("Choices")?.ok_or_else(|| fields.missing("Choices"))?;
    Ok(Choice { rules: each(fields, "Choices", list, rules::rule)?, default: fields.optional_text("Default")? })
}

fn wait(fields: &mut Fields<'_>) -> Result<Wait, ParseError> {
    let seconds = fields.optional_count("Seconds")?.map(Seconds::Fixed);
    let path = input_path(fields, "SecondsPath")?.map(Seconds::At);
    let seconds = match (seconds, path) {
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return Err(fields.missing("SecondsPath")),
        (Some(_), Some(_)) => return Err(fields.wrong("Seconds", "without a `SecondsPath` beside it", &"both".into())),
    };
    Ok(Wait { seconds, next: next(fields)? })
}

fn pass(fields: &mut Fields<'_>) -> Result<Pass, ParseError> {
    let pass = Pass {
        parameters: fields.optional_template("Parameters")?,
        result: fields.take("Result").cloned(),
        result_path: result_path(fields)?,
        next: next(fields)?,
    };
    if pass.parameters.is_some() && pass.result.is_some() {
        return Err(fields.wrong("Result", "without `Parameters` beside it", &"both".into()));
    }
    Ok(pass)
}

fn next(fields: &mut Fields<'_>) -> Result<Next, ParseError> {
    match (fields.optional_text("Next")?, fields.take("End")) {
        (Some(name), None) => Ok(Next::State(name)),
        (None, Some(Value::Bool(true))) => Ok(Next::End),
        (None, None) => Err(fields.missing("Next")),
        (_, Some(end)) => Err(fields.wrong("End", "true, and without a `Next`", end)),
    }
}

fn result_path(fields: &mut Fields<'_>) -> Result<ResultPath, ParseError> {
    if fields.has("ResultPath") && !fields.is_null("ResultPath") {
        let path = input_path(fields, "ResultPath")?.unwrap_or_else(Path::whole_input);
        return Ok(ResultPath::At(path));
    }
    Ok(fields.take("ResultPath").map_or_else(|| ResultPath::At(Path::whole_input()), |_| ResultPath::Discard))
}

fn input_path(fields: &mut Fields<'_>, field: &str) -> Result<Option<Path>, ParseError> {
    let path = fields.optional_path(field)?;
    match path.as_ref().map(Path::root) {
        Some(Root::Context) => Err(fields.unsupported(format!("the context object in `{field}`"))),
        Some(Root::Input) | None => Ok(path),
    }
}

fn each<'a, T>(
    outer: &Fields<'_>,
    field: &str,
    list: &'a [Value],
    read: impl Fn(&mut Fields<'a>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let mut fields = Fields::of(format!("{}, {field}[{index}]", outer.place()), value)?;
            let read = read(&mut fields)?;
            fields.finish(&["Output", "Assign"])?;
            Ok(read)
        })
        .collect()
}
