use std::time::Duration;

use drill_phases::ports::{Callback, Class, Clock, EmergencyStop, Notices, Place, Reports, TaskTokens};
use drill_world::Simulation;

use super::fixture::{orders, run_id};

#[test]
fn pausing_lets_just_that_time_pass() {
    let simulation = Simulation::new(1);
    let start = simulation.now();

    simulation.play(simulation.world.pause(Duration::from_millis(1500))).unwrap();

    assert_eq!(simulation.world.now(), start + Duration::from_millis(1500));
}

#[test]
fn the_lever_is_read_with_its_reason() {
    let (simulation, _) = orders(0);
    let lever = || simulation.play(simulation.world.lever()).unwrap().unwrap();

    assert_eq!(lever(), None);
    simulation.world.pull_lever("trading is down");
    assert_eq!(lever().as_deref(), Some("trading is down"));
    simulation.world.release_lever();
    assert_eq!(lever(), None);
}

#[test]
fn a_world_says_where_it_is() {
    let (simulation, _) = orders(0);

    simulation.world.place("999999999999", "us-east-1");

    assert_eq!((simulation.world.account(), simulation.world.region()), ("999999999999".into(), "us-east-1".into()));
}

#[test]
fn a_notice_with_a_subject_that_is_no_subject_is_refused() {
    let (simulation, _) = orders(0);
    let long = "x".repeat(100);
    for subject in ["", "two\nlines", "gr\u{fc}n", long.as_str()] {
        let error = simulation.play(simulation.world.publish("default", subject, "body")).unwrap().unwrap_err();
        assert_eq!(error.class, Class::Refused, "{subject}");
    }

    simulation.play(simulation.world.publish("default", "It began", "body")).unwrap().unwrap();

    let subjects: Vec<String> = simulation.world.notices().into_iter().map(|notice| notice.subject).collect();
    assert_eq!(subjects, ["It began"]);
}

#[test]
fn a_report_that_is_written_again_replaces_itself() {
    let (simulation, _) = orders(0);
    let folder = std::env::temp_dir().join(format!("drill-world-{}", std::process::id()));
    simulation.world.keep_reports_in(folder.clone());

    let place = simulation
        .play(async {
            simulation.world.store(&run_id(), "report.md", "first").await.unwrap();
            simulation.world.store(&run_id(), "report.md", "second").await.unwrap()
        })
        .unwrap();
    let outside = simulation.play(simulation.world.store(&run_id(), "../escape", "x")).unwrap().unwrap_err();

    assert_eq!(std::fs::read_to_string(place).unwrap(), "second");
    assert_eq!(simulation.world.reports(&run_id())["report.md"], "second");
    assert_eq!(outside.class, Class::Refused);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_token_is_answered_once_and_only_while_somebody_waits() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let token = || simulation.play(world.token(&run_id())).unwrap().map_err(|error| error.class);
    let resume = |token: &str| simulation.play(world.resume(token)).unwrap().map_err(|error| error.class);

    assert_eq!((token(), resume("one")), (Err(Class::Missing), Err(Class::Missing)));
    simulation.play(world.keep_token(&run_id(), "one")).unwrap().unwrap();
    simulation.play(world.keep_token(&run_id(), "two")).unwrap().unwrap();
    assert_eq!((token(), resume("one")), (Ok("two".to_owned()), Err(Class::Missing)));
    assert_eq!(resume("two"), Ok(()));
    simulation.play(world.answered("two")).unwrap();
    assert_eq!(resume("two"), Err(Class::Missing));
    simulation.play(world.keep_token(&run_id(), "three")).unwrap().unwrap();
    world.expire_token("three");
    assert_eq!(resume("three"), Err(Class::Missing));
    assert!(simulation.play(world.answered("one")).is_err(), "nobody answered the first token");
}
