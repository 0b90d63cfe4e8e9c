//! SSM Run Command: orders that arrive later, much later, or twice, and answers that are not known at once.
//!
//! The service accepts a command as a whole or not at all. What it says of a host is final; what happens there need not be.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use drill_model::faults::ec2::InstanceState;
use drill_model::host::Document;
use drill_model::ids::InstanceId;
use drill_phases::ports::{
    Answer, BATCH, Class, CommandId, HostAnswer, HostAnswers, HostCommand, HostHarm, HostHeal, HostProbe, PortError,
};
use jiff::Timestamp;

use crate::calls::Method;
use crate::faulty::Freshness;
use crate::hosts::{Agent, Heard, HostPlane, Order};
use crate::time::within;
use crate::world::{WeakWorld, World};

/// What the service keeps of the output of a command.
const OUTPUT: usize = 2_500;
/// An agent that cannot reach the service tries again after this time.
const TRIES_AGAIN: Duration = Duration::from_secs(1);
/// The longest comment.
const COMMENT: usize = 100;

/// The commands that were sent.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    sent: BTreeMap<CommandId, Command>,
}

#[derive(Debug)]
struct Command {
    sent_at: Timestamp,
    answers: BTreeMap<InstanceId, HostAnswer>,
}

impl World {
    /// Sends a command, if every one of its targets can be sent to.
    fn send(&self, method: Method, command: &HostCommand) -> Answer<CommandId> {
        let refused = |what: String| PortError::new(Class::Refused, method.api(), what);
        self.acceptable(command).map_err(refused)?;
        let may_run = may_run(command).map_err(refused)?;
        let sent_at = self.time().now();
        let id = {
            let mut state = self.state();
            let (one, two) = (state.random.next(), state.random.next());
            let id = CommandId(format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                one >> 32,
                one & 0xffff,
                (one >> 16) & 0xfff,
                two >> 52,
                two & 0xffff_ffff_ffff
            ));
            let answers = command.targets.iter().map(|target| (target.clone(), HostAnswer::Pending)).collect();
            state.commands.sent.insert(id.clone(), Command { sent_at, answers });
            id
        };
        let order = Order { document: command.document, parameters: command.parameters.clone() };
        for target in &command.targets {
            let delivery = Delivery {
                world: self.downgrade(),
                plane: self.plane_rc(),
                command: id.clone(),
                target: target.clone(),
                order: order.clone(),
                sent_at,
                may_run,
            };
            let timing = self.state().timing;
            if let Some(later) = timing.redelivery {
                self.spawn(delivery.clone().run(timing.delivery + later, timing.second_is_heard));
            }
            let heard = timing.redelivery.is_none() || !timing.second_is_heard;
            self.spawn(delivery.run(timing.delivery, heard));
        }
        Ok(id)
    }

    fn acceptable(&self, command: &HostCommand) -> Result<(), String> {
        if command.targets.is_empty() || command.targets.len() > BATCH {
            return Err(format!("ValidationException: {} instance ids", command.targets.len()));
        }
        if command.comment.len() > COMMENT {
            return Err(format!("ValidationException: a comment of {} characters", command.comment.len()));
        }
        let instances = self.plane().instances();
        let gone = |id: &InstanceId| {
            let state = instances.iter().find(|instance| instance.id == *id).map(|instance| instance.state);
            matches!(state, None | Some(InstanceState::ShuttingDown | InstanceState::Terminated))
        };
        match command.targets.iter().find(|id| gone(id) || self.plane().agent(id) == Agent::Unknown) {
            Some(id) => Err(format!("InvalidInstanceId: {id} is not in a valid state for this command")),
            None => Ok(()),
        }
    }

    fn allowed(method: Method, document: Document) -> Answer<()> {
        let of_the_role = match method {
            Method::HarmHosts => document.harms(),
            Method::Revert => document == Document::Revert,
            _ => document == Document::Probe,
        };
        if of_the_role {
            return Ok(());
        }
        let what = format!("AccessDeniedException: not authorized to send {}", document.name());
        Err(PortError::new(Class::Refused, method.api(), what))
    }

    fn note_answer(&self, command: &CommandId, target: &InstanceId, answer: HostAnswer) {
        let mut state = self.state();
        let kept = state.commands.sent.get_mut(command).and_then(|command| command.answers.get_mut(target));
        // What the service has said once of a host stays.
        if let Some(kept) = kept.filter(|kept| **kept == HostAnswer::Pending) {
            *kept = answer;
        }
    }
}

/// One order on its way to one host.
#[derive(Clone)]
struct Delivery {
    world: WeakWorld,
    plane: Rc<dyn HostPlane>,
    command: CommandId,
    target: InstanceId,
    order: Order,
    sent_at: Timestamp,
    may_run: Duration,
}

impl Delivery {
    /// Arrives after this time. What it did is what the service tells, if it is the copy that is `heard`.
    async fn run(self, takes: Duration, heard: bool) {
        let Some(world) = self.world.upgrade() else { return };
        let note = |answer| {
            if heard {
                world.note_answer(&self.command, &self.target, answer);
            }
        };
        let timing = world.state().timing;
        world.sleep_until(self.sent_at + takes).await;
        let times_out = self.sent_at + timing.delivery_timeout + self.may_run;
        if within(self.reachable(&world), world.sleep_until(times_out)).await.is_none() {
            note(undelivered());
            self.reachable(&world).await;
        }
        if timing.expiry.is_some_and(|expiry| world.time().now() > self.sent_at + expiry) {
            world.sleep_until(times_out).await;
            note(undelivered());
            return;
        }
        let killed = world.sleep(self.may_run);
        let ended = within(self.plane.run_document(&self.target, &self.order), killed).await;
        let answer = match ended {
            Some(Heard::Ended { stdout }) => read(&stdout),
            Some(Heard::Silence(why)) => HostAnswer::Silent(why),
            None => HostAnswer::Silent("ExecutionTimedOut".to_owned()),
        };
        // An agent that is cut off tells when it can.
        while world.is_cut_off(&self.target) {
            world.sleep(TRIES_AGAIN).await;
        }
        note(answer);
    }

    /// Ends when the host's agent is there, and can be reached.
    async fn reachable(&self, world: &World) {
        loop {
            self.plane.reachable(&self.target).await;
            if !world.is_cut_off(&self.target) {
                return;
            }
            world.sleep(TRIES_AGAIN).await;
        }
    }
}

fn undelivered() -> HostAnswer {
    HostAnswer::Silent("DeliveryTimedOut".to_owned())
}

/// How long the document may run; the service checks every parameter against the document before it takes a command.
fn may_run(command: &HostCommand) -> Result<Duration, String> {
    let name = command.document.name();
    let document = drill_documents::document(name).ok_or_else(|| format!("InvalidDocument: {name} does not exist"))?;
    document.environment(&command.parameters).map_err(|wrong| format!("InvalidParameters: {wrong}"))?;
    Ok(Duration::from_secs(document.timeout_seconds.into()))
}

fn read(stdout: &str) -> HostAnswer {
    HostAnswer::from_output(&stdout.chars().take(OUTPUT).collect::<String>())
}

impl HostHarm for World {
    async fn harm_hosts(&self, order: &HostCommand) -> Answer<CommandId> {
        self.call(Method::HarmHosts, async |_| {
            Self::allowed(Method::HarmHosts, order.document)?;
            self.judge_order(order);
            self.fence(Method::HarmHosts.api(), &order.targets)?;
            self.send(Method::HarmHosts, order)
        })
        .await
    }
}

impl HostHeal for World {
    async fn revert(&self, order: &HostCommand) -> Answer<CommandId> {
        self.call(Method::Revert, async |_| {
            Self::allowed(Method::Revert, order.document)?;
            self.judge_revert(order);
            self.send(Method::Revert, order)
        })
        .await
    }
}

impl HostProbe for World {
    async fn probe(&self, order: &HostCommand) -> Answer<CommandId> {
        self.call(Method::Probe, async |_| {
            Self::allowed(Method::Probe, order.document)?;
            self.send(Method::Probe, order)
        })
        .await
    }
}

impl HostAnswers for World {
    async fn answers(&self, command: &CommandId) -> Answer<Vec<(InstanceId, HostAnswer)>> {
        self.call(Method::Answers, async |freshness| {
            let now = self.time().now();
            let mut state = self.state();
            let lag = state.timing.answers;
            let Some(sent) = state.commands.sent.get(command) else {
                let what = format!("InvalidCommandId: there is no command {}", command.0);
                return Err(PortError::new(Class::Missing, Method::Answers.api(), what));
            };
            let known = freshness == Freshness::Usual && now >= sent.sent_at + lag;
            let answer = |answer: &HostAnswer| if known { answer.clone() } else { HostAnswer::Pending };
            let mut answers: Vec<_> = sent.answers.iter().map(|(id, said)| (id.clone(), answer(said))).collect();
            state.random.shuffle(&mut answers);
            Ok(answers)
        })
        .await
    }
}
