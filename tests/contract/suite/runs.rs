//! Records, plans, samples, tokens, experiments, the emergency stop.

use drill_model::observation::{Sample, Stage};
use drill_model::run::Status;
use drill_phases::ports::{Class, EmergencyStop as _, Experiments as _, Runs as _, TaskTokens as _, UndoProof as _};

use super::class;
use crate::fixtures::{at, id, plan, run, sample};
use crate::ground::Ground;

pub async fn a_run_that_is_not_there_is_missing(ground: &impl Ground) {
    let store = ground.store();

    assert_eq!(class(store.run(&id("r")).await), Class::Missing);
    assert_eq!(class(store.save_run(&run("r", Status::Ready)).await), Class::Missing);
    assert_eq!(class(store.plan(&id("r")).await), Class::Missing);
    assert_eq!(class(store.token(&id("r")).await), Class::Missing);
    assert_eq!(store.samples(&id("r")).await.unwrap(), []);
}

pub async fn a_repeated_start_is_one_run(ground: &impl Ground) {
    let store = ground.store();
    let first = run("r", Status::Preparing);
    let mut second = run("r", Status::Ready);
    second.requested_by = "somebody else".into();

    assert_eq!(store.create_run(&first).await.unwrap(), first);
    assert_eq!(store.create_run(&second).await.unwrap(), first);

    assert_eq!(store.run(&id("r")).await.unwrap(), first);
}

pub async fn a_record_is_replaced_by_who_knows_its_version(ground: &impl Ground) {
    let store = ground.store();
    let first = store.create_run(&run("r", Status::Preparing)).await.unwrap();
    let mut change = first.clone();
    change.status = Status::Ready;

    let saved = store.save_run(&change).await.unwrap();
    assert_eq!(saved.version, first.version + 1);
    assert_eq!(class(store.save_run(&change).await), Class::Conflict);
    assert_eq!(class(store.save_run(&first).await), Class::Conflict);
    let again = store.save_run(&saved).await.unwrap();

    assert_eq!(store.run(&id("r")).await.unwrap(), again);
}

pub async fn of_two_writers_at_once_one_wins(ground: &impl Ground) {
    let store = ground.store();
    let first = store.create_run(&run("r", Status::Preparing)).await.unwrap();
    let (mut one, mut other) = (first.clone(), first);
    one.status = Status::Ready;
    other.status = Status::Refused;

    let (saved, lost) = tokio::join!(store.save_run(&one), store.save_run(&other));

    let (won, lost) = if saved.is_ok() { (saved, lost) } else { (lost, saved) };
    assert_eq!(class(lost), Class::Conflict);
    assert_eq!(store.run(&id("r")).await.unwrap(), won.unwrap());
}

pub async fn a_plan_is_the_one_written_last(ground: &impl Ground) {
    let store = ground.store();
    // A large one, which takes more than one item of a table; then a small one over it; then the large one again.
    for plan in [plan("r", 40_000), plan("r", 1), plan("r", 40_000)] {
        store.put_plan(&plan).await.unwrap();

        assert!(store.plan(&id("r")).await.unwrap() == plan);
    }
}

pub async fn samples_are_written_once_and_read_in_order(ground: &impl Ground) {
    let store = ground.store();
    let later = |stage, number| Sample { at: at(900), ..sample(stage, number) };
    store.record_samples(&id("r"), &[sample(Stage::Recovery, 0)]).await.unwrap();
    store.record_samples(&id("r"), &[sample(Stage::Fault, 2), sample(Stage::Fault, 10)]).await.unwrap();

    store.record_samples(&id("r"), &[later(Stage::Recovery, 0)]).await.unwrap();
    store
        .record_samples(&id("r"), &[later(Stage::Fault, 2), sample(Stage::Fault, 3), sample(Stage::Baseline, 7)])
        .await
        .unwrap();
    store.record_samples(&id("r"), &[]).await.unwrap();
    store.record_samples(&id("r-2"), &[sample(Stage::Fault, 1)]).await.unwrap();

    let expected = [
        sample(Stage::Baseline, 7),
        sample(Stage::Fault, 2),
        sample(Stage::Fault, 3),
        sample(Stage::Fault, 10),
        sample(Stage::Recovery, 0),
    ];
    assert_eq!(store.samples(&id("r")).await.unwrap(), expected);
}

pub async fn the_latest_samples_are_the_last_of_their_stage(ground: &impl Ground) {
    let store = ground.store();
    let all: Vec<Sample> = (0..130).map(|number| sample(Stage::Fault, number)).collect();
    store.record_samples(&id("r"), &all).await.unwrap();
    store.record_samples(&id("r"), &[sample(Stage::Recovery, 0)]).await.unwrap();

    let latest = async |most| store.latest_samples(&id("r"), Stage::Fault, most).await.unwrap();

    assert_eq!(latest(0).await, []);
    assert_eq!(latest(3).await, all[127..]);
    assert_eq!(latest(1_000).await, all);
    assert_eq!(store.latest_samples(&id("r"), Stage::Baseline, 3).await.unwrap(), []);
}

pub async fn the_proof_of_the_undo_is_read_as_it_stands(ground: &impl Ground) {
    assert_eq!(ground.store().undo_proven().await.unwrap(), None);
    ground.prove_undo(at(60)).await;
    assert_eq!(ground.store().undo_proven().await.unwrap(), Some(at(60)));
}

pub async fn the_lever_is_read_as_it_stands(ground: &impl Ground) {
    assert_eq!(ground.store().lever().await.unwrap(), None);
    ground.pull_lever("storm").await;
    assert_eq!(ground.store().lever().await.unwrap(), Some("storm".into()));
    ground.release_lever().await;
    assert_eq!(ground.store().lever().await.unwrap(), None);
}

pub async fn a_new_token_replaces_the_old(ground: &impl Ground) {
    ground.store().keep_token(&id("r"), "one").await.unwrap();
    ground.store().keep_token(&id("r"), "two").await.unwrap();

    assert_eq!(ground.store().token(&id("r")).await.unwrap(), "two");
}

pub async fn an_experiment_is_its_text(ground: &impl Ground) {
    let known = "known".parse().unwrap();
    ground.put_experiment(&known, "id: known\n# é").await;

    assert_eq!(ground.experiments().experiment(&known).await.unwrap(), "id: known\n# é");
    assert_eq!(class(ground.experiments().experiment(&"unknown".parse().unwrap()).await), Class::Missing);
}
