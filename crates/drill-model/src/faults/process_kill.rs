//! `process-kill`: a signal to every process of a name, once.
//!
//! Landed: every process that had the name is gone. Undone by: the supervisor that starts it again.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::{DependencyName, ProcessName};

/// A process of this name dies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessKill {
    /// The exact name of the process.
    pub process: ProcessName,
    /// The signal: `kill` cannot be caught, the others ask.
    #[serde(default)]
    pub signal: Signal,
}

/// A signal that ends a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the signal of the same name")]
pub enum Signal {
    #[default]
    Kill,
    Term,
    Int,
    Hup,
    Quit,
}

impl Harm for ProcessKill {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        let signal = match self.signal {
            Signal::Kill => "KILL",
            Signal::Term => "TERM",
            Signal::Int => "INT",
            Signal::Hup => "HUP",
            Signal::Quit => "QUIT",
        };
        order(Document::ProcessKill, [("Process", self.process.to_string()), ("Signal", signal.to_owned())])
    }

    fn reversal(&self) -> Reversal {
        Reversal::Converges
    }

    fn needs(&self) -> &'static [Capability] {
        &[]
    }

    fn surface(&self) -> Surface {
        Surface::Process(self.process.to_string())
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        Vec::new()
    }
}
