//! A fault on a resource, as its file answers it: what must be so before, what comes next, what comes next on the way back.
//!
//! They are the questions that a host's script answers too: `fault_check`, `fault_apply`, `fault_landed`, `fault_undo`,
//! `fault_gone`. `apply` and `undo` look before they act and call nobody, so that both can be repeated for ever: a call is
//! only ever the next step from what is seen. The driver makes the call, after the intent is written.

mod erased;

use drill_words::ids::{RunId, UnitId};
use drill_words::quantity::Span;
use drill_words::target::TargetId;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::erased::Erased;
use crate::Surface;
use crate::host::ErasedHost;
use crate::target::Target;

/// What comes next on the way to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<C> {
    /// This call, which does no harm yet: it makes what the undo needs to know.
    Stage(C),
    /// This call. Whatever ends the fault without us is armed before it.
    Do(C),
    /// Nothing but looking again; why, for people.
    Wait(&'static str),
    /// It was looked for: it is there, or it is gone.
    Done,
}

impl<C> Next<C> {
    fn map<D>(self, into: impl FnOnce(C) -> D) -> Next<D> {
        match self {
            Self::Stage(call) => Next::Stage(into(call)),
            Self::Do(call) => Next::Do(into(call)),
            Self::Wait(why) => Next::Wait(why),
            Self::Done => Next::Done,
        }
    }
}

/// How a fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// Somebody puts the target back.
    PutBack,
    /// The platform or a supervisor brings the target back, and that is watched.
    ByItself,
    /// Nothing brings this target back; a replacement may come.
    Never,
}

/// Why a fault must not be done to a target, in words.
pub type Objection = String;

/// What is wrong with a fault's parameters taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which parameter.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Problem {
    /// A problem with one parameter.
    pub fn new(field: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { field, message: message.into(), help: help.into() }
    }
}

/// A call to AWS, as data.
pub trait Call {
    /// The API call: `ec2:StopInstances`. It is the IAM action, too.
    fn api(&self) -> &'static str;

    /// How many targets one call takes at most.
    fn most(&self) -> usize;
}

/// One attempt to change one target, as its fault sees it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a, S> {
    /// The run.
    pub run: &'a RunId,
    /// The name that everything of this change carries.
    pub unit: &'a UnitId,
    /// The target.
    pub target: &'a TargetId,
    /// How the target was before.
    pub saved: &'a S,
    /// When the intent was written.
    pub intended_at: Timestamp,
    /// A harming call may have been made.
    pub tried: bool,
    /// A healing call was made since nobody could harm any more.
    pub healed: bool,
    /// Nobody can make the harming call any more: it was seen to have landed, or its time is over.
    pub settled: bool,
}

/// What ends a fault when everything of ours is gone: the lambdas, the tables, the state machine.
#[derive(Debug, Clone, PartialEq)]
pub enum ScheduledUndo {
    /// EventBridge Scheduler makes these calls itself, each with a schedule of its own.
    Calls {
        /// The calls. Each must be harmless when it comes late, or twice.
        calls: Vec<UniversalCall>,
        /// Whether they are repeated: an undo that a state can refuse for minutes.
        repeats: bool,
    },
    /// The target does it: a service's own time limit, a host's dead man.
    EndsByItself,
    /// Nothing does; why.
    Nothing(&'static str),
}

/// A call that EventBridge Scheduler can make by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct UniversalCall {
    /// The service, as the scheduler spells it: `ec2`.
    pub service: &'static str,
    /// The action, as the scheduler spells it: `startInstances`.
    pub action: &'static str,
    /// The IAM action: `ec2:StartInstances`.
    pub permission: &'static str,
    /// The parameters, as the scheduler spells them: `{"InstanceIds": […]}`.
    pub input: Value,
}

/// Calls that are only asked about: those that harm, and those that heal.
pub type Rehearsals<T> = (Vec<<T as Target>::Harm>, Vec<<T as Target>::Heal>);

/// A fault on one kind of resource.
pub trait ResourceFault {
    /// What it is done to.
    type On: Target;
    /// What must be known to put the target back; written with the intent, before the first call.
    type Saved: Serialize + DeserializeOwned;
    /// How it ends.
    const ENDS: Ends;
    /// Every call that it can make, and every call that can undo it: what its roles may do.
    const HARMS: &'static [&'static str];
    /// The calls that undo it.
    const HEALS: &'static [&'static str];
    /// How long its target may take to be whole again, once that was asked for.
    const BACK_WITHIN: Span = Span::seconds(120);

    /// What must be remembered of the target, or why this must not be done to it. Asked by Prepare, and by Inject again.
    fn save(&self, seen: &Self::On) -> Result<Self::Saved, Objection>;

    /// The next step toward the harm. `Done` means that the harm is there.
    fn apply(&self, attempt: &Attempt<'_, Self::Saved>, seen: &Self::On) -> Next<<Self::On as Target>::Harm>;

    /// The next step back. `Done` means that nothing of the harm is seen any more.
    fn undo(&self, attempt: &Attempt<'_, Self::Saved>, seen: &Self::On) -> Next<<Self::On as Target>::Heal>;

    /// What ends it when we are gone. Asked when everything is staged, before the call that harms.
    fn scheduled_undo(&self, attempt: &Attempt<'_, Self::Saved>, seen: &Self::On) -> ScheduledUndo;

    /// When the harm happened, where the target itself says so.
    fn happened_at(&self, _: &Attempt<'_, Self::Saved>, _: &Self::On) -> Option<Timestamp> {
        None
    }

    /// Whether the host has to be asked as well, to see whether it landed.
    fn asks_host(&self) -> bool {
        false
    }

    /// The calls of which a dry run shows whether they would be allowed.
    fn rehearses(&self, _: &Self::On) -> Rehearsals<Self::On> {
        (Vec::new(), Vec::new())
    }

    /// Which part of the target it takes for itself.
    fn surface(&self) -> Surface {
        Surface::Whole
    }

    /// What is wrong with the parameters taken together.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// A fault of the table, by the way in which it is done.
pub enum Way<'a> {
    /// By an order to a host.
    Host(&'a dyn ErasedHost),
    /// By calls to a service.
    Resource(&'a dyn Erased),
}

/// The table of faults: the word in an experiment, and the type.
macro_rules! faults {
    (host { $($host_word:literal => $host:ident;)* } resource { $($word:literal => $service:ident::$kind:ident;)* }) => {
        /// One fault, with its parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        #[expect(missing_docs, reason = "each variant is the fault of the same name, documented in its file")]
        pub enum Fault {
            $(#[serde(rename = $host_word)] $host(host::$host),)*
            $(#[serde(rename = $word)] $kind($service::$kind),)*
        }

        /// The name of a fault, without its parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[expect(missing_docs, reason = "each variant is the fault of the same name, documented in its file")]
        pub enum FaultKind {
            $(#[serde(rename = $host_word)] $host,)*
            $(#[serde(rename = $word)] $kind,)*
        }

        impl FaultKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$host,)* $(Self::$kind,)*];

            /// The kinds that are done by an order to a host.
            pub const ON_HOSTS: &[Self] = &[$(Self::$host,)*];

            /// The word for it in an experiment.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$host => $host_word,)*
                    $(Self::$kind => $word,)*
                }
            }

            /// Reads the parameters of a fault of this kind.
            pub fn read<'de, D: serde::Deserializer<'de>>(self, parameters: D) -> Result<Fault, D::Error> {
                match self {
                    $(Self::$host => host::$host::deserialize(parameters).map(Fault::$host),)*
                    $(Self::$kind => $service::$kind::deserialize(parameters).map(Fault::$kind),)*
                }
            }

            /// The schema of each kind's own parameters, in order.
            pub fn parameter_schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                vec![
                    $(($host_word, <host::$host as JsonSchema>::json_schema(generator)),)*
                    $(($word, <$service::$kind as JsonSchema>::json_schema(generator)),)*
                ]
            }

            /// The kind of target that it is done to.
            pub const fn on(self) -> Kind {
                match self {
                    $(Self::$host => Kind::Ec2Instance,)*
                    $(Self::$kind => <<$service::$kind as fault::ResourceFault>::On as Target>::KIND,)*
                }
            }

            /// How it ends.
            pub const fn ends(self) -> Ends {
                match self {
                    $(Self::$host => <host::$host as host::HostFault>::ENDS,)*
                    $(Self::$kind => <$service::$kind as fault::ResourceFault>::ENDS,)*
                }
            }

            /// What a host must be able to do before this is tried on it.
            pub const fn needs(self) -> &'static [Capability] {
                match self {
                    $(Self::$host => <host::$host as host::HostFault>::NEEDS,)*
                    $(Self::$kind => &[],)*
                }
            }

            /// What a host runs, with the head of its document; none where a service is called.
            pub const fn script(self) -> Option<&'static str> {
                match self {
                    $(Self::$host => Some(<host::$host as host::HostFault>::SCRIPT),)*
                    $(Self::$kind => None,)*
                }
            }

            /// The IAM actions of its harm and of its undo, beside those of orders to hosts.
            pub const fn actions(self) -> (&'static [&'static str], &'static [&'static str]) {
                match self {
                    $(Self::$host => (&[], &[]),)*
                    $(Self::$kind => (
                        <$service::$kind as fault::ResourceFault>::HARMS,
                        <$service::$kind as fault::ResourceFault>::HEALS,
                    ),)*
                }
            }
        }

        impl Fault {
            /// Which kind this is.
            pub const fn kind(&self) -> FaultKind {
                match self {
                    $(Self::$host(_) => FaultKind::$host,)*
                    $(Self::$kind(_) => FaultKind::$kind,)*
                }
            }

            /// The fault by the way in which it is done.
            pub fn way(&self) -> Way<'_> {
                match self {
                    $(Self::$host(fault) => Way::Host(fault),)*
                    $(Self::$kind(fault) => Way::Resource(fault),)*
                }
            }
        }
    };
}
pub(crate) use faults;
