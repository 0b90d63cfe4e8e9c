//! From a run and its records to a verdict: what is left behind first, then how it ended, then whether the faults were
//! there, and only then what was measured.

use super::faults::Landed;
use super::seen::Seen;
use super::times::Times;
use super::{Finding, Holds, Judgement, RecoveryTime, Verdict};
use super::{criteria, ending, faults, recovery, steady};
use crate::ledger::Row;
use crate::observation::Sample;
use crate::plan::{Plan, Scope};
use crate::run::{Ending, Run, Status};

/// Judges a run by its records. The same records always give the same verdict, in whatever order they come.
///
/// What is monotone: a known reading that becomes unknown, or is not there, never makes a run `supported` that was not;
/// nor does a planned change whose row is taken away. (A whole sample that is taken away takes with it what it showed. The
/// time that it stood for is then unknown, and no run is supported of whose faults more than a tenth is.)
pub fn judge(run: &Run, plan: Option<&Plan>, ledger: &[Row], samples: &[Sample]) -> Judgement {
    let residue = faults::residue(run, ledger);
    if !residue.is_empty() {
        // A change that may still be there is never reported as anything else, whatever the status says.
        let findings = residue.into_iter().chain(ending::finding(run)).collect();
        return Judgement { verdict: Verdict::Stuck, findings, recovery: RecoveryTime::Unknown };
    }
    match run.status {
        Status::Refused => without_measurement(Verdict::Refused, ending::refusal(run)),
        Status::Planned => without_measurement(Verdict::Planned, vec![ending::dry_run()]),
        Status::Preparing
        | Status::AwaitingApproval
        | Status::Ready
        | Status::Injecting
        | Status::Observing
        | Status::Recovering
        | Status::RollingBack
        | Status::Stuck
        | Status::Clean
        | Status::Judged => judge_ended(run, plan, ledger, samples),
    }
}

fn judge_ended(run: &Run, plan: Option<&Plan>, ledger: &[Row], samples: &[Sample]) -> Judgement {
    let scope = faults::agreed(run, plan);
    if ledger.is_empty() && matches!(run.ending, Some(Ending::Refused { .. })) {
        // Inject found that it may not begin: another run has a target, or a guard says no.
        return without_measurement(Verdict::Refused, ending::refusal(run));
    }
    if let Some(stopped) = ending::finding(run) {
        let mut judgement = without_measurement(Verdict::Aborted, vec![stopped]);
        if let (Ok(plan), false) = (scope, ledger.is_empty()) {
            let mut measured = Measured::of(run, plan, ledger, samples);
            measured.landings.append(&mut measured.findings);
            judgement.findings.extend(weightiest_first(measured.landings));
            judgement.recovery = measured.recovery;
        }
        return judgement;
    }
    let plan = match scope {
        Ok(plan) => plan,
        Err(unknown) => return without_measurement(Verdict::Inconclusive, vec![unknown]),
    };
    let Measured { landed, mut landings, mut findings, recovery } = Measured::of(run, plan, ledger, samples);
    let breached = findings.iter().any(|finding| finding.holds == Holds::No);
    match landed {
        Landed::Everywhere => {}
        // A weaker fault than was planned has broken it: that much is known.
        Landed::Somewhere if breached => {}
        // What was measured without the fault says nothing, and is not told.
        Landed::Somewhere | Landed::Nowhere => {
            return Judgement { verdict: Verdict::Invalid, findings: weightiest_first(landings), recovery };
        }
    }
    landings.append(&mut findings);
    Judgement { verdict: of(&landings), findings: weightiest_first(landings), recovery }
}

const fn without_measurement(verdict: Verdict, findings: Vec<Finding>) -> Judgement {
    Judgement { verdict, findings, recovery: RecoveryTime::Unknown }
}

/// What was measured of a run that broke something.
struct Measured {
    landed: Landed,
    landings: Vec<Finding>,
    findings: Vec<Finding>,
    recovery: RecoveryTime,
}

impl Measured {
    fn of(run: &Run, plan: &Plan, ledger: &[Row], samples: &[Sample]) -> Self {
        let Plan { scope, .. } = plan;
        let times = Times::of(run, scope, ledger, samples);
        let (landed, landings) = faults::landings(run, scope, ledger, &times);
        let seen = Seen::in_order(samples);
        let recovery = recovery::Recovery::of(plan, &times, &seen);
        let mut findings = nothing_to_measure(scope);
        if !times.is_empty() {
            findings
                .extend(scope.experiment.steady_state.iter().map(|probe| steady::finding(scope, probe, &times, &seen)));
        }
        findings.push(recovery.finding());
        findings.extend(criteria::findings(scope, &times, &recovery, &seen));
        Self { landed, landings, findings, recovery: recovery.time() }
    }
}

fn nothing_to_measure(scope: &Scope) -> Vec<Finding> {
    if scope.experiment.steady_state.is_empty() {
        vec![Finding::unknown("steady state", "the experiment measures nothing")]
    } else {
        Vec::new()
    }
}

fn of(findings: &[Finding]) -> Verdict {
    let any = |holds| findings.iter().any(|finding| finding.holds == holds);
    if any(Holds::No) {
        Verdict::Refuted
    } else if any(Holds::Unknown) || findings.is_empty() {
        Verdict::Inconclusive
    } else {
        Verdict::Supported
    }
}

fn weightiest_first(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| match finding.holds {
        Holds::No => 0,
        Holds::Unknown => 1,
        Holds::Yes => 2,
    });
    findings
}
