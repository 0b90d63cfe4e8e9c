use std::time::Duration;

use drill_phases::ports::{EmergencyStop, Notices};
use drill_world::{At, Disturbance, Invoked, Kind, Method};

use super::fixture::orders;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn an_invocation_returns_what_it_returns() {
    let (simulation, _) = orders(0);

    let invoked = simulation.play(simulation.world.invoke("seven", LIMIT, |_| async { 7 })).unwrap();

    assert_eq!(invoked, Invoked::Returned(7));
}

#[test]
fn an_invocation_ends_at_its_limit() {
    let (simulation, _) = orders(0);
    let start = simulation.now();

    let invoked = simulation
        .play(simulation.world.invoke("slow", LIMIT, |world| async move {
            world.sleep(Duration::from_secs(3600)).await;
        }))
        .unwrap();

    assert_eq!(invoked, Invoked::TimedOut);
    assert_eq!(simulation.now(), start + LIMIT);
}

#[test]
fn nothing_of_a_killed_invocation_goes_on() {
    for (kind, expected) in [(Kind::KilledBefore, vec![]), (Kind::KilledAfter, vec!["first"])] {
        let (simulation, _) = orders(0);
        simulation.world.disturb(Disturbance { at: At::Nth(Method::Publish, 1), kind });

        let invoked = simulation
            .play(simulation.world.invoke("teller", LIMIT, |world| async move {
                let first = world.publish("default", "first", "body").await;
                let second = world.publish("default", "second", "body").await;
                (first, second)
            }))
            .unwrap();
        simulation.pass(LIMIT);

        assert_eq!(invoked, Invoked::Killed, "{kind:?}");
        let told: Vec<String> = simulation.world.notices().into_iter().map(|notice| notice.subject).collect();
        assert_eq!(told, expected, "{kind:?}");
    }
}

#[test]
fn an_invocation_that_nobody_waits_for_goes_on() {
    let (simulation, _) = orders(0);

    let invocation = simulation.world.start("zombie", LIMIT, |world| async move {
        world.sleep(Duration::from_secs(5)).await;
        world.publish("default", "late", "body").await
    });
    drop(invocation);
    simulation.pass(Duration::from_secs(6));

    assert_eq!(simulation.world.notices().len(), 1);
}

#[test]
fn calls_carry_the_name_of_their_invocation() {
    let (simulation, _) = orders(0);

    simulation
        .play(async {
            let looks = |world: drill_world::World| async move { world.lever().await };
            let one = simulation.world.start("one", LIMIT, looks);
            let two = simulation.world.start("two", LIMIT, looks);
            (one.outcome().await, two.outcome().await)
        })
        .unwrap();

    let names: Vec<String> = simulation.world.call_log().iter().map(|call| call.actor.to_string()).collect();
    assert_eq!(names, ["one", "two"]);
}

#[test]
fn one_can_wait_for_a_zombie_to_end() {
    let (simulation, _) = orders(0);
    let start = simulation.now();

    drop(simulation.world.start("zombie", LIMIT, |world| async move { world.sleep(LIMIT / 2).await }));
    drop(simulation.world.start("other", LIMIT, |world| async move { world.sleep(LIMIT).await }));
    simulation.play(simulation.world.until_ended(&["zombie"])).unwrap();

    assert_eq!(simulation.now(), start + LIMIT / 2);
}
