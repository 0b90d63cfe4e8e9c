//! What a run costs in history events: a plan is made on these numbers, and Step Functions ends what costs more than 25,000.

use drill_machine::script::{Answer, Script};
use drill_machine::{Ended, Status};
use serde_json::json;

use crate::shipped::{baton, deployed, document, go_through, read};

/// A run that looks `turns` times, tries `tries` times at every look, and holds `hold_seconds` between them.
fn watched(turns: usize, tries: usize, hold_seconds: u64) -> Ended {
    let says = |verdict: &str| Answer::Returns(baton(verdict, hold_seconds));
    let mut looks = Vec::new();
    for turn in 1..=turns {
        looks.extend(vec![Answer::fails("Lambda.TooManyRequestsException"); tries - 1]);
        looks.push(says(if turn < turns { "hold" } else { "done" }));
    }
    let answers = [
        ("prepare", vec![says("ready")]),
        ("sns:publish", vec![Answer::Returns(json!({"MessageId": "m"}))]),
        ("inject", vec![says("injected")]),
        ("observe", looks),
        ("recover", vec![says("clean")]),
        ("validate", vec![says("done")]),
        ("report", vec![says("supported")]),
    ];
    let host = Script::new(answers.map(|(name, answers)| (name.to_owned(), answers)));
    go_through(&deployed(document()), &host)
}

#[test]
fn a_turn_of_the_loop_costs_nine_events() {
    let (one, two, many) = (watched(1, 1, 1), watched(2, 1, 1), watched(1000, 1, 1));

    assert_eq!(two.events - one.events, 9);
    assert_eq!(many.events - one.events, 9 * 999);
}

#[test]
fn everything_around_the_loop_costs_less_than_a_hundred_events() {
    let one = watched(1, 1, 1);

    assert_eq!((one.status, one.events), (Status::Succeeded, 53));
}

#[test]
fn a_retry_in_the_loop_costs_three_events() {
    assert_eq!(watched(100, 2, 1).events - watched(100, 1, 1).events, 300);
}

#[test]
fn a_plan_of_20000_events_ends_well_though_every_look_is_retried_once() {
    // 18,000 events for the loop is what a plan may spend: 2,000 turns.
    let calm = watched(2000, 1, 5);
    let busy = watched(1900, 2, 5);

    assert_eq!(calm.status, Status::Succeeded);
    assert!(calm.events < 20_000, "{}", calm.events);
    assert_eq!(busy.status, Status::Succeeded);
}

#[test]
fn one_more_turn_than_the_history_holds_ends_the_execution_without_a_catch() {
    let most = (25_000 - 44) / 9;

    let ended = watched(most + 10, 1, 1);

    assert!(matches!(&ended.status, Status::Failed { error, .. } if error == "States.Runtime"), "{:?}", ended.status);
    assert_eq!((ended.events, ended.path.last().map(String::as_str) == Some("Unknown")), (25_000, false));
}

#[test]
fn a_run_that_never_ends_is_ended_by_the_machine_s_own_limit() {
    let ended = watched(20, 1, 43_200);

    assert_eq!(ended.status, Status::TimedOut);
}

#[test]
fn a_yes_that_comes_late_leaves_time_for_the_longest_experiment() {
    const HOURS: u64 = 3600;
    let run = document()["TimeoutSeconds"].as_u64().expect("the machine has a time limit");
    let campaign = read("statemachine/campaign.asl.yaml");
    let start = campaign.split("startExecution.sync:2").nth(1).expect("a campaign starts runs");
    let limit = start.split("TimeoutSeconds: ").nth(1).and_then(|rest| rest.lines().next()).expect("with a time limit");

    // 12 hours for the answer, 12 for the faults, and what Rollback may need.
    assert!(run >= (12 + 12) * HOURS + HOURS, "{run}");
    assert!(limit.parse::<u64>().expect("a number of seconds") > run, "{limit}");
}
