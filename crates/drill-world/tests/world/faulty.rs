use std::time::Duration;

use drill_phases::ports::{Class, EmergencyStop, HostAnswers, HostHarm, Leases, Ledger, Notices, Runs};
use drill_world::{At, Disturbance, First, Hit, Kind, Method, Outage, Simulation};

use super::fixture::{
    Instances as _, intended, latency, look, order, orders, run, run_id, said, set, whole, with_word,
};

fn disturbed(kind: Kind) -> Simulation {
    let (simulation, _) = orders(1);
    simulation.world.disturb(Disturbance { at: At::Call(1), kind });
    simulation
}

/// Publishes twice; the first is disturbed. How the first ended, and how often it was told.
fn told(kind: Kind) -> (Result<(), Class>, usize) {
    let simulation = disturbed(kind);
    let ended = simulation.play(simulation.world.publish("default", "one", "body")).unwrap();
    (ended.map_err(|error| error.class), simulation.world.notices().len())
}

#[test]
fn a_failure_has_the_effect_that_it_says() {
    assert_eq!(told(Kind::Refused), (Err(Class::Refused), 0));
    assert_eq!(told(Kind::Throttled), (Err(Class::Transient), 0));
    assert_eq!(told(Kind::LostReply), (Err(Class::Ambiguous), 1));
    assert_eq!(told(Kind::DeliveredTwice), (Ok(()), 2));
    assert_eq!(told(Kind::StaleRead), (Ok(()), 1));
}

#[test]
fn a_read_whose_reply_is_lost_may_be_read_again() {
    let simulation = disturbed(Kind::LostReply);

    let error = simulation.play(simulation.world.lever()).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Transient);
}

#[test]
fn a_disturbance_happens_once() {
    let simulation = disturbed(Kind::Throttled);

    simulation.play(simulation.world.lever()).unwrap().unwrap_err();

    assert_eq!(simulation.play(simulation.world.lever()).unwrap(), Ok(None));
    let hit = Hit { number: 1, method: Method::Lever, kind: Kind::Throttled, applied: true };
    assert_eq!(simulation.world.disturbed(), [hit]);
}

#[test]
fn a_write_that_is_delivered_twice_conflicts_with_itself() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let first = simulation.play(world.create_run(&run(&simulation, "ready"))).unwrap().unwrap();
    world.disturb(Disturbance { at: At::Nth(Method::SaveRun, 1), kind: Kind::DeliveredTwice });

    let error = simulation.play(world.save_run(&first)).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert_eq!(simulation.play(world.run(&run_id())).unwrap().unwrap().version, first.version + 1);
}

#[test]
fn an_order_that_is_delivered_twice_lands_once() {
    let (simulation, hosts) = orders(1);
    simulation.world.disturb(Disturbance { at: At::Nth(Method::HarmHosts, 1), kind: Kind::DeliveredTwice });

    let command = simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            let command = simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            simulation.world.sleep(Duration::from_secs(3)).await;
            command
        })
        .unwrap();

    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["already"]);
    assert_eq!(with_word(simulation.world.leftovers(), "alive").len(), 1);
}

#[test]
fn a_slow_call_takes_its_time_before_it_happens() {
    let (simulation, hosts) = orders(1);
    let late = Duration::from_secs(45);
    simulation.world.disturb(Disturbance { at: At::Nth(Method::Intend, 1), kind: Kind::Slow(late) });
    let start = simulation.now();

    simulation.play(intended(&simulation, &hosts, latency())).unwrap();

    assert_eq!(simulation.now(), start + late);
}

#[test]
fn a_stale_read_tells_what_was_so_a_while_ago() {
    let (simulation, hosts) = orders(1);
    let world = &simulation.world;
    world.disturb(Disturbance { at: At::Nth(Method::See, 2), kind: Kind::StaleRead });
    simulation.hosts.set_tag(&hosts[0], "Colour", Some("red"));
    simulation.pass(Duration::from_secs(20));
    let red = || {
        let found = simulation.play(world.describe(&set(&hosts))).unwrap().unwrap();
        found[0].tags.contains_key("Colour")
    };

    assert_eq!([red(), red(), red()], [true, false, true]);
}

#[test]
fn a_stale_read_of_answers_has_none_yet() {
    let (simulation, hosts) = orders(1);
    let world = &simulation.world;
    world.disturb(Disturbance { at: At::Nth(Method::Answers, 1), kind: Kind::StaleRead });
    use drill_phases::ports::HostProbe as _;
    let command = simulation.play(world.probe(&look(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(5));

    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["pending"]);
    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["alive"]);
    drop(simulation.play(world.answers(&command)));
}

#[test]
fn a_stale_read_of_a_consistent_store_makes_no_difference_and_says_so() {
    let simulation = disturbed(Kind::StaleRead);

    assert_eq!(simulation.play(simulation.world.lever()).unwrap(), Ok(None));
    assert!(!simulation.world.disturbed()[0].applied);
}

#[test]
fn a_stop_that_lets_the_janitor_go_first_holds_the_caller() {
    let stop = Kind::Stop { first: First::Janitor, event_lost: true };
    let (simulation, _) = orders(0);
    simulation.world.disturb(Disturbance { at: At::Call(1), kind: stop });

    let order = simulation
        .play(async {
            let world = simulation.world.clone();
            simulation.world.spawn(async move {
                drop(world.publish("default", "zombie", "body").await);
            });
            simulation.world.until_stopped().await;
            assert!(simulation.world.event_lost());
            simulation.world.sleep(Duration::from_secs(5)).await;
            simulation.world.publish("default", "janitor", "body").await.unwrap();
            simulation.world.let_zombies_go();
            simulation.world.sleep(Duration::from_secs(1)).await;
            simulation.world.notices().into_iter().map(|notice| notice.subject).collect::<Vec<_>>()
        })
        .unwrap();

    assert_eq!(order, ["janitor", "zombie"]);
}

#[test]
fn a_stop_that_lets_the_caller_go_first_does_not_hold_it() {
    let simulation = disturbed(Kind::Stop { first: First::Zombie, event_lost: false });

    simulation.play(simulation.world.publish("default", "zombie", "body")).unwrap().unwrap();

    assert!(simulation.world.stopped());
    simulation.world.forget_stop();
    assert!(!simulation.world.stopped());
}

#[test]
fn an_outage_lasts_as_long_as_it_lasts_and_hits_whom_it_hits() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let from = simulation.now();
    let until = from + Duration::from_secs(60);
    let actor = Some("rollback".to_owned());
    world.outage(Outage { api: "dynamodb:", actor, from, until, class: Class::Refused });
    let lever = |name: &str| simulation.play(world.named(name).lever()).unwrap().map_err(|error| error.class);

    assert_eq!(lever("rollback"), Err(Class::Refused));
    assert_eq!(lever("inject"), Ok(None));
    simulation.pass(Duration::from_secs(60));
    assert_eq!(lever("rollback"), Ok(None));
}

#[test]
fn calls_are_numbered_counted_and_never_forgotten() {
    let (simulation, hosts) = orders(1);
    let world = &simulation.world;

    simulation
        .play(async {
            world.holders(&run_id(), &whole(&hosts)).await.unwrap();
            world.overdue(simulation.now()).await.unwrap();
            world.describe(&set(&hosts)).await.unwrap();
            world.describe(&set(&hosts)).await.unwrap();
        })
        .unwrap();

    let numbers: Vec<u64> = world.call_log().iter().map(|call| call.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let coverage = world.coverage();
    assert_eq!(coverage.len(), Method::ALL.len());
    assert_eq!((coverage[&Method::See], coverage[&Method::Harm]), (2, 0));
}
