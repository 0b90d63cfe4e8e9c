//! Runs that need somebody's agreement.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use drill_model::approval::{Approval, InvalidAnswer};
use drill_model::ids::RunId;
use drill_phases::approval::{Answer, ApprovalError, answer};
use drill_phases::ports::Runs;
use drill_world::World;
use stormdrill_tests::stage::{Stage, experiment};

const GUARDS: &str = "  stop_when: none\n  approval: { within: 10m }";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";

/// Somebody who answers after a while, and what they were told.
fn somebody(stage: &Stage, by: &'static str, agrees: bool) {
    let world = stage.sim.world.clone();
    stage.sim.world.spawn(async move {
        world.sleep(Duration::from_secs(120)).await;
        let run = RunId::try_from("run").expect("a run id");
        let answer_of = |world: World| async move {
            let record = world.run(&run).await.expect("the record is read");
            let Approval::Asked { plan, .. } = record.approval else { panic!("{:?}", record.approval) };
            let said = if agrees { Answer::Agreed { plan } } else { Answer::Denied { why: "not today".into() } };
            answer(&world, &run, said, by).await
        };
        drop(answer_of(world).await);
    });
}

#[test]
fn a_run_that_is_agreed_to_goes_its_way() {
    let stage = Stage::new();
    somebody(&stage, "grace", true);

    let journey = stage.play(&experiment(SLOW, GUARDS));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn a_run_that_is_denied_is_refused() {
    let stage = Stage::new();
    somebody(&stage, "grace", false);

    let journey = stage.play(&experiment(SLOW, GUARDS));

    assert_eq!(journey.verdict(), "refused");
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn nobody_agrees_to_a_run_of_their_own() {
    let stage = Stage::new();
    somebody(&stage, "ada", true);

    let journey = stage.play(&experiment(SLOW, GUARDS));

    assert_eq!(journey.verdict(), "refused");
}

#[test]
fn of_two_answers_of_the_same_moment_one_counts_and_the_other_is_told() {
    for first_agrees in [true, false] {
        let stage = Stage::new();
        let world = stage.sim.world.clone();
        // Each call takes its time, so that both have read the record before either has written it.
        world.timing(|timing| timing.call = Duration::from_millis(10));
        let told = Rc::new(RefCell::new(Vec::new()));
        let heard = Rc::clone(&told);
        stage.sim.world.spawn(async move {
            world.sleep(Duration::from_secs(120)).await;
            let run = RunId::try_from("run").expect("a run id");
            let record = world.run(&run).await.expect("the record is read");
            let Approval::Asked { plan, .. } = record.approval else { panic!("{:?}", record.approval) };
            let mut said = [Answer::Agreed { plan }, Answer::Denied { why: "not today".into() }];
            if !first_agrees {
                said.reverse();
            }
            let [one, other] = said;
            let (one, other) = tokio::join!(answer(&world, &run, one, "grace"), answer(&world, &run, other, "alan"));
            heard.borrow_mut().extend([one.is_ok(), other.is_ok()]);
        });

        let journey = stage.play(&experiment(SLOW, GUARDS));

        let (taken, refused) = (journey.run.approval.clone(), told.borrow().clone());
        assert_eq!(refused.iter().filter(|taken| **taken).count(), 1, "{refused:?}");
        let agreed = refused[0] == first_agrees;
        assert_eq!(matches!(taken, Approval::Given { .. }), agreed, "{taken:?}");
        assert_eq!(journey.verdict() == "refused", !agreed, "{taken:?}");
        assert_eq!(stage.objections(), Vec::<String>::new());
    }
}

#[test]
fn silence_is_no_agreement() {
    let stage = Stage::new();

    let journey = stage.play(&experiment(SLOW, GUARDS));

    assert_eq!(journey.verdict(), "refused");
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn an_answer_after_the_end_is_told_that_nobody_waits() {
    let stage = Stage::new();
    let journey = stage.play(&experiment(SLOW, GUARDS));
    let (world, id) = (&stage.sim.world, &journey.run.id);

    let late = Answer::Denied { why: "not today".into() };
    let told = stage.sim.play(answer(world, id, late, "grace")).expect("it ends").expect_err("nobody waits");

    assert!(matches!(told, ApprovalError::AnswerRejected(InvalidAnswer::NotAsked)), "{told:?}");
    assert_eq!(stage.sim.play(world.run(id)).expect("it ends"), Ok(journey.run));
}

#[test]
fn a_pick_of_all_needs_an_agreement_though_nobody_wrote_so() {
    let stage = Stage::new();
    let text = experiment(SLOW, "  stop_when: none")
        .replace("tags: { Service: orders }, pick: { count: 1 }", "tags: { Service: orders }, pick: all");

    let journey = stage.play(&text);

    assert_eq!(journey.verdict(), "refused");
    assert!(journey.execution.ended.path.iter().any(|state| state == "AwaitApproval"));
}

#[test]
fn what_was_agreed_to_is_what_is_done_or_nothing() {
    let stage = Stage::new();
    somebody(&stage, "grace", true);
    let (hosts, world, id) = (stage.sim.hosts.clone(), stage.sim.world.clone(), stage.orders[0].clone());
    // Between the plan and the agreement the fleet changes: another plan would be made now.
    stage.sim.world.spawn(async move {
        world.sleep(Duration::from_secs(100)).await;
        hosts.set_tag(&id, "Service", Some("something-else"));
    });

    let journey = stage.play(&experiment(SLOW, GUARDS));

    assert_eq!(journey.verdict(), "refused", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
}
