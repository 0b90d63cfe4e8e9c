//! What the ledger says of the faults: what is left behind, what landed where, and when something was broken.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::words::{capped, counted, millis_between, names};
use super::{Finding, Holds};
use crate::faults::Ends;
use crate::ids::FaultName;
use crate::ledger::{Row, State};
use crate::plan::{Plan, Scope};
use crate::quantity::Span;
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

fn rows_of<'a>(run: &'a Run, scope: &'a Scope, ledger: &'a [Row]) -> impl Iterator<Item = &'a Row> {
    let planned = planned(scope);
    ledger.iter().filter(move |row| row.run_id == run.id && planned.contains(&(&row.fault, &row.target)))
}

/// Whether every planned change landed, and a finding for each fault; after them one for what was not planned.
pub(super) fn landings(run: &Run, scope: &Scope, ledger: &[Row]) -> (bool, Vec<Finding>) {
    let mut everywhere = !scope.changes.is_empty();
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
        // A run that was stopped has its faults put back early, and says so itself.
        let whole = run.ending == Some(Ending::Completed);
        let early: Vec<String> =
            targets.iter().flat_map(rows).filter(|_| whole).filter_map(|row| early(scope, row)).collect();
        if !early.is_empty() {
            seen.push_str(&format!("; gone before its time: {}", names(&early)));
        }
        let holds = if there && early.is_empty() { Holds::Yes } else { Holds::Unknown };
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
    (everywhere, findings)
}

/// How much too early a fault that lasts was seen to be gone; less than one sampling interval is not told.
fn early(scope: &Scope, row: &Row) -> Option<String> {
    let gone = row.gone_at()?;
    let change = scope.changes.iter().find(|change| change.fault == row.fault)?;
    let due =
        row.state.landed().map_or(row.ends_at, |landed| row.ends_at.min(landed + Duration::from(change.slot.lasts)));
    let early = millis_between(gone, due);
    (early > scope.pacing.every.as_millis()).then(|| format!("{} {} before its end", row.target, Span::millis(early)))
}

impl Row {
    /// When a fault that has to be removed was seen to be gone.
    fn gone_at(&self) -> Option<Timestamp> {
        match (self.change.ends(), &self.state) {
            (Ends::PutBack, State::Undone { .. }) => Some(self.since),
            (Ends::ByItself | Ends::Never, State::Undone { .. })
            | (_, State::Intended | State::Landed { .. } | State::NeverMade { .. } | State::Abandoned { .. }) => None,
        }
    }

    /// The instant from which the recovery of a change that is over counts.
    fn over_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Undone { landed, .. } => self.gone_at().or(*landed).or(Some(self.since)),
            State::Intended | State::Landed { .. } | State::NeverMade { .. } | State::Abandoned { .. } => None,
        }
    }
}

/// When something was broken, and from when it counts as over.
pub(super) struct Times {
    /// From the first landing to the end of the last fault.
    pub(super) window: Option<Window>,
    /// From when the recovery counts: the last fault that had to be removed was gone, the last that happens once landed.
    pub(super) over: Option<Timestamp>,
}

/// From the first landing to the end of the last fault, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Window {
    pub(super) fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

impl Times {
    pub(super) fn of(run: &Run, scope: &Scope, ledger: &[Row]) -> Self {
        let mut window: Option<Window> = None;
        let mut over: Option<Timestamp> = None;
        for row in rows_of(run, scope, ledger) {
            over = over.max(row.over_at());
            let Some(from) = row.state.landed() else { continue };
            // After its planned end a fault may be gone by its own dead man: only until then it is known to be there.
            let to = row.gone_at().map_or(row.ends_at, |gone| gone.min(row.ends_at));
            window = Some(
                window.map_or(Window { from, to }, |known| Window { from: known.from.min(from), to: known.to.max(to) }),
            );
        }
        Self { window, over }
    }
}
