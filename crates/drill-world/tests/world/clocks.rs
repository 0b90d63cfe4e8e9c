use std::time::Duration;

use drill_phases::ports::{AlarmClock, ClearClock};
use drill_world::Fired;

use super::fixture::{orders, run_id};

#[test]
fn a_clock_goes_off_once_at_its_time_and_is_gone() {
    let (simulation, _) = orders(0);
    let at = simulation.now() + Duration::from_secs(60);

    simulation.play(simulation.world.set_clock(&run_id(), at)).unwrap().unwrap();
    simulation.pass(Duration::from_secs(59));
    assert_eq!(simulation.world.due(), []);
    simulation.pass(Duration::from_secs(60));

    assert_eq!(simulation.world.due(), [Fired { run: run_id(), at }]);
    assert!(simulation.world.leftovers().is_empty());
}

#[test]
fn setting_a_clock_again_changes_nothing() {
    let (simulation, _) = orders(0);
    let at = simulation.now() + Duration::from_secs(60);

    let fired = simulation
        .play(async {
            simulation.world.set_clock(&run_id(), at).await.unwrap();
            simulation.world.set_clock(&run_id(), at + Duration::from_secs(60)).await.unwrap();
            simulation.world.next_clock().await
        })
        .unwrap();
    simulation.pass(Duration::from_secs(300));

    assert_eq!(fired, Fired { run: run_id(), at });
    assert_eq!(simulation.world.due(), []);
}

#[test]
fn a_clock_that_was_cleared_stays_silent() {
    let (simulation, _) = orders(0);
    let at = simulation.now() + Duration::from_secs(60);

    simulation
        .play(async {
            simulation.world.set_clock(&run_id(), at).await.unwrap();
            simulation.world.clear_clock(&run_id()).await.unwrap();
            simulation.world.clear_clock(&run_id()).await.unwrap();
        })
        .unwrap();
    simulation.pass(Duration::from_secs(300));

    assert_eq!(simulation.world.due(), []);
}

#[test]
fn a_clock_may_go_off_late_and_twice() {
    let (simulation, _) = orders(0);
    let at = simulation.now() + Duration::from_secs(60);
    simulation.world.timing(|timing| {
        timing.clock = Duration::from_secs(7);
        timing.clock_twice = true;
    });

    simulation.play(simulation.world.set_clock(&run_id(), at)).unwrap().unwrap();
    simulation.pass(Duration::from_secs(300));

    let late: Vec<i64> = simulation.world.due().iter().map(|fired| fired.at.duration_since(at).as_secs()).collect();
    assert_eq!(late, [7, 12]);
}
