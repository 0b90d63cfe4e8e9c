use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::script::{Answer, Script, TOKEN};

fn machine(start: &str, states: Value) -> Machine {
    Machine::from_value(&json!({"StartAt": start, "States": states})).unwrap()
}

fn host(answers: &[(&str, Vec<Answer>)]) -> Script {
    Script::new(answers.iter().map(|(name, answers)| ((*name).to_owned(), answers.clone())))
}

fn go_through(machine: &Machine, input: Value, host: &Script) -> Ended {
    let execution = Execution::new("run-1", "arn:run-1", input).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(run(machine, execution, host))
}

fn kinds(host: &Script) -> Vec<&'static str> {
    host.history().iter().map(|event| event.kind.name()).collect()
}

fn failed(error: &str) -> impl Fn(&Ended) -> bool {
    move |ended| matches!(&ended.status, Status::Failed { error: found, .. } if found == error)
}

fn work(extra: Value) -> Machine {
    let mut work = json!({"Type": "Task", "Resource": "arn:aws:lambda:r:1:function:work", "Next": "Good"});
    work.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    machine(
        "Work",
        json!({"Work": work, "Good": {"Type": "Succeed"}, "Bad": {"Type": "Fail", "Error": "bad", "Cause": "because"}}),
    )
}

#[test]
fn a_task_that_succeeds_costs_five_events() {
    let host = host(&[("work", vec![Answer::Returns(json!({"done": true}))])]);

    let ended = go_through(&work(json!({})), json!({}), &host);

    assert_eq!(ended.status, Status::Succeeded);
    assert_eq!(ended.output, Some(json!({"done": true})));
    assert_eq!(ended.path, ["Work", "Good"]);
    assert_eq!(
        kinds(&host),
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionSucceeded",
            "TaskStateExited",
            "SucceedStateEntered",
            "SucceedStateExited",
            "ExecutionSucceeded",
        ]
    );
    assert_eq!(ended.events, 9);
}

#[test]
fn retries_wait_longer_and_longer_and_then_the_catch_sees_the_last_error() {
    let machine = work(json!({
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 2, "BackoffRate": 3.0}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Bad"}],
    }));
    let host = host(&[("work", vec![Answer::fails("Busy"), Answer::fails("Busy"), Answer::fails("Broken")])]);

    let ended = go_through(&machine, json!({"kept": 1}), &host);

    assert_eq!(ended.status, Status::Failed { error: "bad".into(), cause: "because".into() });
    assert_eq!(host.now(), 2000 + 6000);
    let entered = host.history().into_iter().find(|event| event.kind == HistoryKind::FailStateEntered).unwrap();
    assert_eq!(entered.data, Some(json!({"kept": 1, "error": {"Error": "Broken", "Cause": "as written"}})));
    assert_eq!(ended.events, 1 + 1 + 3 * 3 + 1 + 1 + 1);
}

#[test]
fn counters_start_again_when_the_state_is_entered_again() {
    let retry = json!([{"ErrorEquals": ["Busy"], "MaxAttempts": 1}]);
    let arn = "arn:aws:lambda:r:1:function:work";
    let machine = machine(
        "One",
        json!({
            "One": {"Type": "Task", "Resource": arn, "Retry": retry, "Next": "More"},
            "More": {"Type": "Choice", "Choices": [{"Variable": "$.more", "BooleanEquals": true, "Next": "One"}], "Default": "Good"},
            "Good": {"Type": "Succeed"},
        }),
    );
    let busy = || Answer::fails("Busy");
    let returns = |more| Answer::Returns(json!({"more": more}));
    let host = host(&[("work", vec![busy(), returns(true), busy(), returns(false)])]);

    let ended = go_through(&machine, json!({}), &host);

    assert_eq!((ended.status, host.calls().len()), (Status::Succeeded, 4));
}

#[test]
fn a_task_that_takes_too_long_fails_with_states_timeout_at_its_limit() {
    let machine = work(json!({
        "TimeoutSeconds": 10,
        "Catch": [
            {"ErrorEquals": ["States.TaskFailed"], "Next": "Good"},
            {"ErrorEquals": ["States.Timeout"], "Next": "Bad"},
        ],
    }));
    let late = Answer::After(10_001, Box::new(Answer::Returns(json!("late"))));
    let just = Answer::After(10_000, Box::new(Answer::Returns(json!("just"))));

    for (answer, path) in [(Answer::Hangs, ["Work", "Bad"]), (late, ["Work", "Bad"]), (just, ["Work", "Good"])] {
        let host = host(&[("work", vec![answer])]);
        let ended = go_through(&machine, json!({}), &host);
        assert_eq!((ended.path, host.now()), (path.map(str::to_owned).to_vec(), 10_000));
    }
}

#[test]
fn an_answer_from_a_host_that_ignores_the_limit_is_not_believed() {
    struct Slow(Script, std::cell::Cell<i64>);
    impl Host for Slow {
        fn now(&self) -> i64 {
            self.1.get()
        }
        async fn wait_until(&self, unix_millis: i64) {
            self.1.set(unix_millis);
        }
        async fn call(&self, call: Call<'_>) -> Result<Value, TaskFailure> {
            self.1.set(60_000);
            self.0.call(call).await
        }
        async fn task_token_outcome(&self, token: &str, until_millis: Option<i64>) -> TokenOutcome {
            self.0.task_token_outcome(token, until_millis).await
        }
        fn random(&self) -> f64 {
            0.0
        }
    }
    let machine = work(json!({"TimeoutSeconds": 10}));
    let slow = Slow(host(&[("work", vec![Answer::Returns(json!(1))])]), std::cell::Cell::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

    let ended = runtime.block_on(run(&machine, Execution::new("r", "r", json!({})).unwrap(), &slow));

    assert!(failed("States.Timeout")(&ended), "{ended:?}");
}

#[test]
fn the_execution_s_own_time_limit_runs_no_catch() {
    let mut machine = work(json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Good"}], "TimeoutSeconds": 100}));
    machine.timeout_seconds = Some(30);
    let host = host(&[("work", vec![Answer::Hangs])]);

    let ended = go_through(&machine, json!({}), &host);

    assert_eq!((ended.status, ended.path, host.now()), (Status::TimedOut, vec!["Work".to_owned()], 30_000));
    assert_eq!(kinds(&host).last(), Some(&"ExecutionTimedOut"));
}

#[test]
fn a_stopped_execution_runs_no_catch_and_no_further_state() {
    let catch = json!([{"ErrorEquals": ["States.ALL"], "Next": "Good"}]);
    let machine = work(json!({"Catch": catch, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60}]}));
    let host = host(&[("work", vec![Answer::fails("Busy")])]).stopping_at(5000);

    let ended = go_through(&machine, json!({}), &host);

    assert_eq!((ended.status, ended.path, host.now()), (Status::Aborted, vec!["Work".to_owned()], 5000));
    assert_eq!(host.calls().len(), 1);
    assert_eq!(kinds(&host).last(), Some(&"ExecutionAborted"));
}

#[test]
fn a_path_that_leads_nowhere_is_never_caught() {
    let all = json!([{"ErrorEquals": ["States.ALL"], "Next": "Good"}]);
    let host = host(&[("work", vec![Answer::Returns(json!(1))])]);

    let ended = go_through(&work(json!({"Catch": all, "Parameters": {"a.$": "$.none"}})), json!({}), &host);

    assert!(failed("States.Runtime")(&ended), "{ended:?}");
    assert_eq!(host.calls(), []);
    let ended = go_through(&work(json!({"Catch": all, "TimeoutSecondsPath": "$.none"})), json!({}), &host);
    assert!(failed("States.Runtime")(&ended), "{ended:?}");
}

#[test]
fn a_result_that_is_too_long_is_caught_by_its_own_name_only() {
    let long = Answer::Returns(json!("x".repeat(MOST_BYTES)));
    let catch = |name: &str| work(json!({"Catch": [{"ErrorEquals": [name], "ResultPath": "$.error", "Next": "Good"}]}));
    let check = |name, status: &str| {
        let ended = go_through(&catch(name), json!({}), &host(&[("work", vec![long.clone()])]));
        assert_eq!(ended.status.name(), status, "{name}");
    };

    check("States.ALL", "FAILED");
    check("States.TaskFailed", "FAILED");
    check("States.DataLimitExceeded", "SUCCEEDED");
}

#[test]
fn an_output_that_grew_too_long_beside_its_input_ends_the_execution() {
    let half = "x".repeat(MOST_BYTES / 2);
    let machine = work(json!({
        "ResultPath": "$.result",
        "Catch": [{"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": "$.error", "Next": "Good"}],
    }));

    let ended = go_through(&machine, json!({"half": half}), &host(&[("work", vec![Answer::Returns(json!(half))])]));

    assert!(failed("States.DataLimitExceeded")(&ended), "{ended:?}");
}

#[test]
fn the_input_of_the_limit_s_own_length_is_taken() {
    assert!(Execution::new("r", "r", json!("x".repeat(MOST_BYTES - 2))).is_ok());
    let too_long = Execution::new("r", "r", json!("x".repeat(MOST_BYTES - 1)));
    assert_eq!(too_long, Err(InvalidExecution::Input(MOST_BYTES + 1)));
    assert!(matches!(Execution::new("a b", "r", json!(1)), Err(InvalidExecution::Name(_))));
}

#[test]
fn waits_take_whole_seconds_only() {
    let machine = machine(
        "Hold",
        json!({"Hold": {"Type": "Wait", "SecondsPath": "$.s", "Next": "Good"}, "Good": {"Type": "Succeed"}}),
    );
    let check = |seconds: Value, expected: &str, millis: i64| {
        let host = host(&[]);
        let ended = go_through(&machine, json!({"s": seconds}), &host);
        assert_eq!((ended.status.name(), host.now()), (expected, millis), "{seconds}");
    };

    check(json!(7), "SUCCEEDED", 7000);
    check(json!(0), "SUCCEEDED", 0);
    check(json!(2.0), "SUCCEEDED", 2000);
    for bad in [json!(-1), json!(1.5), json!("5"), json!(null), json!(100_000_000)] {
        check(bad, "FAILED", 0);
    }
}

#[test]
fn a_choice_without_a_match_goes_to_its_default_or_ends_the_execution() {
    let choice = |default: Value| {
        let mut ask = json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "StringEquals": "x", "Next": "Good"}]});
        ask.as_object_mut().unwrap().extend(default.as_object().unwrap().clone());
        machine("Ask", json!({"Ask": ask, "Good": {"Type": "Succeed"}}))
    };

    let ended = go_through(&choice(json!({})), json!({"a": "y"}), &host(&[]));
    assert!(failed("States.NoChoiceMatched")(&ended), "{ended:?}");
    let ended = go_through(&choice(json!({"Default": "Good"})), json!({"a": "y"}), &host(&[]));
    assert_eq!(ended.status, Status::Succeeded);
    let ended = go_through(&choice(json!({"Default": "Good"})), json!({}), &host(&[]));
    assert!(failed("States.Runtime")(&ended), "{ended:?}");
}

fn approval() -> Machine {
    machine(
        "Ask",
        json!({
            "Ask": {
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {"FunctionName": "arn:aws:lambda:r:1:function:approval", "Payload": {"token.$": "$$.Task.Token"}},
                "TimeoutSeconds": 60, "ResultPath": null, "Next": "Good",
                "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Bad"}],
            },
            "Good": {"Type": "Succeed"}, "Bad": {"Type": "Succeed"},
        }),
    )
}

#[test]
fn a_task_token_waits_for_whoever_has_it() {
    let check = |token: Answer, last: &str, millis: i64| {
        let host = host(&[("approval", vec![Answer::Returns(json!(null))]), (TOKEN, vec![token])]);
        let ended = go_through(&approval(), json!({"run_id": "r"}), &host);
        assert_eq!((ended.path[1].as_str(), host.now()), (last, millis));
        ended.output.unwrap()
    };

    let yes = Answer::After(20_000, Box::new(Answer::Returns(json!({"by": "ana"}))));
    assert_eq!(check(yes, "Good", 20_000), json!({"run_id": "r"}));
    assert_eq!(check(Answer::fails("Approval.Denied"), "Bad", 0)["error"]["Error"], "Approval.Denied");
    assert_eq!(check(Answer::Hangs, "Bad", 60_000)["error"]["Error"], "States.Timeout");
}

#[test]
fn every_attempt_has_a_token_of_its_own() {
    let busy = Answer::fails("Lambda.TooManyRequestsException");
    let yes = || Answer::Returns(json!(null));
    let host = host(&[("approval", vec![busy, yes()]), (TOKEN, vec![yes()])]);

    let ended = go_through(&approval(), json!({}), &host);

    let tokens: Vec<Value> = host.calls().into_iter().map(|(_, payload)| payload["token"].clone()).collect();
    assert_eq!((ended.status, tokens.len()), (Status::Succeeded, 2));
    assert_ne!(tokens[0], tokens[1]);
    assert!(kinds(&host).contains(&"TaskSubmitted"));
}

#[test]
fn an_execution_ends_when_its_history_is_full() {
    let machine = machine(
        "Hold",
        json!({"Hold": {"Type": "Wait", "Seconds": 1, "Next": "Ask"},
            "Ask": {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "Good"}], "Default": "Hold"},
            "Good": {"Type": "Succeed"}}),
    );
    let host = host(&[]);

    let ended = go_through(&machine, json!({}), &host);

    assert!(failed("States.Runtime")(&ended), "{:?}", ended.status);
    assert_eq!((ended.events, host.history().len() as u64), (MOST_EVENTS, MOST_EVENTS));
    assert_eq!(kinds(&host).last(), Some(&"ExecutionFailed"));
}

#[test]
fn pass_states_write_results_and_context() {
    let machine = machine(
        "A",
        json!({
            "A": {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Name", "was.$": "$$.Execution.Input", "all.$": "$"}, "Next": "B"},
            "B": {"Type": "Pass", "Result": "stuck", "ResultPath": "$.verdict", "End": true},
        }),
    );

    let ended = go_through(&machine, json!([1]), &host(&[]));

    assert_eq!(ended.output, Some(json!({"id": "run-1", "was": [1], "all": [1], "verdict": "stuck"})));
    assert_eq!(ended.events, 6);
}

proptest! {
    /// Three per failed attempt, five for the one that succeeds: what a plan counts on.
    #[test]
    fn a_retry_costs_three_events(failures in 0usize..30) {
        let machine = work(json!({"Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 30, "MaxDelaySeconds": 60}]}));
        let mut answers = vec![Answer::fails("Busy"); failures];
        answers.push(Answer::Returns(json!({})));

        let ended = go_through(&machine, json!({}), &host(&[("work", answers)]));

        prop_assert_eq!(ended.events, 9 + 3 * failures as u64);
        prop_assert_eq!(ended.status, Status::Succeeded);
    }

    /// The recorded history agrees with what is returned, whatever happens.
    #[test]
    fn the_history_has_no_gaps(answers in proptest::collection::vec(0u8..4, 1..6), stop in proptest::option::of(0i64..90_000)) {
        let machine = work(json!({
            "TimeoutSeconds": 20,
            "Retry": [{"ErrorEquals": ["Busy", "States.Timeout"], "IntervalSeconds": 5, "MaxAttempts": 4}],
            "Catch": [{"ErrorEquals": ["Busy"], "Next": "Bad"}],
        }));
        let written = answers.iter().map(|answer| match answer {
            0 => Answer::Returns(json!({})),
            1 => Answer::fails("Busy"),
            2 => Answer::Hangs,
            _ => Answer::After(3000, Box::new(Answer::fails("Broken"))),
        });
        let script = Script::new(BTreeMap::from([("work".to_owned(), written.collect())]));
        let script = match stop { Some(at) => script.stopping_at(at), None => script };

        let ended = go_through(&machine, json!({}), &script);

        let history = script.history();
        prop_assert_eq!(history.iter().map(|event| event.id).collect::<Vec<_>>(), (1..=ended.events).collect::<Vec<_>>());
        prop_assert!(history.windows(2).all(|pair| pair[0].unix_millis <= pair[1].unix_millis));
        let entered: Vec<String> = history.iter().filter(|event| event.kind.name().ends_with("Entered"))
            .filter_map(|event| event.state.clone()).collect();
        prop_assert_eq!(entered, ended.path);
    }
}
