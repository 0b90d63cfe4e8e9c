//! What a person takes on, because nothing will ever show that it is gone.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use drill_local::sweep;
use drill_model::ids::RunId;
use drill_model::ledger::State;
use drill_model::run::Status;
use drill_phases::janitor::Wake;
use drill_phases::ports::{Holding, Leases as _};
use serde_json::json;
use stormdrill_tests::stage::{Stage, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 300s }";

#[test]
fn what_never_answers_again_is_taken_on_by_a_person() {
    let stage = Stage::new();
    let world = stage.sim.world.clone();
    for id in &stage.orders {
        stage.sim.hosts.quirks(id, |quirks| {
            quirks.stubborn = 10_000;
            quirks.no_dead_man = true;
        });
    }
    let journey = stage.play(&experiment(SLOW, STOP));
    assert_eq!(journey.verdict(), "stuck");
    let sent =
        json!({ "wake": "abandon", "run_id": journey.run.id, "by": "Grace", "why": "the host is being rebuilt" });
    let wake: Wake = serde_json::from_value(sent).unwrap();

    // Twice: the second time there is nothing left to take on.
    for _ in 0..2 {
        assert_eq!(stage.sim.play(sweep(&world, wake.clone())).unwrap(), Ok(()));
    }

    let rows = stage.rows(&journey);
    assert!(rows.iter().all(|row| matches!(&row.state, State::Abandoned { by, .. } if by == "Grace")), "{rows:#?}");
    let run = world.record(&journey.run.id).unwrap();
    assert_eq!((run.status, run.clean_at), (Status::Stuck, None), "nobody confirmed that it is whole");
    assert!(!world.leftovers().is_empty(), "the fault itself is not gone by that");
    let other = RunId::try_from("other").unwrap();
    let held = Holding { whole: rows.iter().map(|row| row.target.clone()).collect(), ..Holding::default() };
    assert_eq!(stage.sim.play(world.holders(&other, &held)).unwrap(), Ok(vec![]), "the target is free");
}

#[test]
fn nothing_is_given_up_before_its_deadline() {
    let stage = Stage::new();
    let world = stage.sim.world.clone();
    let told = Rc::new(RefCell::new(None));
    let (said, early) = (Rc::clone(&told), world.clone());
    world.spawn(async move {
        early.sleep(Duration::from_secs(60)).await;
        let sent = json!({ "wake": "abandon", "run_id": "run", "by": "Grace", "why": "impatience" });
        *said.borrow_mut() = Some(sweep(&early, serde_json::from_value(sent).unwrap()).await);
    });

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run.judgement);
    let told = told.borrow_mut().take().unwrap().unwrap_err();
    assert!(told.contains("its deadline has not passed"), "{told}");
}
