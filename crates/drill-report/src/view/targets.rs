//! Who matched and who was picked. A long list is cut and counted; the whole one is in the JSON.

use drill_model::report::Report;

/// So many targets are listed.
const LISTED: usize = 50;

/// One of the experiment's groups of targets.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) population: usize,
    pub(crate) selected: usize,
    pub(crate) listed: String,
    /// How many more were picked than are listed.
    pub(crate) more: usize,
}

pub(crate) fn of(report: &Report) -> Vec<Group> {
    let Some(plan) = &report.plan else { return Vec::new() };
    let group = |(name, targets): (&drill_model::ids::TargetName, &drill_model::plan::Targets)| {
        let listed: Vec<&str> = targets.selected.iter().take(LISTED).map(drill_model::target::TargetId::name).collect();
        Group {
            name: name.to_string(),
            population: targets.population.len(),
            selected: targets.selected.len(),
            more: targets.selected.len() - listed.len(),
            listed: listed.join(", "),
        }
    };
    plan.scope.targets.iter().map(group).collect()
}
