use drill_model::host::HostReport;

use super::*;
use crate::fixtures::{armed, at, plan, row, target};

const GUARDS: &str = "\n  stop_when: none";

/// A row of a fault of a minute that landed at once.
fn landed() -> Row {
    row(&plan(GUARDS, 1.0), State::Landed { at: at(0) })
}

fn says(line: &str) -> Word {
    let row = landed();
    let line = line.replace("UNIT", row.unit.as_str());
    let report = HostReport::from_output(&format!("{{\"stormdrill\":1,\"outcome\":\"alive\",{line}}}"));
    heard(&row, &HostAnswer::Report(Box::new(report.unwrap())), at(100))
}

fn due(last: Option<u32>, next: u32) -> bool {
    is_due(&plan(GUARDS, 1.0), &[landed()], armed(), last, next)
}

#[test]
fn a_look_comes_every_fifteen_seconds_and_shortly_before_the_end() {
    // A sample every 5 s, and the fault ends after 60 s.
    let looks: Vec<u32> = (0..12_u32).filter(|number| due(number.checked_sub(1), *number)).collect();

    assert_eq!(looks, [3, 6, 9, 11]);
}

#[test]
fn a_look_whose_sample_was_missed_comes_with_the_next_one() {
    assert!(due(Some(1), 4));
    assert!(!due(Some(4), 5));
    assert!(due(Some(2), 11), "and so does the last one");
}

#[test]
fn nothing_is_asked_while_no_fault_that_lasts_has_landed() {
    let plan = plan(GUARDS, 1.0);
    for state in [State::Intended, State::NeverMade { why: "refused".into() }] {
        assert!(!is_due(&plan, &[row(&plan, state)], armed(), Some(2), 3));
    }
}

#[test]
fn the_more_commands_a_look_takes_the_rarer_it_is() {
    let one = landed();
    let many = |hosts: usize| pace(&vec![&one; hosts], Span::seconds(5));

    assert_eq!(many(1), 3);
    assert_eq!(many(350), 3);
    assert_eq!(many(1_000), 8);
    assert_eq!(many(10_000), 80, "200 commands, every 400 s");
    assert_eq!(pace(&[&one], Span::seconds(60)), 1);
}

#[test]
fn a_host_says_that_it_holds_or_when_it_ended() {
    assert_eq!(says(r#""unit":"UNIT","holds":true,"time":7,"since":1"#), Word::Holds { unmet: false });
    assert_eq!(says(r#""unit":"UNIT","holds":true,"counters":{"packets":0}"#), Word::Holds { unmet: true });
    assert_eq!(says(r#""unit":"UNIT","holds":true,"counters":{"packets":1}"#), Word::Holds { unmet: false });
    let ended = says(r#""unit":"UNIT","reason":"ended-early","ended_at":990,"time":1000"#);
    assert_eq!(ended, Word::Ended { at: Some(at(90)), why: "ended-early".to_owned() });
}

#[test]
fn what_one_look_does_not_see_is_not_ended_yet() {
    assert!(matches!(says(r#""unit":"UNIT","holds":false"#), Word::NotThere(_)));
    assert!(matches!(says(r#""unit":"UNIT","units":[]"#), Word::NotThere(_)));
}

#[test]
fn a_host_that_speaks_of_something_else_says_nothing() {
    assert_eq!(says(r#""unit":"0000000000000000","holds":true"#), Word::Silent);
    assert_eq!(says(r#""holds":true"#), Word::Silent);
    assert_eq!(says(r#""unit":"UNIT""#), Word::Silent);
    assert_eq!(heard(&landed(), &HostAnswer::Silent("gone".into()), at(100)), Word::Silent);
}

#[test]
fn a_clock_that_runs_backwards_tells_no_time() {
    let ended = says(r#""unit":"UNIT","ended_at":1000,"time":990"#);

    assert_eq!(ended, Word::Ended { at: None, why: "not there".to_owned() });
}

#[test]
fn an_end_is_never_told_before_its_beginning() {
    let ended = says(r#""unit":"UNIT","ended_at":0,"time":100000"#);

    assert_eq!(ended, Word::Ended { at: Some(at(0)), why: "not there".to_owned() });
}

fn look_of(words: Vec<Word>) -> FaultLook {
    let row = landed();
    let rows = vec![&row; words.len()];
    summed_up(at(20), &rows, words).remove(0)
}

#[test]
fn a_look_counts_everybody_and_names_a_few() {
    let ended = |second| Word::Ended { at: Some(at(second)), why: "ended-early".to_owned() };
    let mut words = vec![Word::Holds { unmet: true }, Word::Silent, Word::NotThere("once".to_owned())];
    words.extend([ended(12), ended(9), ended(11), ended(10)]);

    let look = look_of(words);

    assert_eq!((look.holds, look.ended, look.silent, look.unmet), (1, 4, 2, 1));
    assert_eq!(look.first_end, Some(at(9)));
    assert_eq!(look.names, vec![format!("{}: ended-early", target()); NAMED]);
}

fn stops(on_early_end: &str, words: Vec<Word>) -> Option<Ending> {
    let plan = plan(&format!("{GUARDS}{on_early_end}"), 1.0);
    let faults = vec![look_of(words)];
    let sample = Sample {
        stage: drill_model::observation::Stage::Fault,
        number: 4,
        at: at(22),
        readings: Vec::new(),
        alarms: Vec::new(),
        faults,
    };
    vanished(&plan, &sample).map(|(ending, _)| ending)
}

#[test]
fn a_fault_that_ended_stops_the_run_with_its_time_unless_the_experiment_says_otherwise() {
    let ended = |at| vec![Word::Ended { at, why: "ended-early".to_owned() }];

    let told = stops("", ended(Some(at(9))));
    assert!(matches!(told, Some(Ending::Vanished { at: when, .. }) if when == at(9)), "{told:?}");
    let untold = stops("\n  on_early_end: stop", ended(None));
    assert!(matches!(untold, Some(Ending::Vanished { at: when, .. }) if when == at(20)), "{untold:?}");
    assert_eq!(stops("\n  on_early_end: continue", ended(Some(at(9)))), None);
}

#[test]
fn silence_and_doubt_stop_nothing() {
    assert_eq!(stops("", vec![Word::Silent, Word::NotThere("once".into()), Word::Holds { unmet: true }]), None);
}

#[test]
fn a_sample_waits_for_a_look_half_the_time_to_the_next_one_or_until_the_end() {
    assert_eq!(patience(at(10), at(15), at(60)), at(10) + Duration::from_millis(2_500));
    assert_eq!(patience(at(55), at(60), at(60)), at(60));
    assert_eq!(patience(at(16), at(15), at(60)), at(16), "a late sample waits for nobody");
}
