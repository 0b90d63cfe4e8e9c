//! Leases.

use drill_model::run::Status;
use drill_phases::ports::{Class, Leases as _, Runs as _};

use super::class;
use crate::fixtures::{id, run, shares, target, targets};
use crate::ground::Ground;

/// Runs that inject.
async fn injecting(ground: &impl Ground, names: &[&str]) {
    for name in names {
        ground.store().create_run(&run(name, Status::Injecting)).await.unwrap();
    }
}

pub async fn a_lease_needs_a_run_that_injects(ground: &impl Ground) {
    let store = ground.store();
    assert_eq!(class(store.lease(&id("r"), &targets(0..1)).await), Class::Conflict, "there is no such run");
    let mut record = store.create_run(&run("r", Status::Ready)).await.unwrap();
    assert_eq!(class(store.lease(&id("r"), &shares(0..1)).await), Class::Conflict, "it does not inject yet");
    record.status = Status::Injecting;
    let mut record = store.save_run(&record).await.unwrap();
    store.lease(&id("r"), &targets(0..1)).await.unwrap();

    record.status = Status::RollingBack;
    store.save_run(&record).await.unwrap();

    let late = store.lease(&id("r"), &targets(0..150)).await.unwrap_err();
    assert_eq!(late.class, Class::Conflict);
    assert!(late.message.contains("not injecting"), "{late}");
    assert_eq!(store.holders(&id("c"), &targets(0..150)).await.unwrap(), [(target(0), id("r"))]);
}

pub async fn a_target_has_one_owner(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b"]).await;
    store.lease(&id("a"), &targets(0..2)).await.unwrap();

    assert_eq!(class(store.lease(&id("b"), &targets(1..3)).await), Class::Conflict);
    store.lease(&id("a"), &targets(0..4)).await.unwrap();

    assert_eq!(store.holders(&id("a"), &targets(0..6)).await.unwrap(), []);
    let held: Vec<_> = (0..4).map(|number| (target(number), id("a"))).collect();
    assert_eq!(store.holders(&id("b"), &targets(0..6)).await.unwrap(), held);
}

pub async fn a_refused_lease_takes_nothing_new(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b"]).await;
    store.lease(&id("a"), &targets(5..6)).await.unwrap();
    store.lease(&id("b"), &targets(0..1)).await.unwrap();

    assert_eq!(class(store.lease(&id("b"), &targets(0..6)).await), Class::Conflict);

    let held = store.holders(&id("c"), &targets(0..6)).await.unwrap();
    assert_eq!(held, [(target(0), id("b")), (target(5), id("a"))]);
}

pub async fn a_refused_lease_of_many_takes_nothing_new(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b"]).await;
    store.lease(&id("a"), &targets(249..250)).await.unwrap();
    store.lease(&id("b"), &targets(7..8)).await.unwrap();

    assert_eq!(class(store.lease(&id("b"), &targets(0..250)).await), Class::Conflict);
    let held = store.holders(&id("c"), &targets(0..250)).await.unwrap();
    assert_eq!(held, [(target(7), id("b")), (target(249), id("a"))]);

    store.release(&id("a"), &targets(0..250)).await.unwrap();
    store.lease(&id("b"), &targets(0..250)).await.unwrap();
    assert_eq!(store.holders(&id("c"), &targets(0..250)).await.unwrap().len(), 250);
}

pub async fn of_two_runs_at_once_one_wins(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b"]).await;
    let (a, b) = (id("a"), id("b"));
    let all = targets(0..30);

    let (first, second) = tokio::join!(store.lease(&a, &all), store.lease(&b, &all));

    let owner = match (first, second) {
        (Ok(()), Err(error)) if error.class == Class::Conflict => a,
        (Err(error), Ok(())) if error.class == Class::Conflict => b,
        other => panic!("{other:?}"),
    };
    let held = store.holders(&id("c"), &all).await.unwrap();
    assert_eq!(held, all.whole.into_iter().map(|target| (target, owner.clone())).collect::<Vec<_>>());
}

pub async fn only_what_is_held_is_given_back(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b"]).await;
    store.lease(&id("a"), &targets(0..2)).await.unwrap();
    store.lease(&id("b"), &targets(2..4)).await.unwrap();

    store.release(&id("a"), &targets(0..6)).await.unwrap();
    store.release(&id("a"), &targets(0..6)).await.unwrap();

    let held = store.holders(&id("c"), &targets(0..6)).await.unwrap();
    assert_eq!(held, [(target(2), id("b")), (target(3), id("b"))]);
}

pub async fn shares_stand_beside_shares_and_not_beside_an_owner(ground: &impl Ground) {
    let store = ground.store();
    injecting(ground, &["a", "b", "c"]).await;
    store.lease(&id("a"), &shares(0..2)).await.unwrap();
    store.lease(&id("b"), &shares(0..2)).await.unwrap();

    assert_eq!(class(store.lease(&id("c"), &targets(1..2)).await), Class::Conflict);
    store.release(&id("a"), &shares(0..2)).await.unwrap();
    assert_eq!(class(store.lease(&id("c"), &targets(1..2)).await), Class::Conflict);
    store.release(&id("b"), &shares(0..2)).await.unwrap();
    store.lease(&id("c"), &targets(1..2)).await.unwrap();

    assert_eq!(class(store.lease(&id("a"), &shares(0..2)).await), Class::Conflict);
    assert_eq!(store.holders(&id("a"), &shares(0..2)).await.unwrap(), [(target(1), id("c"))]);
}
