//! The ledger.

use drill_model::ledger::{Gone, Row, State};
use drill_model::run::{Armed, Run, Status};
use drill_phases::ports::{Class, Leases as _, Ledger as _, Runs as _, Step};

use super::class;
use crate::fixtures::{at, id, row, rows, run, target, targets};
use crate::ground::Ground;

/// A run that injects and holds these targets.
async fn injecting(ground: &impl Ground, name: &str, held: std::ops::Range<usize>) {
    ground.store().create_run(&run(name, Status::Injecting)).await.unwrap();
    ground.store().lease(&id(name), &targets(held)).await.unwrap();
}

fn landed(second: i64) -> State {
    State::Landed { at: at(second) }
}

fn undone() -> State {
    State::undone(None, Gone::Absent)
}

fn step(row: &Row, to: State) -> Step {
    Step { row: row.clone(), to }
}

pub async fn an_intent_needs_a_run_that_injects(ground: &impl Ground) {
    let store = ground.store();
    assert_eq!(class(store.intend(&id("r"), &rows("r", 0..1)).await), Class::Conflict);

    let mut record = store.create_run(&run("r", Status::Ready)).await.unwrap();
    assert_eq!(class(store.intend(&id("r"), &rows("r", 0..1)).await), Class::Conflict);
    record.status = Status::Injecting;
    let mut record = store.save_run(&record).await.unwrap();
    store.lease(&id("r"), &targets(0..2)).await.unwrap();
    store.intend(&id("r"), &rows("r", 0..1)).await.unwrap();
    record.status = Status::RollingBack;
    store.save_run(&record).await.unwrap();
    assert_eq!(class(store.intend(&id("r"), &rows("r", 1..2)).await), Class::Conflict);

    assert_eq!(store.rows(&id("r")).await.unwrap(), rows("r", 0..1));
}

pub async fn an_intent_needs_the_emergency_stop_at_rest(ground: &impl Ground) {
    injecting(ground, "r", 0..2).await;
    ground.pull_lever("storm").await;

    assert_eq!(class(ground.store().intend(&id("r"), &rows("r", 0..2)).await), Class::Conflict);
    assert_eq!(ground.store().rows(&id("r")).await.unwrap(), []);

    ground.release_lever().await;
    ground.store().intend(&id("r"), &rows("r", 0..2)).await.unwrap();
}

pub async fn an_intent_needs_every_lease(ground: &impl Ground) {
    injecting(ground, "r", 0..2).await;
    injecting(ground, "other", 3..4).await;

    for beyond in [3, 4] {
        assert_eq!(class(ground.store().intend(&id("r"), &rows("r", 0..beyond)).await), Class::Conflict);
    }

    assert_eq!(ground.store().rows(&id("r")).await.unwrap(), []);
}

pub async fn an_intent_is_written_once(ground: &impl Ground) {
    injecting(ground, "r", 0..3).await;
    let store = ground.store();
    store.intend(&id("r"), &rows("r", 0..2)).await.unwrap();
    store.advance(&[step(&row("r", 1), landed(5))], at(6)).await.unwrap();
    let before = store.rows(&id("r")).await.unwrap();

    let mut again = rows("r", 0..3);
    again[0].intended_at = at(9);
    store.intend(&id("r"), &again).await.unwrap();

    let after = store.rows(&id("r")).await.unwrap();
    assert_eq!(after[..2], before);
    assert_eq!(after[2..], rows("r", 2..3));
}

pub async fn a_repeated_intent_needs_its_conditions_again(ground: &impl Ground) {
    injecting(ground, "r", 0..2).await;
    ground.store().intend(&id("r"), &rows("r", 0..2)).await.unwrap();
    ground.pull_lever("storm").await;

    assert_eq!(class(ground.store().intend(&id("r"), &rows("r", 0..2)).await), Class::Conflict);
}

pub async fn a_full_batch_is_written_and_more_is_refused(ground: &impl Ground) {
    injecting(ground, "r", 0..51).await;

    ground.store().intend(&id("r"), &rows("r", 0..50)).await.unwrap();
    assert_eq!(class(ground.store().intend(&id("r"), &rows("r", 0..51)).await), Class::Refused);

    assert_eq!(ground.store().rows(&id("r")).await.unwrap(), rows("r", 0..50));
}

pub async fn a_row_of_another_run_is_refused(ground: &impl Ground) {
    injecting(ground, "r", 0..1).await;

    assert_eq!(class(ground.store().intend(&id("r"), &rows("other", 0..1)).await), Class::Refused);

    assert_eq!(ground.store().rows(&id("other")).await.unwrap(), []);
}

pub async fn a_row_goes_forward_only(ground: &impl Ground) {
    injecting(ground, "r", 0..1).await;
    let store = ground.store();
    let intended = row("r", 0);
    store.intend(&id("r"), std::slice::from_ref(&intended)).await.unwrap();
    let now = async || store.rows(&id("r")).await.unwrap().remove(0);

    store.advance(&[step(&intended, landed(5))], at(6)).await.unwrap();
    let first = Row { state: landed(5), since: at(6), ..intended.clone() };
    assert_eq!(now().await, first);
    // The same fact again, by somebody who knows the row and by somebody who does not.
    store.advance(&[step(&first, landed(8))], at(9)).await.unwrap();
    store.advance(&[step(&intended, landed(8))], at(9)).await.unwrap();
    assert_eq!(now().await, first);
    // A change that was found was made.
    store.advance(&[step(&intended, State::NeverMade { why: "late".into() })], at(10)).await.unwrap();
    assert_eq!(now().await, first);
    store.advance(&[step(&intended, undone())], at(11)).await.unwrap();
    let closed = Row { state: undone(), since: at(11), ..intended.clone() };
    assert_eq!(now().await, closed);
    // Closed is closed, whatever anybody believes.
    for to in [State::Intended, landed(12), State::Abandoned { by: "me".into(), why: "so".into() }, undone()] {
        for from in [&intended, &first, &closed] {
            store.advance(&[step(from, to.clone())], at(13)).await.unwrap();
            assert_eq!(now().await, closed);
        }
    }
}

pub async fn many_rows_go_forward_at_once(ground: &impl Ground) {
    injecting(ground, "r", 0..130).await;
    let store = ground.store();
    let all = rows("r", 0..130);
    for batch in all.chunks(50) {
        store.intend(&id("r"), batch).await.unwrap();
    }
    store.advance(&[step(&all[3], State::NeverMade { why: "late".into() })], at(5)).await.unwrap();

    let steps: Vec<Step> = all.iter().map(|row| step(row, landed(6))).collect();
    store.advance(&steps, at(7)).await.unwrap();

    let words: Vec<&str> = store.rows(&id("r")).await.unwrap().iter().map(|row| row.state.word()).collect();
    let expected: Vec<&str> = (0..130).map(|number| if number == 3 { "never made" } else { "landed" }).collect();
    assert_eq!(words, expected);
}

pub async fn of_two_closings_at_once_one_counts(ground: &impl Ground) {
    injecting(ground, "r", 0..1).await;
    let store = ground.store();
    let intended = row("r", 0);
    store.intend(&id("r"), std::slice::from_ref(&intended)).await.unwrap();
    let never = State::NeverMade { why: "late".into() };
    let (one, other) = ([step(&intended, undone())], [step(&intended, never.clone())]);

    let (first, second) = tokio::join!(store.advance(&one, at(5)), store.advance(&other, at(5)));

    assert_eq!((first, second), (Ok(()), Ok(())));
    let state = store.rows(&id("r")).await.unwrap().remove(0).state;
    assert!([undone(), never].contains(&state), "{state:?}");
}

pub async fn a_step_of_no_row_is_passed_over(ground: &impl Ground) {
    ground.store().advance(&[step(&row("r", 0), landed(5))], at(6)).await.unwrap();
    ground.store().advance(&[], at(6)).await.unwrap();

    assert_eq!(ground.store().rows(&id("r")).await.unwrap(), []);
}

pub async fn rows_are_those_of_the_run(ground: &impl Ground) {
    // One name is the beginning of the other, and one fault's of another's.
    injecting(ground, "r", 0..3).await;
    injecting(ground, "r-2", 3..4).await;
    let mut mixed = rows("r", 0..3);
    mixed[0].fault = "stop-2".parse().unwrap();
    mixed[2].fault = "pause".parse().unwrap();
    ground.store().intend(&id("r"), &mixed).await.unwrap();
    ground.store().intend(&id("r-2"), &rows("r-2", 3..4)).await.unwrap();

    let order: Vec<_> = ground.store().rows(&id("r")).await.unwrap().into_iter().map(|row| row.target).collect();

    assert_eq!(order, [target(2), target(1), target(0)], "by fault, then by target");
}

pub async fn overdue_are_runs_with_open_rows_past_their_deadline(ground: &impl Ground) {
    let store = ground.store();
    for (number, name) in ["open", "later", "closed", "half"].into_iter().enumerate() {
        injecting(ground, name, number * 2..number * 2 + 2).await;
        let mut both = rows(name, number * 2..number * 2 + 2);
        for row in &mut both {
            row.deadline = match name {
                "later" => at(400),
                // Half a second before the others.
                "half" => at(179) + std::time::Duration::from_millis(500),
                _ => at(180),
            };
        }
        store.intend(&id(name), &both).await.unwrap();
        if name == "closed" {
            let steps: Vec<Step> = both.iter().map(|row| step(row, undone())).collect();
            store.advance(&steps, at(5)).await.unwrap();
        }
    }
    ground.settle().await;

    assert_eq!(store.overdue(at(179)).await.unwrap(), [].into());
    assert_eq!(store.overdue(at(180)).await.unwrap(), [id("half")].into());
    assert_eq!(store.overdue(at(181)).await.unwrap(), [id("half"), id("open")].into());
    assert_eq!(store.overdue(at(999)).await.unwrap(), [id("half"), id("later"), id("open")].into());
}

pub async fn overdue_are_runs_that_were_armed_until_they_have_given_back_what_they_held(ground: &impl Ground) {
    let store = ground.store();
    let armed = Some(Armed { from: at(0), deadline: at(180) });
    store.create_run(&Run { armed, ..run("armed", Status::Injecting) }).await.unwrap();
    store.create_run(&run("never-armed", Status::Ready)).await.unwrap();
    let mut later = store.create_run(&run("later", Status::Ready)).await.unwrap();
    (later.status, later.armed) = (Status::Injecting, Some(Armed { from: at(0), deadline: at(400) }));
    store.save_run(&later).await.unwrap();
    let mut over = store.create_run(&Run { armed, ..run("over", Status::RollingBack) }).await.unwrap();
    ground.settle().await;

    assert_eq!(store.overdue(at(180)).await.unwrap(), [].into());
    assert_eq!(store.overdue(at(181)).await.unwrap(), [id("armed"), id("over")].into());
    (over.status, over.given_back_at) = (Status::Clean, Some(at(190)));
    store.save_run(&over).await.unwrap();
    ground.settle().await;
    assert_eq!(store.overdue(at(999)).await.unwrap(), [id("armed"), id("later")].into());
}
