//! `process-kill`: a signal to every process of a name, once.
//!
//! Landed: every process that had the name is gone. Undone by: the supervisor that starts it again.

use drill_words::dependency::Dependencies;
use drill_words::ids::ProcessName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters};
use crate::{Ends, Surface};

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

impl HostFault for ProcessKill {
    const ENDS: Ends = Ends::ByItself;

    fn parameters(&self, _: &Dependencies) -> Parameters {
        let signal = match self.signal {
            Signal::Kill => "KILL",
            Signal::Term => "TERM",
            Signal::Int => "INT",
            Signal::Hup => "HUP",
            Signal::Quit => "QUIT",
        };
        parameters([("Process", self.process.to_string()), ("Signal", signal.to_owned())])
    }

    fn surface(&self) -> Surface {
        Surface::Process(self.process.to_string())
    }
}
