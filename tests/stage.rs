//! A stage for journeys: a small fleet that behaves, the shipped machine and phases, a janitor, and a clock that jumps.

use std::sync::LazyLock;
use std::time::Duration;

use drill_local::{Controls, Execution, Started, clean_after, execute, keep_watch, machine, report_after};
use drill_machine::Machine;
use drill_model::faults::FaultKind;
use drill_model::host::Document;
use drill_model::ids::{InstanceId, RunId};
use drill_model::ledger::Row;
use drill_model::run::Run;
use drill_model::target::TargetId;
use drill_phases::ports::Ledger as _;
use drill_world::{Datum, HostSpec, HostsView, Metric, Simulation};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The shipped machine, read once for all journeys.
static MACHINE: LazyLock<Machine> = LazyLock::new(|| machine().expect("the shipped machine is read"));

/// Four order hosts and a database, that opted in for `staging`, and a model of what they measure.
pub struct Stage {
    /// The world and its hosts.
    pub sim: Simulation,
    /// The order hosts.
    pub orders: Vec<InstanceId>,
    /// The subnet of the first two order hosts, in a zone of its own; the others lie in another.
    pub subnet: TargetId,
}

/// How a journey ended.
#[derive(Debug)]
pub struct Journey {
    /// The machine's way.
    pub execution: Execution,
    /// The record of the run, at the very end.
    pub run: Run,
}

impl Journey {
    /// The verdict in the record, as its word.
    pub fn verdict(&self) -> String {
        self.run.judgement.as_ref().map_or_else(|| "none".to_owned(), |judgement| judgement.verdict.to_string())
    }

    /// The names of the states that the machine entered, repeated turns of a loop once.
    pub fn path(&self) -> Vec<&str> {
        let mut path: Vec<&str> = Vec::new();
        for state in &self.execution.ended.path {
            let turn = matches!(state.as_str(), "Hold" | "Settle")
                || path.ends_with(&["Observe", "Decide"]) && state == "Observe";
            let again = path.contains(&"Decide")
                && matches!(state.as_str(), "Observe" | "Decide")
                && path.last() == Some(&"Decide");
            if !turn && !again {
                path.push(state);
            }
        }
        path
    }
}

impl Stage {
    /// The stage, with every host like this one but for its tags.
    pub fn with(host: &HostSpec) -> Self {
        let sim = Simulation::new(7);
        let host = host.clone().ready("staging");
        let orders: Vec<InstanceId> = (0..4).map(|_| sim.hosts.add(&host.clone().tag("Service", "orders"))).collect();
        sim.hosts.add(&host.tag("Service", "database"));
        let tags = [("StormdrillReady", "staging"), ("Service", "orders")];
        let subnet = sim.world.add_subnet("eu-central-1a", &tags, &orders[..2]);
        sim.world.add_subnet("eu-central-1b", &tags, &orders[2..]);
        sim.world.model(measure);
        sim.world.spawn(keep_watch(sim.world.clone()));
        // What was measured before the journey begins.
        sim.pass(Duration::from_secs(120));
        Self { sim, orders, subnet }
    }

    /// The stage.
    pub fn new() -> Self {
        Self::with(&HostSpec::new())
    }

    /// Starts an experiment and plays it to its end, then lets the janitor do what is left, and time pass.
    pub fn play(&self, experiment: &str) -> Journey {
        self.play_with(experiment, &Controls::default())
    }

    /// The same, with every function called as the controls say.
    pub fn play_with(&self, experiment: &str, controls: &Controls) -> Journey {
        let input = json!({ "experiment": document(experiment), "environment": "staging", "requested_by": "ada" });
        self.start_with("run", input, controls)
    }

    /// Starts an execution with a name and an input, plays it to its end, and lets time pass.
    pub fn start(&self, name: &str, input: Value) -> Journey {
        self.start_with(name, input, &Controls::default())
    }

    /// The same, with every function called as the controls say.
    pub fn start_with(&self, name: &str, input: Value, controls: &Controls) -> Journey {
        let started = Started { run: RunId::try_from(name).expect("a run id"), input };
        let world = self.sim.world.clone();
        let played = self.sim.play(async {
            let execution = execute(&world, &MACHINE, &started, controls).await.expect("it starts");
            if !world.event_lost() {
                // What it could not clean, the sweep does.
                drop(clean_after(&world, &execution, 1).await);
            }
            world.let_zombies_go();
            execution
        });
        let execution = played.expect("the journey ends");
        // Long enough for every deadline, its grace, and a few sweeps.
        self.sim.pass(Duration::from_secs(1_800));
        let reported = self.sim.play(async {
            // As often as an event is delivered again.
            for _ in 0..3 {
                if report_after(&world, &started.run).await.is_ok() {
                    break;
                }
            }
        });
        reported.expect("the report ends");
        let run = world.record(&started.run).unwrap_or_else(|| panic!("no record of {name}"));
        Journey { execution, run }
    }

    /// The changes that a journey's run has written down.
    pub fn rows(&self, journey: &Journey) -> Vec<Row> {
        self.sim.play(self.sim.world.rows(&journey.run.id)).expect("it is read").expect("the store answers")
    }

    /// Everything that speaks against the promises, at the end of a journey: what is left, and what is told that is not so.
    pub fn objections(&self) -> Vec<String> {
        let mut all = self.sim.world.leftovers();
        all.extend(self.sim.world.violations());
        all.extend(self.sim.world.lies());
        all
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// A document as the JSON of a start.
pub fn document(yaml: &str) -> Value {
    let experiment = drill_model::read::experiment(yaml).unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_value(experiment).expect("an experiment is JSON")
}

/// What the service measures: 50 ms and no errors; later when packets are late, worse when hosts or the database are gone.
fn measure(view: &HostsView, at: Timestamp) -> Vec<Datum> {
    let serving = view.tagged("Service", "orders").filter(|host| host.runs("orders", at)).count();
    let late = view.tagged("Service", "orders").any(|host| host.has(Document::Fault(FaultKind::NetworkLatency)));
    let database = view.tagged("Service", "database").all(|host| host.runs("database", at));
    let availability = match (serving, database) {
        (0, _) | (_, false) => 0.0,
        (1..=3, true) => 99.5,
        (_, true) => 100.0,
    };
    let latency = if late { 150.0 } else { 50.0 };
    let datum = |name: &str, value: f64| Datum { metric: Metric::new("Orders", name), value };
    vec![datum("Availability", availability), datum("Latency", latency)]
}

/// An experiment on the stage: one fault on one of the four order hosts, with these guards.
pub fn experiment(fault: &str, guards: &str) -> String {
    let targets: String = [("orders", "orders"), ("database", "database")]
        .into_iter()
        .filter(|(name, _)| fault.contains(&format!("on: {name}")))
        .map(|(name, service)| {
            format!("  {name}: {{ kind: ec2-instance, tags: {{ Service: {service} }}, pick: {{ count: 1 }} }}\n")
        })
        .collect();
    let zone = if fault.contains("on: zone-a") {
        "  zone-a: { kind: subnet, zone: eu-central-1a, pick: { count: 1 } }\n"
    } else {
        ""
    };
    format!(
        "
id: journey
title: A journey
hypothesis: It holds.
environments: [staging]
targets:
{targets}{zone}faults:
{fault}
steady_state:
  - name: availability
    cloudwatch: {{ namespace: Orders, metric: Availability, statistic: Average, period: 5s }}
    tolerance: {{ at_least: 99.0 }}
  - name: latency
    cloudwatch: {{ namespace: Orders, metric: Latency, statistic: p99, period: 5s }}
    tolerance: {{ at_most: 200 }}
guards:
  max_blast_radius: 100%
{guards}
observe: {{ every: 5s }}
recovery: {{ within: 2m, check_every: 5s }}
success:
  - recovery_time_at_most: 60s
"
    )
}
