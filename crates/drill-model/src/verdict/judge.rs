//! From a run and its records to a verdict: what is left behind first, then how it ended, then whether the faults were
//! there, and only then what was measured.

use super::{Finding, Holds, Judgement, RecoveryTime, Verdict};
use super::{criteria, ending, faults, recovery, steady};
use crate::ledger::Row;
use crate::observation::Sample;
use crate::plan::{Plan, Scope};
use crate::run::{Ending, Run, Status};
use crate::verdict::seen::Seen;

/// Judges a run by its records. The same records always give the same verdict, in whatever order they come.
///
/// What is monotone: a known reading that becomes unknown, or is not there, never makes a run `supported` that was not;
/// nor does a planned change whose row is taken away. (A whole sample that is taken away leaves no trace: what it showed
/// is lost, and the findings can only tell how long nobody looked.)
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
    let Measured { landed_everywhere, mut landings, mut findings, recovery } = Measured::of(run, plan, ledger, samples);
    if !landed_everywhere {
        // What was measured without the fault says nothing, and is not told.
        return Judgement { verdict: Verdict::Invalid, findings: weightiest_first(landings), recovery };
    }
    landings.append(&mut findings);
    Judgement { verdict: of(&landings), findings: weightiest_first(landings), recovery }
}

const fn without_measurement(verdict: Verdict, findings: Vec<Finding>) -> Judgement {
    Judgement { verdict, findings, recovery: RecoveryTime::Unknown }
}

/// What was measured of a run that broke something.
struct Measured {
    landed_everywhere: bool,
    landings: Vec<Finding>,
    findings: Vec<Finding>,
    recovery: RecoveryTime,
}

impl Measured {
    fn of(run: &Run, plan: &Plan, ledger: &[Row], samples: &[Sample]) -> Self {
        let Plan { scope, .. } = plan;
        let (landed_everywhere, landings) = faults::landings(run, scope, ledger);
        let times = faults::Times::of(run, scope, ledger);
        let seen = Seen::in_order(samples);
        let recovery = recovery::Recovery::of(plan, &times, &seen);
        let mut findings = nothing_to_measure(scope);
        if let Some(window) = &times.window {
            findings
                .extend(scope.experiment.steady_state.iter().map(|probe| steady::finding(scope, probe, window, &seen)));
        }
        findings.push(recovery.finding());
        findings.extend(criteria::findings(scope, &times, &recovery, &seen));
        Self { landed_everywhere, landings, findings, recovery: recovery.time() }
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
