//! Failing on purpose: any call, by its number, can be refused, lose its reply, happen twice, or be somebody's last.
//!
//! A call has the effect that its failure says, and no other. The sweep plays a run once, counts its calls, and plays it
//! again with each call disturbed in each way; [`Hit::applied`] tells which of those made a difference.

use std::time::Duration;

use drill_phases::ports::{Answer, Class, PortError};
use jiff::Timestamp;

use crate::calls::Method;
use crate::world::World;

/// One thing that goes wrong, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disturbance {
    /// At which call.
    pub at: At,
    /// How.
    pub kind: Kind,
}

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The call of this number, from 1.
    Call(u64),
    /// The nth call of a method, from 1.
    Nth(Method, u64),
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is refused, and did nothing.
    Refused,
    /// It is throttled, and did nothing.
    Throttled,
    /// It happens, and the caller does not hear of it.
    LostReply,
    /// It happens twice, as when a client tries again after a reply that was lost; the second reply is heard.
    DeliveredTwice,
    /// It happens this much later, as seen by the caller and by the service.
    Slow(Duration),
    /// The caller dies before it.
    KilledBefore,
    /// The caller dies after it, without hearing.
    KilledAfter,
    /// The execution is stopped while the caller is about to make it; the caller lives on.
    Stop {
        /// Who goes on first.
        first: First,
        /// The event that tells of the stop is lost.
        event_lost: bool,
    },
    /// It reads what was true a while ago, where the service may do so.
    StaleRead,
}

/// Who goes on first after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The janitor, to its end; the caller waits until [`World::let_zombies_go`].
    Janitor,
    /// The caller, which does not know that it was stopped.
    Zombie,
}

/// A service that does not answer for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The beginning of the API calls that fail: `dynamodb:`, `ssm:SendCommand`; all when empty.
    pub api: &'static str,
    /// Only for the invocations of this name; for all when `None`.
    pub actor: Option<String>,
    /// From when on.
    pub from: Timestamp,
    /// Until before this.
    pub until: Timestamp,
    /// What is answered.
    pub class: Class,
}

/// A disturbance that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// At which call.
    pub number: u64,
    /// Of which method.
    pub method: Method,
    /// What was tried.
    pub kind: Kind,
    /// Whether it could make a difference: a stale read of a consistent store cannot.
    pub applied: bool,
}

/// What is still to go wrong, and what has.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    to_come: Vec<Disturbance>,
    outages: Vec<Outage>,
    pub(crate) hits: Vec<Hit>,
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// As fresh as the service usually is.
    Usual,
    /// As stale as the service may be.
    Stale,
}

/// An eventually consistent read may lie so far behind.
pub(crate) const STALENESS: Duration = Duration::from_secs(30);

impl Freshness {
    /// The usual lag of a read, or the longest that it may have.
    pub(crate) fn lag(self, usual: Duration) -> Duration {
        match self {
            Self::Usual => usual,
            Self::Stale => usual + STALENESS,
        }
    }
}

impl Trouble {
    fn take(&mut self, number: u64, method: Method, nth: u64) -> Option<Kind> {
        let due = |disturbance: &Disturbance| match disturbance.at {
            At::Call(at) => at == number,
            At::Nth(of, at) => of == method && at == nth,
        };
        let kind = self.to_come.remove(self.to_come.iter().position(due)?).kind;
        let applied = kind != Kind::StaleRead || may_be_stale(method);
        self.hits.push(Hit { number, method, kind, applied });
        Some(kind)
    }

    fn outage(&self, actor: &str, api: &str, now: Timestamp) -> Option<Class> {
        let hit = |outage: &&Outage| {
            api.starts_with(outage.api)
                && outage.actor.as_deref().is_none_or(|name| name == actor)
                && (outage.from..outage.until).contains(&now)
        };
        self.outages.iter().find(hit).map(|outage| outage.class)
    }
}

/// Which reads are eventually consistent at their service.
const fn may_be_stale(method: Method) -> bool {
    matches!(method, Method::Find | Method::See | Method::Group | Method::Answers | Method::Overdue | Method::Metrics)
}

impl World {
    /// Lets something go wrong.
    pub fn disturb(&self, disturbance: Disturbance) {
        self.state().trouble.to_come.push(disturbance);
    }

    /// Lets a service fail for some time.
    pub fn outage(&self, outage: Outage) {
        self.state().trouble.outages.push(outage);
    }

    /// What has gone wrong so far.
    pub fn disturbed(&self) -> Vec<Hit> {
        self.state().trouble.hits.clone()
    }

    /// Makes one call of a port: numbered, counted, and disturbed if it is its turn.
    pub(crate) async fn call<T>(&self, method: Method, effect: impl AsyncFn(Freshness) -> Answer<T>) -> Answer<T> {
        self.call_as(method, method.api(), effect).await
    }

    /// As [`Self::call`], for a method that can be one of several API calls.
    pub(crate) async fn call_as<T>(
        &self,
        method: Method,
        api: &'static str,
        effect: impl AsyncFn(Freshness) -> Answer<T>,
    ) -> Answer<T> {
        let now = self.time().now();
        let (kind, outage) = {
            let mut state = self.state();
            let (number, nth) = state.calls.note(self.actor_name(), method, api, now);
            let kind = state.trouble.take(number, method, nth);
            (kind, state.trouble.outage(&self.actor_name(), api, now))
        };
        let takes = self.state().timing.call;
        if !takes.is_zero() {
            self.sleep(takes).await;
        }
        let failed = |class, what: &str| Err(PortError::new(class, api, what));
        if let Some(class) = outage {
            return failed(class, "the service does not answer as it should");
        }
        match kind {
            None => effect(Freshness::Usual).await,
            Some(Kind::StaleRead) => effect(Freshness::Stale).await,
            Some(Kind::Refused) => failed(Class::Refused, "AccessDenied: not authorized to perform this action"),
            Some(Kind::Throttled) => failed(Class::Transient, "ThrottlingException: rate exceeded"),
            Some(Kind::LostReply) => {
                effect(Freshness::Usual).await?;
                let class = if method.writes() { Class::Ambiguous } else { Class::Transient };
                failed(class, "the reply was lost")
            }
            Some(Kind::DeliveredTwice) => {
                drop(effect(Freshness::Usual).await);
                effect(Freshness::Usual).await
            }
            Some(Kind::Slow(late)) => {
                self.sleep(late).await;
                effect(Freshness::Usual).await
            }
            Some(Kind::KilledBefore) => self.die().await,
            Some(Kind::KilledAfter) => {
                drop(effect(Freshness::Usual).await);
                self.die().await
            }
            Some(Kind::Stop { first, event_lost }) => {
                self.stop_execution(event_lost);
                if first == First::Janitor {
                    self.gate().wait().await;
                }
                effect(Freshness::Usual).await
            }
        }
    }
}
