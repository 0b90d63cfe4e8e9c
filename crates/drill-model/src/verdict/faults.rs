//! What the ledger says of the faults: what is left behind, what landed where, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use drill_evidence::interval::ENOUGH;

use super::times::{Had, Times};
use super::words::{capped, counted, length, names};
use super::{Finding, Holds};
use crate::ids::FaultName;
use crate::ledger::{Row, State};
use crate::plan::{Plan, PlannedChange, Scope};
use crate::run::{Ending, Run, Status};
use crate::target::TargetId;

/// What may still be there: empty when nothing is. A row of another run counts: somebody is to look at it.
pub(super) fn residue(run: &Run, ledger: &[Row]) -> Vec<Finding> {
    let faults: BTreeSet<&FaultName> = ledger.iter().map(|row| &row.fault).collect();
    let mut findings = Vec::new();
    for fault in faults {
        let of_fault = || ledger.iter().filter(|row| row.fault == *fault);
        let open: Vec<&TargetId> = of_fault().filter(|row| row.state.is_open()).map(|row| &row.target).collect();
        if !open.is_empty() {
            let seen = format!("nothing shows that it is gone from {}", names(&open));
            findings.push(Finding::unknown(format!("residue of {fault}"), seen));
        }
        let mut abandoned: BTreeMap<(&str, &str), Vec<&TargetId>> = BTreeMap::new();
        for row in of_fault() {
            if let State::Abandoned { by, why } = &row.state {
                abandoned.entry((by, why)).or_default().push(&row.target);
            }
        }
        for ((by, why), targets) in abandoned {
            let seen = format!("nothing shows that it is gone from {}; {by} took that on: {why}", names(&targets));
            findings.push(Finding::unknown(format!("residue of {fault}"), capped(&seen)));
        }
    }
    if findings.is_empty() && run.status == Status::Stuck {
        findings.push(Finding::unknown("residue", "the tries to clean up are used up; the ledger shows no open row"));
    }
    findings
}

/// The plan, if it is the one that this run was bound to.
pub(super) fn agreed<'a>(run: &Run, plan: Option<&'a Plan>) -> Result<&'a Plan, Finding> {
    let unknown = |seen: String| Err(Finding::unknown("plan", seen));
    let Some(plan) = plan else { return unknown("there is no plan to judge this run by".to_owned()) };
    if plan.scope.run_id != run.id {
        return unknown(format!("the plan is that of run {}", plan.scope.run_id));
    }
    match &run.plan {
        Some(digest) if *digest != plan.scope.digest() => {
            unknown(format!("the plan's digest is {} and the run is bound to {digest}", plan.scope.digest()))
        }
        Some(_) | None => Ok(plan),
    }
}

fn planned(scope: &Scope) -> BTreeSet<(&FaultName, &TargetId)> {
    scope
        .changes
        .iter()
        .flat_map(|change| scope.targets_of(change).iter().map(move |target| (&change.fault, target)))
        .collect()
}

/// Where the planned changes landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landed {
    Everywhere,
    Somewhere,
    Nowhere,
}

/// Where the planned changes landed, and a finding for each fault; after them one for what was not planned.
pub(super) fn landings(run: &Run, scope: &Scope, ledger: &[Row], times: &Times) -> (Landed, Vec<Finding>) {
    let (mut everywhere, mut somewhere) = (!scope.changes.is_empty(), false);
    let mut findings = Vec::new();
    if scope.changes.is_empty() {
        findings.push(Finding::unknown("faults", "the plan has none: nothing was broken"));
    }
    let mut written: BTreeMap<(&FaultName, &TargetId), Vec<&Row>> = BTreeMap::new();
    for row in ledger.iter().filter(|row| row.run_id == run.id) {
        written.entry((&row.fault, &row.target)).or_default().push(row);
    }
    for change in &scope.changes {
        let targets = scope.targets_of(change);
        let rows = |target| written.get(&(&change.fault, target)).into_iter().flatten().copied();
        let missing: Vec<&TargetId> =
            targets.iter().filter(|target| rows(*target).all(|row| row.state.landed().is_none())).collect();
        let landed = targets.len() - missing.len();
        let mut seen = format!("landed on {landed} of {}", counted(targets.len(), "target"));
        if !missing.is_empty() {
            seen.push_str(&format!("; not seen on {}", names(&missing)));
            let why = missing.iter().flat_map(|target| rows(*target)).find_map(|row| match &row.state {
                State::NeverMade { why } => Some(format!(" ({}: {why})", row.target)),
                State::Intended | State::Landed { .. } | State::Undone { .. } | State::Abandoned { .. } => None,
            });
            seen.push_str(&capped(&why.unwrap_or_default()));
        }
        let there = missing.is_empty() && !targets.is_empty();
        everywhere &= there;
        somewhere |= landed > 0;
        let whole = there && exposed(run, change, times, &mut seen);
        let unmet: Vec<&TargetId> = targets.iter().filter(|target| rows(*target).any(met_nothing)).collect();
        if !unmet.is_empty() {
            seen.push_str(&format!("; nothing met it on {}", names(&unmet)));
        }
        let holds = if whole && unmet.is_empty() { Holds::Yes } else { Holds::Unknown };
        findings.push(Finding::new(holds, change.fault.as_str(), seen));
    }
    let planned = planned(scope);
    let strange: Vec<String> = ledger
        .iter()
        .filter(|row| row.run_id != run.id || !planned.contains(&(&row.fault, &row.target)))
        .map(|row| format!("{} on {}", row.fault, row.target))
        .collect();
    if !strange.is_empty() {
        let seen = format!("the ledger has changes that the plan has not: {}", names(&strange));
        findings.push(Finding::unknown("ledger", seen));
    }
    let landed = match (everywhere, somewhere) {
        (true, _) => Landed::Everywhere,
        (false, true) => Landed::Somewhere,
        (false, false) => Landed::Nowhere,
    };
    (landed, findings)
}

/// Whether a fault was on all of its targets for enough of its time; says so where it was not. A run that was stopped has its
/// faults put back early, and says so itself.
fn exposed(run: &Run, change: &PlannedChange, times: &Times, seen: &mut String) -> bool {
    let Some(cover) = times.fault(&change.fault).map(Had::cover) else { return false };
    if cover.covered < cover.of {
        let (had, asked) = (length(cover.covered), length(cover.of));
        seen.push_str(&format!("; for {had} of {asked} all of them certainly had it"));
    }
    let enough = cover.is_enough() || run.ending != Some(Ending::Completed);
    if !enough {
        seen.push_str(&format!(", and {ENOUGH} % are needed"));
    }
    enough
}

/// True where the target's own counters say that the change met nothing till its end.
fn met_nothing(row: &Row) -> bool {
    matches!(&row.state, State::Undone { told, .. } if told.met == Some(false))
}
