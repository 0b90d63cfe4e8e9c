//! What changes between the plan and the end of a run, by somebody else's hand.

use std::time::Duration;

use drill_model::ledger::{Gone, State};
use drill_model::observation::AlarmState;
use drill_model::run::Ending;
use drill_model::run::Status;
use drill_world::{HostPlane as _, Power, World};
use stormdrill_tests::stage::{Journey, Stage, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 300s }";
const OFF: &str = "  - { name: off, kind: instance-stop, on: orders, duration: 300s }";

#[test]
fn a_target_that_is_terminated_with_its_fault_closes_its_row() {
    for fault in [SLOW, OFF] {
        let stage = Stage::new();
        let (hosts, ids, world) = (stage.sim.hosts.clone(), stage.orders.clone(), stage.sim.world.clone());
        stage.sim.world.spawn(async move {
            world.sleep(Duration::from_secs(120)).await;
            hosts.power(Power::Terminate, &ids.into_iter().collect()).await.expect("they are terminated");
        });

        let journey = stage.play(&experiment(fault, STOP));

        let rows = stage.rows(&journey);
        let gone = |state: &State| matches!(state, State::Undone { how: Gone::TargetGone, .. });
        assert!(!rows.is_empty() && rows.iter().all(|row| gone(&row.state)), "{rows:#?}");
        assert_eq!(stage.objections(), Vec::<String>::new());
        assert_ne!(journey.verdict(), "supported");
    }
}

/// Plays a run; as soon as it is ready, and before anything is broken, this happens.
fn once_ready(stage: &Stage, guards: &str, happens: impl FnOnce(&World) + 'static) -> Journey {
    let world = stage.sim.world.clone();
    stage.sim.world.spawn(async move {
        let id = "run".parse().expect("a run id");
        while world.record(&id).is_none_or(|run| run.status == Status::Preparing) {
            world.sleep(Duration::from_millis(1)).await;
        }
        happens(&world);
    });
    stage.play(&experiment(SLOW, guards))
}

/// Nothing was even intended, and the run says why.
fn is_refused(stage: &Stage, journey: &Journey, why: &str) {
    assert_eq!(journey.verdict(), "refused", "{:#?}", journey.run);
    assert_eq!(stage.rows(journey), Vec::new());
    let Some(Ending::Refused { reasons }) = &journey.run.ending else { panic!("{:?}", journey.run.ending) };
    assert!(reasons.iter().any(|reason| reason.to_string().contains(why)), "{reasons:?}");
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn an_alarm_that_fires_before_the_first_change_forbids_it() {
    let stage = Stage::new();
    let budget = || "budget".parse().expect("a name");
    stage.sim.world.set_alarm(&budget(), AlarmState::Ok);

    let journey = once_ready(&stage, "  stop_when: [{ alarm: budget }]", move |world| {
        world.set_alarm(&budget(), AlarmState::InAlarm)
    });

    is_refused(&stage, &journey, "alarm budget is in alarm already");
}
