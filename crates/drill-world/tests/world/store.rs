use drill_model::ids::ExperimentId;
use drill_model::observation::{Sample, Stage};
use drill_phases::ports::{Class, Experiments, Runs};
use serde_json::json;

use super::fixture::{orders, run, run_id};

fn sample(stage: &str, number: u32, value: f64) -> Sample {
    let readings = json!([{"probe": "latency", "reading": {"known": value}}]);
    let sample = json!({"stage": stage, "number": number, "at": "2026-03-02T10:00:00Z", "readings": readings});
    serde_json::from_value(sample).unwrap()
}

#[test]
fn a_run_that_is_created_again_is_the_one_that_is_there() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let first = run(&simulation, "preparing");

    let created = simulation.play(world.create_run(&first)).unwrap().unwrap();
    let again = simulation.play(world.create_run(&run(&simulation, "stuck"))).unwrap().unwrap();

    assert_eq!(created, first);
    assert_eq!(again, first);
}

#[test]
fn a_write_that_does_not_know_the_latest_is_a_conflict() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let first = simulation.play(world.create_run(&run(&simulation, "preparing"))).unwrap().unwrap();

    let second = simulation.play(world.save_run(&first)).unwrap().unwrap();
    let late = simulation.play(world.save_run(&first)).unwrap().unwrap_err();

    assert_eq!(second.version, first.version + 1);
    assert_eq!(late.class, Class::Conflict);
    assert_eq!(simulation.play(world.run(&run_id())).unwrap(), Ok(second));
}

#[test]
fn what_is_not_there_is_missing() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let unknown = ExperimentId::try_from("unknown").unwrap();

    let classes = simulation
        .play(async {
            [
                world.run(&run_id()).await.unwrap_err().class,
                world.plan(&run_id()).await.unwrap_err().class,
                world.save_run(&run(&simulation, "ready")).await.unwrap_err().class,
                world.experiment(&unknown).await.unwrap_err().class,
            ]
        })
        .unwrap();

    assert_eq!(classes, [Class::Missing; 4]);
}

#[test]
fn a_stored_experiment_is_returned_as_it_was_written() {
    let (simulation, _) = orders(0);
    let id = ExperimentId::try_from("slow-orders").unwrap();

    simulation.world.put_experiment(&id, "id: slow-orders # mine\n");

    assert_eq!(simulation.play(simulation.world.experiment(&id)).unwrap(), Ok("id: slow-orders # mine\n".to_owned()));
}

#[test]
fn a_sample_is_recorded_once_and_samples_come_in_order() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;

    let (all, latest) = simulation
        .play(async {
            world.record_samples(&run_id(), &[sample("fault", 1, 2.0), sample("fault", 0, 1.0)]).await.unwrap();
            world.record_samples(&run_id(), &[sample("fault", 1, 9.0), sample("baseline", 7, 0.0)]).await.unwrap();
            let all = world.samples(&run_id()).await.unwrap();
            (all, world.latest_samples(&run_id(), Stage::Fault, 1).await.unwrap())
        })
        .unwrap();

    assert_eq!(all, [sample("baseline", 7, 0.0), sample("fault", 0, 1.0), sample("fault", 1, 2.0)]);
    assert_eq!(latest, [sample("fault", 1, 2.0)]);
}

#[test]
fn an_item_that_is_too_large_is_refused() {
    let (simulation, _) = orders(0);
    let mut large = run(&simulation, "preparing");
    large.requested_by = "x".repeat(500_000);

    let error = simulation.play(simulation.world.create_run(&large)).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Refused);
}
