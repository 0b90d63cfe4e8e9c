//! The verbs on simulated instances, and the states that they pass through.

use std::collections::BTreeSet;

use drill_model::faults::ec2::InstanceState;
use drill_model::ids::InstanceId;
use drill_phases::ports::Class;

use super::simulated::SimulatedHosts;
use super::{Power, Refusal};

impl SimulatedHosts {
    /// Uses a verb: on all of the instances, or on none, but for what EC2 does in part.
    pub(super) fn use_verb(&self, verb: Power, ids: &BTreeSet<InstanceId>) -> Result<(), Refusal> {
        match verb {
            Power::Stop => self.each_if(ids, |id| self.may_stop(id), |id| self.stop(id)),
            Power::Start => self.each_if(ids, |id| self.may_start(id), |id| self.start(id)),
            Power::Reboot => self.each_if(ids, |id| self.may_reboot(id), |id| self.reboot(id)),
            Power::Terminate => self.terminate_all(ids),
        }
    }

    fn each_if(
        &self,
        ids: &BTreeSet<InstanceId>,
        allowed: impl Fn(&InstanceId) -> Result<(), Refusal>,
        done: impl Fn(&InstanceId),
    ) -> Result<(), Refusal> {
        ids.iter().try_for_each(allowed)?;
        for id in ids {
            if verb_moves(self, id) {
                done(id);
            }
        }
        Ok(())
    }

    fn state_of(&self, id: &InstanceId) -> Option<InstanceState> {
        self.with(id, |machine| machine.instance.state)
    }

    fn may_stop(&self, id: &InstanceId) -> Result<(), Refusal> {
        match self.state_of(id) {
            Some(InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped) => {
                let spot = self.with(id, |machine| machine.instance.spot) == Some(true);
                if spot {
                    Err(refusal(Class::Refused, "UnsupportedOperation", id, "is a spot instance"))
                } else {
                    Ok(())
                }
            }
            state => Err(wrong_state(id, state)),
        }
    }

    fn may_start(&self, id: &InstanceId) -> Result<(), Refusal> {
        match self.state_of(id) {
            Some(InstanceState::Running | InstanceState::Pending) => Ok(()),
            Some(InstanceState::Stopped) => {
                let full = self.with(id, |machine| machine.quirks.no_capacity) == Some(true);
                let lacks = || refusal(Class::Transient, "InsufficientInstanceCapacity", id, "cannot be started now");
                if full { Err(lacks()) } else { Ok(()) }
            }
            state => Err(wrong_state(id, state)),
        }
    }

    fn may_reboot(&self, id: &InstanceId) -> Result<(), Refusal> {
        match self.state_of(id) {
            // A reboot of an instance that is gone is ignored.
            Some(InstanceState::Running | InstanceState::ShuttingDown | InstanceState::Terminated) => Ok(()),
            state => Err(wrong_state(id, state)),
        }
    }

    fn stop(&self, id: &InstanceId) {
        if self.state_of(id) != Some(InstanceState::Running) {
            return;
        }
        let stopping = self.inner.fleet.borrow().timing.stopping;
        let turn = self.goes(id, InstanceState::Stopping);
        let of = id.clone();
        self.later(stopping, move |hosts| hosts.arrives(&of, turn, InstanceState::Stopped));
        self.member_lost(id);
    }

    fn start(&self, id: &InstanceId) {
        if self.state_of(id) == Some(InstanceState::Stopped) {
            self.boots(id);
        }
    }

    /// From `pending` to `running`, and from there to passing its checks.
    pub(super) fn boots(&self, id: &InstanceId) {
        let boot = self.inner.fleet.borrow().timing.boot;
        let turn = self.goes(id, InstanceState::Pending);
        let of = id.clone();
        self.later(boot, move |hosts| hosts.arrives(&of, turn, InstanceState::Running));
    }

    fn reboot(&self, id: &InstanceId) {
        if self.state_of(id) != Some(InstanceState::Running) {
            return;
        }
        let reboot = self.inner.fleet.borrow().timing.reboot;
        let turn = self.goes(id, InstanceState::Running);
        let of = id.clone();
        self.later(reboot, move |hosts| hosts.arrives(&of, turn, InstanceState::Running));
    }

    fn terminate_all(&self, ids: &BTreeSet<InstanceId>) -> Result<(), Refusal> {
        let zone = |id: &InstanceId| self.with(id, |machine| machine.spec.zone.clone());
        let protected = |id: &&InstanceId| self.with(id, |machine| machine.spec.protected) == Some(true);
        // What is protected protects its whole zone, and the others are terminated all the same.
        let spared: BTreeSet<_> = ids.iter().filter(protected).filter_map(zone).collect();
        for id in ids {
            if zone(id).is_some_and(|zone| !spared.contains(&zone)) && verb_moves(self, id) {
                self.terminate(id);
            }
        }
        match ids.iter().find(protected) {
            Some(id) => Err(refusal(Class::Refused, "OperationNotPermitted", id, "may not be terminated")),
            None => Ok(()),
        }
    }

    pub(super) fn terminate(&self, id: &InstanceId) {
        if matches!(self.state_of(id), None | Some(InstanceState::ShuttingDown | InstanceState::Terminated)) {
            return;
        }
        let shutting_down = self.inner.fleet.borrow().timing.shutting_down;
        let turn = self.goes(id, InstanceState::ShuttingDown);
        let of = id.clone();
        self.later(shutting_down, move |hosts| hosts.arrives(&of, turn, InstanceState::Terminated));
        self.member_lost(id);
    }

    /// The host goes down, on its way to another state. Returns the turn, by which it is known to be still on that way.
    fn goes(&self, id: &InstanceId, state: InstanceState) -> u64 {
        let gone = self.with(id, |machine| {
            let ended = machine.goes_down();
            machine.instance.state = state;
            machine.instance.healthy = None;
            (ended, machine.turn)
        });
        let Some((ended, turn)) = gone else { return 0 };
        self.tell_ended(ended);
        self.tell_instance(id);
        turn
    }

    fn arrives(&self, id: &InstanceId, turn: u64, state: InstanceState) {
        let now = self.now();
        let arrived = self.with(id, |machine| {
            if machine.turn != turn {
                return false;
            }
            machine.instance.state = state;
            match state {
                InstanceState::Running => machine.comes_up(now),
                InstanceState::Terminated => machine.terminated_at = Some(now),
                InstanceState::Pending
                | InstanceState::Stopping
                | InstanceState::Stopped
                | InstanceState::ShuttingDown => {}
            }
            true
        });
        if arrived != Some(true) {
            return;
        }
        self.tell_instance(id);
        if state == InstanceState::Running {
            self.inner.bell.ring();
            let checks = self.inner.fleet.borrow().timing.checks;
            let of = id.clone();
            self.later(checks, move |hosts| {
                let passed = hosts.with(&of, |machine| {
                    let still = machine.turn == turn;
                    if still {
                        machine.instance.healthy = Some(true);
                    }
                    still
                });
                if passed == Some(true) {
                    hosts.tell_instance(&of);
                }
            });
        }
    }
}

fn verb_moves(hosts: &SimulatedHosts, id: &InstanceId) -> bool {
    hosts.with(id, |machine| machine.quirks.immovable) == Some(false)
}

fn wrong_state(id: &InstanceId, state: Option<InstanceState>) -> Refusal {
    match state {
        None => refusal(Class::Missing, "InvalidInstanceID.NotFound", id, "does not exist"),
        // On its way to a state in which this would be allowed.
        Some(state @ (InstanceState::Pending | InstanceState::Stopping)) => {
            refusal(Class::Transient, "IncorrectInstanceState", id, &format!("is {state:?}"))
        }
        Some(state) => refusal(Class::Refused, "IncorrectInstanceState", id, &format!("is {state:?}")),
    }
}

fn refusal(class: Class, code: &str, id: &InstanceId, what: &str) -> Refusal {
    Refusal { class, message: format!("{code}: {id} {what}") }
}
