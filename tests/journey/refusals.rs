//! Runs that are never begun: every guard, every wrong start, and that nothing was touched.

use drill_model::faults::{Family, Kind};
use drill_model::host::Capability;
use drill_model::observation::AlarmState;
use drill_model::run::{Ending, Status};
use drill_world::HostSpec;
use serde_json::json;
use stormdrill_tests::stage::{Stage, document, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";

/// By then everybody sees what was changed.
const SEEN: std::time::Duration = std::time::Duration::from_secs(5);

/// The reasons, and that no verb that harms was ever used.
fn refused(stage: &Stage, experiment: &str) -> String {
    let journey = stage.play(experiment);

    assert_eq!(journey.verdict(), "refused", "{:#?}", journey.run);
    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Refused"));
    untouched(stage);
    let Some(Ending::Refused { reasons }) = journey.run.ending else { panic!("{:?}", journey.run.ending) };
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn untouched(stage: &Stage) {
    use drill_world::Method as M;
    let coverage = stage.sim.world.coverage();
    for method in [M::Harm, M::HarmHosts, M::Intend, M::Arm, M::Lease, M::SetClock] {
        assert_eq!(coverage.get(&method).copied().unwrap_or_default(), 0, "{method:?}");
    }
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn the_lever_forbids_a_start() {
    let stage = Stage::new();
    stage.sim.world.pull_lever("a real incident");

    assert!(refused(&stage, &experiment(SLOW, STOP)).contains("the emergency stop is pulled: a real incident"));
}

#[test]
fn a_fault_that_the_stack_has_switched_off_is_not_begun() {
    let with = |families: &[Family]| {
        let stage = Stage::new();
        stage.sim.world.switch_on(families);
        stage
    };
    let instances = Family::On(Kind::Ec2Instance);
    let off = "  - { name: off, kind: instance-stop, on: orders, duration: 60s }";

    let said = refused(&with(&[Family::Host, Family::On(Kind::Subnet)]), &experiment(off, "  stop_when: none"));
    assert!(said.contains("deploy it with the parameter Faults=host,ec2-instance,subnet"), "{said}");
    let said = refused(&with(&[instances]), &experiment(SLOW, STOP));
    assert!(said.contains("slow is a fault on `host`, and those are switched off"), "{said}");

    let journey = with(&[Family::Host]).play(&experiment(SLOW, STOP));
    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
}

#[test]
fn a_fault_that_the_scheduler_must_end_waits_for_the_proof_that_it_does() {
    let unproven = || {
        let stage = Stage::new();
        stage.sim.world.set_undo_proven(None);
        stage
    };

    let off = "  - { name: off, kind: instance-stop, on: orders, duration: 60s }";
    assert!(refused(&unproven(), &experiment(off, "  stop_when: none")).contains("run `make prove-undo`"));

    // A host's dead man needs no scheduler.
    let journey = unproven().play(&experiment(SLOW, STOP));
    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
}

#[test]
fn a_closed_window_forbids_a_start() {
    // The stage begins on a Monday at ten in the morning, UTC.
    let guards = format!("{STOP}\n  windows: [{{ days: mon-fri, from: \"17:00\", to: \"08:00\", zone: UTC }}]");

    let reasons = refused(&Stage::new(), &experiment(SLOW, &guards));

    assert!(reasons.contains("17:00"), "{reasons}");
}

#[test]
fn more_than_the_blast_radius_is_refused() {
    let text = experiment(SLOW, STOP)
        .replace("tags: { Service: orders }, pick: { count: 1 }", "tags: { Service: orders }, pick: { count: 2 }")
        .replace("max_blast_radius: 100%", "max_blast_radius: 30%");

    let reasons = refused(&Stage::new(), &text);

    assert!(reasons.contains("2 of 4 targets of `orders` is more than max_blast_radius 30%"), "{reasons}");
}

/// Two groups of one selector, each within the limit by itself.
fn two_groups(guards: &str) -> String {
    let two = format!("{SLOW}\n  - {{ name: pause, kind: process-pause, on: rest, process: orders, duration: 60s }}");
    experiment(&two, guards)
        .replace("faults:", "  rest: { kind: ec2-instance, tags: { Service: orders }, pick: { count: 1 } }\nfaults:")
}

#[test]
fn two_groups_of_one_selector_harm_no_more_than_one_may() {
    let text = two_groups(STOP).replace("max_blast_radius: 100%", "max_blast_radius: 30%");

    let reasons = refused(&Stage::new(), &text);

    assert!(reasons.contains("2 of 4 targets of"), "{reasons}");
    assert!(reasons.contains("max_blast_radius 30% allows 1"), "{reasons}");
}

#[test]
fn what_is_left_is_left_after_everything_that_the_plan_harms() {
    let reasons = refused(&Stage::new(), &two_groups(&format!("{STOP}\n  min_healthy: {{ count: 3 }}")));

    assert!(reasons.contains("left with 2 targets known to be healthy (4 less 2 hit"), "{reasons}");
}

#[test]
fn who_loses_the_race_for_a_target_has_changed_nothing_and_is_refused() {
    use drill_phases::ports::Holding;
    let stage = Stage::new();
    let (world, home) = (stage.sim.world.named("another"), stage.sim.world.home());
    let whole = stage.orders.iter().map(|id| home.instance(id)).collect();
    // After Prepare has looked who holds what, and before Inject takes it.
    stage.sim.world.spawn(async move {
        let run = "run".parse().expect("a run id");
        while world.record(&run).is_none_or(|run| run.status == Status::Preparing) {
            world.sleep(std::time::Duration::from_millis(1)).await;
        }
        world.held_by(&"other".parse().expect("a run id"), &Holding { whole, shares: [].into() });
    });

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "refused", "{:#?}", journey.run);
    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Refused"));
    assert!(format!("{:?}", journey.run.ending).contains("is held by run other"), "{:#?}", journey.run.ending);
    assert_eq!(stage.rows(&journey), []);
    assert_eq!(stage.sim.world.violations(), Vec::<String>::new());
}

#[test]
fn too_few_left_healthy_is_refused() {
    let stage = Stage::new();
    for id in &stage.orders[1..] {
        stage.sim.hosts.set_healthy(id, Some(false));
    }
    stage.sim.pass(SEEN);

    let reasons = refused(&stage, &experiment(SLOW, &format!("{STOP}\n  min_healthy: {{ count: 2 }}")));

    assert!(reasons.contains("min_healthy asks for 2"), "{reasons}");
}

#[test]
fn who_is_down_already_is_no_part_of_what_may_be_hit() {
    let stage = Stage::new();
    for id in &stage.orders[1..] {
        stage.sim.hosts.set_healthy(id, Some(false));
    }
    stage.sim.pass(SEEN);

    let text = experiment(SLOW, STOP).replace("max_blast_radius: 100%", "max_blast_radius: 40%");
    let reasons = refused(&stage, &text);

    assert!(reasons.contains("that are not known to be healthy) would be hit"), "{reasons}");
    assert!(reasons.contains("max_blast_radius 40% allows 0"), "{reasons}");
}

#[test]
fn nobody_who_did_not_opt_in_is_harmed() {
    let stage = Stage::new();
    for id in &stage.orders {
        stage.sim.hosts.set_tag(id, "StormdrillReady", None);
    }
    stage.sim.pass(SEEN);

    assert!(refused(&stage, &experiment(SLOW, STOP)).contains("did not opt in"));
}

#[test]
fn a_protected_host_is_not_harmed_though_it_opted_in() {
    let stage = Stage::new();
    for id in &stage.orders {
        stage.sim.hosts.set_tag(id, "StormdrillProtected", Some("true"));
    }
    stage.sim.pass(SEEN);

    assert!(refused(&stage, &experiment(SLOW, STOP)).contains("is protected"));
}

#[test]
fn a_host_that_cannot_do_the_fault_is_refused_with_the_reason() {
    let stage = Stage::with(&HostSpec::new().without(Capability::Netem));

    let reasons = refused(&stage, &experiment(SLOW, STOP));

    assert!(reasons.contains("its kernel has no netem"), "{reasons}");
}

#[test]
fn somebody_elses_queue_is_not_replaced() {
    let stage = Stage::with(&HostSpec::new().foreign_queue());

    assert!(refused(&stage, &experiment(SLOW, STOP)).contains("root qdisc"));
}

#[test]
fn an_alarm_that_could_not_stop_the_run_forbids_it() {
    for (state, said) in [
        (Some(AlarmState::InAlarm), "is in alarm already"),
        (Some(AlarmState::InsufficientData), "insufficient data"),
        (None, "does not exist"),
    ] {
        let stage = Stage::new();
        if let Some(state) = state {
            stage.sim.world.set_alarm(&"budget".parse().unwrap(), state);
        }

        let reasons = refused(&stage, &experiment(SLOW, "  stop_when: [{ alarm: budget }]"));

        assert!(reasons.contains(said), "{reasons}");
    }
}

#[test]
fn a_system_that_is_not_steady_is_not_broken_further() {
    let reasons = refused(&Stage::new(), &experiment(SLOW, STOP).replace("at_most: 200", "at_most: 20"));

    assert!(reasons.contains("not in its steady state"), "{reasons}");
}

#[test]
fn a_metric_that_does_not_exist_forbids_a_start() {
    let reasons = refused(&Stage::new(), &experiment(SLOW, STOP).replace("metric: Latency", "metric: Latenzy"));

    assert!(reasons.contains("has no value before anything is broken"), "{reasons}");
}

#[test]
fn a_selector_that_matches_nobody_is_refused() {
    let reasons = refused(&Stage::new(), &experiment(SLOW, STOP).replace("Service: orders }", "Service: ordres }"));

    assert!(reasons.contains("no target matches the selector of `orders`"), "{reasons}");
}

#[test]
fn a_wrong_start_is_refused_with_the_right_one() {
    for input in
        [json!({}), json!("x"), json!({ "experiment": "nothing-is-called-so" }), json!({ "experiment": { "id": 1 } })]
    {
        let stage = Stage::new();

        let journey = stage.start("run", input.clone());

        assert_eq!(journey.verdict(), "refused", "{input}");
        untouched(&stage);
    }
}

#[test]
fn an_environment_that_is_not_the_experiments_is_refused() {
    let stage = Stage::new();

    let input = json!({ "experiment": document(&experiment(SLOW, STOP)), "environment": "production" });
    let journey = stage.start("run", input);

    assert_eq!(journey.verdict(), "refused");
    untouched(&stage);
}

#[test]
fn a_dry_run_plans_everything_and_changes_nothing() {
    let stage = Stage::new();

    let input = json!({ "experiment": document(&experiment(SLOW, STOP)), "environment": "staging", "dry_run": true });
    let journey = stage.start("run", input);

    assert_eq!(journey.verdict(), "planned");
    assert!(journey.run.plan.is_some());
    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Planned"));
    untouched(&stage);
}

#[test]
fn an_announcement_that_nobody_hears_forbids_the_run() {
    let stage = Stage::new();
    for nth in 1..=3 {
        let at = drill_world::At::Nth(drill_world::Method::Publish, nth);
        stage.sim.world.disturb(drill_world::Disturbance { at, kind: drill_world::Kind::Refused });
    }

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "refused");
    untouched(&stage);
}

#[test]
fn a_tag_that_is_removed_after_prepare_looked_forbids_the_injection() {
    // What Prepare reads may lie a second behind; Inject looks again.
    let stage = Stage::new();
    for id in &stage.orders {
        stage.sim.hosts.set_tag(id, "StormdrillReady", None);
    }

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "refused");
    assert_eq!(stage.sim.world.coverage()[&drill_world::Method::HarmHosts], 0);
    assert_eq!(stage.objections(), Vec::<String>::new());
}
