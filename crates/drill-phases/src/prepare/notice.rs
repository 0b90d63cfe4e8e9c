//! What people are told before anything is broken.

use std::fmt::Write as _;

use drill_model::plan::Plan;
use drill_model::run::Run;

/// Says what is about to happen, to whom, until when, and how to stop it.
pub(super) fn ready(plan: &Plan, run: &Run) -> String {
    let mut text = planned(plan);
    let id = &run.id;
    write!(
        text,
        "Asked for by {}. To stop it, stop the execution {}: what is broken is put back.\nRun {id}.",
        run.requested_by, run.execution
    )
    .expect("writing to a String succeeds");
    text
}

/// Says what the plan is.
pub(super) fn planned(plan: &Plan) -> String {
    let scope = &plan.scope;
    let mut text = format!("{} ({}) in {}.\n", scope.experiment.title, scope.experiment.id, scope.environment);
    for change in &scope.changes {
        let targets = scope.targets_of(change);
        let population = scope.targets.get(&change.on).map_or(0, |targets| targets.population.len());
        let shown = targets.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if targets.len() > 5 { format!(" and {} more", targets.len() - 5) } else { String::new() };
        writeln!(
            text,
            "{} after {}, for {}, on {} of {population} {}: {shown}{more}.",
            change.fault,
            change.slot.from,
            change.slot.lasts,
            targets.len(),
            change.on
        )
        .expect("writing to a String succeeds");
    }
    for baseline in &plan.baseline {
        if let Some(power) = &baseline.power {
            writeln!(text, "{}: {power}.", baseline.probe).expect("writing to a String succeeds");
        }
    }
    writeln!(
        text,
        "Everything is put back by {} after it begins, at the latest. Plan {}.",
        scope.worst_case,
        scope.digest()
    )
    .expect("writing to a String succeeds");
    text
}
