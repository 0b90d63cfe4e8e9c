//! What a person sees of a run: where it is, since when, each probe against its tolerance, what would stop it.

use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use drill_local::Controls;
use drill_model::ids::RunId;
use drill_model::ledger::State;
use drill_model::observation::{Reading, Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::{Ending, Run};
use drill_model::verdict::{Holds, Verdict};
use drill_phases::ports::{Clock, Ledger, Runs};
use drill_world::World;

use crate::clock;
use crate::paint::paint;

/// Between two looks at the records.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Tells what happens, as the records say it, until all of it is over and told.
pub(super) async fn narrate(world: World, run: RunId, controls: Rc<Controls>, over: Rc<Cell<bool>>) {
    // Its reads are not a phase's: they carry a name of their own.
    let world = world.named("narrator");
    let began = world.now();
    let mut told = Told::default();
    loop {
        let last = over.get();
        let seconds = world.now().duration_since(began).as_secs();
        told.state(&controls.state(), seconds);
        if told.plan.is_none()
            && let Ok(plan) = world.plan(&run).await
        {
            told.plan(plan, seconds);
        }
        if let Ok(samples) = world.samples(&run).await {
            told.samples(&samples, seconds);
        }
        if let Ok(rows) = world.rows(&run).await {
            told.rows(&rows, seconds);
        }
        if last {
            return;
        }
        clock::pause(BETWEEN_LOOKS).await;
    }
}

#[derive(Default)]
struct Told {
    state: String,
    plan: Option<Plan>,
    rows: Vec<(String, &'static str)>,
    samples: usize,
}

impl Told {
    fn state(&mut self, state: &str, seconds: i64) {
        // The turns of a loop are told by their samples.
        let quiet =
            ["Decide", "Hold", "Observe", "Settle", "Validated", "Prepared", "Injected", "Recovered", "RolledBack"];
        if state != self.state && !state.is_empty() {
            if !quiet.contains(&state) || (state == "Observe" && !quiet.contains(&self.state.as_str())) {
                say(seconds, &paint(&state.to_lowercase(), "1"));
            }
            state.clone_into(&mut self.state);
        }
    }

    fn plan(&mut self, plan: Plan, seconds: i64) {
        for change in &plan.scope.changes {
            let targets: Vec<String> = plan.scope.targets_of(change).iter().map(ToString::to_string).collect();
            let of = plan.scope.targets.get(&change.on).map_or(0, |targets| targets.population.len());
            let (from, lasts) = (change.slot.from, change.slot.lasts);
            say(
                seconds,
                &format!(
                    "plan: {} on {} of {of} {}, after {from}, for {lasts}: {}",
                    change.fault,
                    targets.len(),
                    change.on,
                    targets.join(" ")
                ),
            );
        }
        let conditions = plan.scope.experiment.guards.stop_when.conditions();
        let stops: Vec<String> = conditions.iter().map(ToString::to_string).collect();
        let stops = if stops.is_empty() { "nothing but Ctrl-C".to_owned() } else { stops.join("; ") };
        say(seconds, &format!("stops early on: {stops}"));
        self.plan = Some(plan);
    }

    fn rows(&mut self, rows: &[drill_model::ledger::Row], seconds: i64) {
        for row in rows {
            let (key, word) = (format!("{} on {}", row.fault, row.target), row.state.word());
            if self.rows.iter().any(|told| *told == (key.clone(), word)) {
                continue;
            }
            let (text, colour) = match &row.state {
                State::Intended => (format!("{key}: intent recorded"), "33"),
                State::Landed { .. } => (format!("{key}: landed"), "31"),
                State::NeverMade { why } => (format!("{key}: not done ({why})"), "33"),
                State::Undone { how, .. } => (format!("{key}: gone ({how:?})"), "32"),
                State::Abandoned { by, why } => (format!("{key}: abandoned by {by} ({why})"), "31"),
            };
            say(seconds, &paint(&text, colour));
            self.rows.push((key, word));
        }
    }

    fn samples(&mut self, samples: &[Sample], seconds: i64) {
        for sample in samples.iter().skip(self.samples) {
            let line = match &self.plan {
                Some(plan) => readings(sample, plan),
                None => bare(sample),
            };
            say(seconds, &format!("{} {line}", stage(sample.stage)));
        }
        self.samples = self.samples.max(samples.len());
    }
}

const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Baseline => "baseline ",
        Stage::Fault => "observing",
        Stage::Recovery => "recovery ",
    }
}

fn readings(sample: &Sample, plan: &Plan) -> String {
    let mut line = String::new();
    for probe in &plan.scope.experiment.steady_state {
        let (text, colour) = match sample.reading(&probe.name) {
            Reading::Known(value) if probe.tolerance.admits(value.get()) => (format!("{:.1} ok", value.get()), "32"),
            Reading::Known(value) => (format!("{:.1} OUT", value.get()), "31"),
            Reading::MoreThan(value) => (format!("more than {:.1}", value.get()), "33"),
            Reading::Unknown(_) => ("unknown".to_owned(), "33"),
        };
        write!(line, "  {} {} ({})", probe.name, paint(&text, colour), probe.tolerance)
            .expect("writing to a String succeeds");
    }
    line
}

fn bare(sample: &Sample) -> String {
    sample.readings.iter().fold(String::new(), |mut line, reading| {
        let value = reading.reading.number().map_or_else(|| "unknown".to_owned(), |value| format!("{value:.1}"));
        write!(line, "  {} {value}", reading.probe).expect("writing to a String succeeds");
        line
    })
}

fn say(seconds: i64, text: &str) {
    println!("{:02}:{:02}  {text}", seconds / 60, seconds % 60);
}

/// Says how it ended, and where the report is.
pub(super) fn conclude(run: &Run, reports: &Path) {
    let Some(judgement) = &run.judgement else {
        println!("no verdict was reached");
        return;
    };
    println!();
    for finding in &judgement.findings {
        let (mark, colour) = match finding.holds {
            Holds::Yes => ("yes    ", "32"),
            Holds::No => ("no     ", "31"),
            Holds::Unknown => ("unknown", "33"),
        };
        println!("  {}  {}: {}", paint(mark, colour), finding.about, finding.seen);
    }
    if let Some(Ending::Breached { condition, .. }) = &run.ending {
        println!("  stopped by: {condition}");
    }
    let colour = match judgement.verdict {
        Verdict::Supported | Verdict::Planned => "1;32",
        Verdict::Refuted | Verdict::Stuck => "1;31",
        Verdict::Inconclusive | Verdict::Invalid | Verdict::Aborted | Verdict::Refused => "1;33",
    };
    println!("\nverdict: {}; recovered: {}", paint(&judgement.verdict.to_string(), colour), judgement.recovery);
    println!("report:  {}", reports.join(run.id.as_str()).join("report.html").display());
}
