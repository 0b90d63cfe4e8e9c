//! What faults are done to. A kind of target says what is seen of one, and what can be asked of it.

use std::collections::BTreeMap;

use drill_words::target::TargetId;
use serde::{Deserialize, Serialize};

use crate::fault::Call;
use crate::grant::Grant;
use crate::{Harm, Heal, Kind, Seen};

/// An instance that is hit when something that it is a part of is harmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub id: TargetId,
    /// Whether it is known to be healthy.
    pub healthy: bool,
    /// Whether its tags keep every harm away.
    pub protected: bool,
}

/// One kind of target. Implemented once for each, in the file of its service.
pub trait Target: Sized {
    /// Which kind.
    const KIND: Kind;
    /// What harms it, as data. Only Inject has a port that takes these.
    type Harm: Call + Into<Harm>;
    /// What heals it, as data. A fault's undo can return nothing else.
    type Heal: Call + Into<Heal>;

    /// What the id of one looks like, in words.
    const ID_RULE: &'static str;
    /// What its faults need of IAM, for everybody who has to do with them.
    const GRANTS: &'static [Grant];

    /// Whether this can be the id of one.
    fn is_id(text: &str) -> bool;

    /// This kind, of what was seen.
    fn of(seen: &Seen) -> Option<&Self>;

    /// Its tags: opting in and protection are tags.
    fn tags(&self) -> &BTreeMap<String, String>;

    /// Why it cannot be picked now; `None` when it is whole: running, available.
    fn ailing(&self) -> Option<String>;

    /// It does not exist any more, or is about to.
    fn is_gone(&self) -> bool;

    /// Whether it is known to be healthy.
    fn is_healthy(&self) -> bool;

    /// The resources that it is a part of, by ARN: harming one of those harms it.
    fn part_of(&self) -> Vec<TargetId> {
        Vec::new()
    }

    /// The instances that are hit when this is harmed, itself aside.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}

/// The table of kinds: what the ports are asked, and what they answer, over all services.
macro_rules! targets {
    ($($kind:ident = $service:ident::$seen:ident, $word:literal, $arn:literal, $resource:literal;)*) => {
        /// A kind of target.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[expect(missing_docs, reason = "each variant is the target of the same name, documented in its file")]
        pub enum Kind {
            $(#[serde(rename = $word)] $kind,)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The word for it in an experiment.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }

            /// Whether this can be the id of a target of this kind.
            pub fn is_id(self, text: &str) -> bool {
                match self {
                    $(Self::$kind => <$service::$seen as Target>::is_id(text),)*
                }
            }

            /// What the id of such a target looks like, in words.
            pub const fn id_rule(self) -> &'static str {
                match self {
                    $(Self::$kind => <$service::$seen as Target>::ID_RULE,)*
                }
            }

            /// What faults on such targets need of IAM.
            pub const fn grants(self) -> &'static [grant::Grant] {
                match self {
                    $(Self::$kind => <$service::$seen as Target>::GRANTS,)*
                }
            }

            /// The kind that an ARN names, if we know it.
            pub fn of(id: &drill_words::target::TargetId) -> Option<Self> {
                $(if id.service() == $arn && id.resource().starts_with($resource) {
                    return Some(Self::$kind);
                })*
                None
            }

            /// How the name of such a resource begins in an ARN, behind the account: `instance/`.
            pub const fn resource(self) -> &'static str {
                match self {
                    $(Self::$kind => $resource,)*
                }
            }
        }

        impl std::fmt::Display for Kind {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.word())
            }
        }

        /// What is seen of a target.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the target of the same name, documented in its file")]
        pub enum Sight {
            $($kind($service::$seen),)*
        }

        /// A target and what is seen of it.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Seen {
            /// Which.
            pub id: drill_words::target::TargetId,
            /// What is seen of it.
            pub sight: Sight,
        }

        impl Seen {
            /// Its tags.
            pub fn tags(&self) -> &std::collections::BTreeMap<String, String> {
                match &self.sight {
                    $(Sight::$kind(on) => Target::tags(on),)*
                }
            }

            /// Why it cannot be picked now.
            pub fn ailing(&self) -> Option<String> {
                match &self.sight {
                    $(Sight::$kind(on) => Target::ailing(on),)*
                }
            }

            /// It does not exist any more, or is about to.
            pub fn is_gone(&self) -> bool {
                match &self.sight {
                    $(Sight::$kind(on) => Target::is_gone(on),)*
                }
            }

            /// Whether it is known to be healthy.
            pub fn is_healthy(&self) -> bool {
                match &self.sight {
                    $(Sight::$kind(on) => Target::is_healthy(on),)*
                }
            }

            /// The resources that it is a part of.
            pub fn part_of(&self) -> Vec<drill_words::target::TargetId> {
                match &self.sight {
                    $(Sight::$kind(on) => Target::part_of(on),)*
                }
            }

            /// The instances that are hit with it.
            pub fn parts(&self) -> Vec<target::Part> {
                match &self.sight {
                    $(Sight::$kind(on) => Target::parts(on),)*
                }
            }
        }

        /// A call that harms, over all services.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each variant is the target of the same name, documented in its file")]
        pub enum Harm {
            $($kind($service::Harm),)*
        }

        /// A call that heals, over all services.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each variant is the target of the same name, documented in its file")]
        pub enum Heal {
            $($kind($service::Heal),)*
        }

        impl Call for Harm {
            fn api(&self) -> &'static str {
                match self {
                    $(Self::$kind(call) => call.api(),)*
                }
            }

            fn most(&self) -> usize {
                match self {
                    $(Self::$kind(call) => call.most(),)*
                }
            }
        }

        impl Call for Heal {
            fn api(&self) -> &'static str {
                match self {
                    $(Self::$kind(call) => call.api(),)*
                }
            }

            fn most(&self) -> usize {
                match self {
                    $(Self::$kind(call) => call.most(),)*
                }
            }
        }

        $(
            impl From<$service::Harm> for Harm {
                fn from(call: $service::Harm) -> Self {
                    Self::$kind(call)
                }
            }

            impl From<$service::Heal> for Heal {
                fn from(call: $service::Heal) -> Self {
                    Self::$kind(call)
                }
            }

            impl $service::$seen {
                pub(crate) fn in_seen(seen: &Seen) -> Option<&Self> {


                    match &seen.sight {
                        Sight::$kind(on) => Some(on),
                        _ => None,
                    }
                }
            }
        )*
    };
}
pub(crate) use targets;
