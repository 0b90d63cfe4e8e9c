//! The oracle: it sees everything, and says what broke a rule and what is left behind.
//!
//! It looks at the hosts themselves and at the ledger, never at what documents or services answered.
//! Violations are noted as they happen; leftovers are asked for at the end.

mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::Change;
use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::ids::{InstanceId, RunId};
use drill_model::ledger::{Row, State as RowState};
use drill_model::run::{Event, Run, Status, next};
use drill_model::target::TargetId;
use drill_phases::ports::HostCommand;
use jiff::Timestamp;

use self::truth::Truth;
use crate::hosts::{Alive, Order, Sight};
use crate::world::World;

/// How far clocks of hosts may differ, and how long a call may be under way.
const TOLERANCE: Duration = Duration::from_secs(60);

/// The calls that do a harm which lasts until somebody ends it. Written here again: who judges does not ask the judged.
const NEEDS_AN_UNDO: [&str; 2] = ["ec2:StopInstances", "ec2:ReplaceNetworkAclAssociation"];

/// What the oracle knows and has found.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    grace: Grace,
    violations: Vec<String>,
    /// Instances that ran when a run stopped them, and that did not run since.
    stopped: BTreeSet<InstanceId>,
    truth: Truth,
}

/// How long after its deadline a fault may still be seen, before that is a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// On a host, where the dead man needs nobody.
    pub host: Duration,
    /// On an instance, where somebody has to call an API.
    pub instance: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { host: TOLERANCE, instance: Duration::from_secs(600) }
    }
}

/// By this tag an instance opts in; its value is the environment. Written here again: who judges does not ask the judged.
pub(crate) const OPT_IN_TAG: &str = "StormdrillReady";
/// This tag keeps every harm away, unless it is `false`.
pub(crate) const PROTECTION_TAG: &str = "StormdrillProtected";

/// Whether the tags of a target keep every harm away, whatever the environment.
pub(crate) fn fenced(tags: &BTreeMap<String, String>) -> bool {
    let protected = tags.get(PROTECTION_TAG).is_some_and(|value| value != "false");
    protected || !tags.contains_key(OPT_IN_TAG)
}

impl World {
    /// Everything that broke a rule so far.
    pub fn violations(&self) -> Vec<String> {
        self.state().oracle.violations.clone()
    }

    /// Everything that a run has changed and that is not as it was, and everything that is still held or set.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> = self.plane().alive().iter().map(alive_text).collect();
        left.extend(self.still_stopped().iter().map(|id| format!("{id} was stopped and does not run")));
        left.extend(self.subnets_left());
        let state = self.state();
        let open = state.ledger.all().filter(|row| row.state.is_open());
        left.extend(open.map(|row| format!("the ledger row of {} is {}", row_text(row), row.state.word())));
        left.extend(state.leases.all().map(|(target, run)| format!("{target} is leased to run {run}")));
        left.extend(state.undos.armed().map(|undo| format!("the scheduled undo {} is armed", undo.name)));
        left.extend(state.clocks.set().iter().map(|(run, at)| format!("the clock of run {run} is set for {at}")));
        left
    }

    /// How long after its deadline a fault may still be seen.
    pub fn grace(&self, grace: Grace) {
        self.state().oracle.grace = grace;
    }

    pub(crate) fn violation(&self, what: String) {
        let now = self.time().now();
        let caller = self.actor_name();
        self.state().oracle.violations.push(format!("{now} {caller}: {what}"));
    }

    /// Something changed on a host or an instance.
    pub(crate) fn see(&self, sight: &Sight) {
        let now = self.time().now();
        self.state().metrics.hosts_changed();
        match sight {
            Sight::Landed(fault) => {
                self.state().oracle.truth.landed(fault, now);
                self.judge_landing(fault, now);
            }
            Sight::Ended(fault) => self.state().oracle.truth.ended(fault, now),
            Sight::Instance(instance) => {
                let mut state = self.state();
                state.sightings.note(now, instance);
                if !matches!(instance.state, InstanceState::Stopping | InstanceState::Stopped) {
                    state.oracle.stopped.remove(&instance.id);
                }
            }
        }
    }

    /// Time passes from one instant to another, and nothing has changed since the first.
    pub(crate) fn passes(&self, from: Timestamp, to: Timestamp) {
        self.note_view(from);
        let due: Vec<Row> = {
            let state = self.state();
            let grace = state.oracle.grace;
            let due = |row: &&Row| (from..to).contains(&limit(row, grace));
            state.ledger.all().filter(due).cloned().collect()
        };
        for row in due.iter().filter(|row| self.is_alive(row)) {
            self.violation(format!("{} is there after its deadline of {} and grace", row_text(row), row.deadline));
        }
    }

    /// R1 and the fence, for an order to hosts.
    pub(crate) fn judge_order(&self, command: &HostCommand) {
        let order = Order { document: command.document, parameters: command.parameters.clone() };
        let Some(unit) = order.unit() else {
            self.violation(format!("an order by {} names no unit", command.document.name()));
            return;
        };
        let mut runs = BTreeSet::new();
        let (instances, home) = (self.instances_by_id(), self.home());
        for id in &command.targets {
            let target = &home.instance(id);
            let row = self.state().ledger.of_unit(&unit, target).cloned();
            // An order of somebody who was overtaken may come after the row is closed: then the host's tombstone refuses
            // it, and a landing all the same is a violation of its own.
            match row {
                Some(row) => {
                    self.judge_fence(&row.run_id, target, &instances);
                    runs.insert(row.run_id);
                }
                None => self.violation(format!(
                    "{} on {target} is ordered without an intent for unit {unit}",
                    command.document.name()
                )),
            }
        }
        self.judge_clock(&runs);
    }

    /// No clock, no injection: whatever dies, the alarm clock of the run wakes somebody.
    pub(crate) fn judge_clock(&self, runs: &BTreeSet<RunId>) {
        for run in runs {
            if !self.state().clocks.was_set(run) {
                self.violation(format!("run {run} changes something and has set no alarm clock"));
            }
        }
    }

    /// What a run holds is given back when its rows are closed, not before.
    pub(crate) fn judge_giving_back(&self, run: &RunId, what: &str, of: impl Fn(&Row) -> bool) {
        let open = {
            let state = self.state();
            state.ledger.all().find(|row| row.run_id == *run && row.state.is_open() && of(row)).cloned()
        };
        if let Some(row) = open {
            self.violation(format!("run {run} gives back {what}, and {} is {}", row_text(&row), row.state.word()));
        }
    }

    /// Something that a run has leased.
    fn holds(&self, run: &RunId) -> Option<TargetId> {
        self.state().leases.of_run(run).cloned()
    }

    /// A record moves by events, is armed once, keeps its first ending, and is over when nothing is leased to it.
    pub(crate) fn judge_record(&self, before: &Run, after: &Run) {
        let by_an_event = |event: &&Event| next(before.status, **event) == Ok(after.status);
        if before.status != after.status && !Event::ALL.iter().any(|event| by_an_event(&event)) {
            self.violation(format!("run {} went from {:?} to {:?}", after.id, before.status, after.status));
        }
        if before.armed.is_some() && before.armed != after.armed {
            self.violation(format!("run {} was armed again, for another deadline", after.id));
        }
        if before.ending.is_some() && before.ending != after.ending {
            self.violation(format!("run {} has lost the reason why it ended", after.id));
        }
        if is_over(after)
            && let Some(target) = self.holds(&after.id)
        {
            self.violation(format!("run {} is over and still holds {target}", after.id));
        }
    }

    /// R1, R17 and the fence, for a call that harms.
    pub(crate) fn judge_harm(&self, api: &'static str, on: &BTreeSet<TargetId>) {
        let now = self.time().now();
        let instances = self.instances_by_id();
        let mut runs = BTreeSet::new();
        for target in on {
            let meant = |row: &&Row| row.change.calls().contains(&api) && row.state.is_open();
            let row = self.state().ledger.of_target(target).find(meant).cloned();
            let Some(row) = row else {
                self.violation(format!("{api} of {target} without an open intent"));
                continue;
            };
            self.judge_fence(&row.run_id, target, &instances);
            if now > row.not_after + TOLERANCE {
                self.violation(format!("{} is done after its last moment {}", row_text(&row), row.not_after));
            }
            let schedule = format!("{}-{}", row.unit, target.digest());
            if NEEDS_AN_UNDO.contains(&api) && !self.state().undos.was_armed(&schedule) {
                self.violation(format!("{api} of {target}, and nothing would undo it if everything of ours were gone"));
            }
            runs.insert(row.run_id);
        }
        self.judge_clock(&runs);
    }

    /// R3: what was never touched is not healed.
    pub(crate) fn judge_heal(&self, api: &'static str, on: &BTreeSet<TargetId>) {
        for target in on {
            let meant = |row: &Row| row.change.on_resource().is_some_and(|fault| fault.actions().1.contains(&api));
            if !self.state().ledger.of_target(target).any(meant) {
                self.violation(format!("{api} of {target}, which no run meant to change"));
            }
        }
    }

    /// R3, for the revert document.
    pub(crate) fn judge_revert(&self, command: &HostCommand) {
        let order = Order { document: command.document, parameters: command.parameters.clone() };
        let home = self.home();
        for target in command.targets.iter().map(|id| home.instance(id)) {
            let touched = order.unit().is_some_and(|unit| self.state().ledger.of_unit(&unit, &target).is_some());
            if !touched {
                self.violation(format!("a revert on {target}, which no run meant to change"));
            }
        }
    }

    /// R6: a row is closed.
    pub(crate) fn judge_closing(&self, row: &Row) {
        let claims = matches!(row.state, RowState::Undone { .. } | RowState::NeverMade { .. });
        if claims && self.is_alive(row) {
            self.violation(format!("{} is closed as {} and is still there", row_text(row), row.state.word()));
        }
    }

    /// A run stopped these, and they ran.
    pub(crate) fn note_stopped(&self, ids: &BTreeSet<InstanceId>) {
        self.state().oracle.stopped.extend(ids.iter().cloned());
    }

    /// R1 and R8: a fault took hold on a host.
    fn judge_landing(&self, fault: &Alive, now: Timestamp) {
        let target = self.home().instance(&fault.instance);
        let row = self.state().ledger.of_unit(&fault.unit, &target).cloned();
        let Some(row) = row else {
            self.violation(format!("{} without an intent", alive_text(fault)));
            return;
        };
        if !row.state.is_open() {
            self.violation(format!("{} landed when its row was {}", row_text(&row), row.state.word()));
        }
        if now > row.not_after + TOLERANCE {
            self.violation(format!("{} landed after its last moment {}", row_text(&row), row.not_after));
        }
    }

    fn instances_by_id(&self) -> BTreeMap<TargetId, Instance> {
        let home = self.home();
        self.plane().instances().into_iter().map(|instance| (home.instance(&instance.id), instance)).collect()
    }

    fn judge_fence(&self, run: &RunId, target: &TargetId, instances: &BTreeMap<TargetId, Instance>) {
        let environment = self.state().store.run(run).and_then(|run| run.environment);
        let tags = instances.get(target).map(|instance| instance.tags.clone()).or_else(|| self.subnet_tags(target));
        let objection = match (tags, environment) {
            (Some(tags), Some(environment)) => {
                let opted_in = tags.get(OPT_IN_TAG).is_some_and(|value| value == environment.as_str());
                (fenced(&tags) || !opted_in).then(|| format!("{target} did not opt in for {environment}"))
            }
            (Some(_), None) => Some(format!("run {run} has no environment")),
            (None, _) => None,
        };
        if let Some(objection) = objection {
            self.violation(format!("run {run} harms a target that is fenced off: {objection}"));
        }
    }

    /// Whether what a row is about is there, seen from outside.
    fn is_alive(&self, row: &Row) -> bool {
        match &row.change {
            Change::Host(_) => {
                let instance = row.target.instance();
                let mut alive = self.plane().alive().into_iter();
                alive.any(|fault| fault.unit == row.unit && Some(&fault.instance) == instance.as_ref())
            }
            // What was stopped does not run; what was cut off lets less through. A reboot and a termination are over at once.
            Change::Resource { .. } => {
                row.target.instance().is_some_and(|id| self.still_stopped().contains(&id)) || self.is_cut(&row.target)
            }
        }
    }

    fn still_stopped(&self) -> Vec<InstanceId> {
        self.state().oracle.stopped.iter().cloned().collect()
    }
}

/// Whether nobody has anything to do any more for a run that was armed.
fn is_over(run: &Run) -> bool {
    matches!(run.status, Status::Clean | Status::Judged) || run.given_back_at.is_some()
}

fn limit(row: &Row, grace: Grace) -> Timestamp {
    match row.change {
        Change::Host(_) => row.deadline + grace.host,
        Change::Resource { .. } => row.deadline + grace.instance,
    }
}

fn row_text(row: &Row) -> String {
    format!("{} of run {} on {}", row.fault, row.run_id, row.target)
}

fn alive_text(fault: &Alive) -> String {
    format!("{} is alive on {} as unit {} since {}", fault.document.name(), fault.instance, fault.unit, fault.since)
}
