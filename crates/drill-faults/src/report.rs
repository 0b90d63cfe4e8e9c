//! What a host is told and what it answers: our own SSM documents, their parameters, their one line of JSON.

use std::collections::BTreeMap;

use drill_words::ids::UnitId;
use serde::{Deserialize, Serialize};

use crate::FaultKind;
use crate::host::scripts;

/// One of our SSM documents. There is no way to name another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Document {
    /// The document of a fault on hosts, which has the fault's name.
    Fault(FaultKind),
    /// Puts a host back, and leaves a tombstone.
    Revert,
    /// Only looks.
    Probe,
}

impl Document {
    /// The name of the document, without a stack's prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault(kind) => kind.word(),
            Self::Revert => "revert",
            Self::Probe => "probe",
        }
    }

    /// Every document there is.
    pub fn all() -> impl Iterator<Item = Self> {
        FaultKind::ON_HOSTS.iter().copied().map(Self::Fault).chain([Self::Revert, Self::Probe])
    }

    /// What it runs, with its head.
    pub const fn script(self) -> &'static str {
        match self {
            Self::Fault(kind) => match kind.script() {
                Some(script) => script,
                // A fault on a resource has no document, and none is made of it.
                None => "",
            },
            Self::Revert => scripts::REVERT,
            Self::Probe => scripts::PROBE,
        }
    }

    /// True for the documents that can leave a host other than it was.
    pub const fn harms(self) -> bool {
        !matches!(self, Self::Revert | Self::Probe)
    }
}

impl TryFrom<String> for Document {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::all().find(|document| document.name() == name).ok_or_else(|| format!("there is no document `{name}`"))
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.name().to_owned()
    }
}

/// What a fault asks of a host: a document and the parameters that only it has.
///
/// The parameters that every fault shares (unit, run, times) are added when the order is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostOrder {
    /// The document.
    pub document: Document,
    /// Its own parameters, by name. Typed values printed as text, never text from an experiment.
    pub parameters: BTreeMap<String, String>,
}

/// Something that a host must be able to do before a fault is tried on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// The kernel can delay packets (`sch_netem` and `sch_prio`).
    Netem,
    /// `iptables` works.
    Iptables,
    /// `stress-ng` is installed.
    StressNg,
    /// `fallocate` or `dd` is there.
    Fallocate,
    /// The memory and CPU that a fault may use are bounded, where the host shares a machine.
    Bounds,
}

impl Capability {
    /// The word that the probe document uses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Netem => "netem",
            Self::Iptables => "iptables",
            Self::StressNg => "stress-ng",
            Self::Fallocate => "fallocate",
            Self::Bounds => "bounds",
        }
    }

    /// What is wrong with a host that cannot do it.
    pub const fn lacking(self) -> &'static str {
        match self {
            Self::Netem => "cannot delay packets: its kernel has no netem",
            Self::Iptables => "has no working iptables",
            Self::StressNg => "has no stress-ng",
            Self::Fallocate => "has neither fallocate nor dd",
            Self::Bounds => "shares a machine, and nothing bounds the memory and CPU that it may take from it",
        }
    }
}

/// How a document ended on a host, by its own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostOutcome {
    /// The fault is there, read back from the host.
    Landed,
    /// The same fault was there already: a repeated order.
    Already,
    /// Nothing was touched, for the reason given.
    Refused,
    /// The fault did not take, and what was begun has been put back.
    Failed,
    /// The fault was there, and is gone.
    Reverted,
    /// There was nothing to remove, and nothing is there.
    Absent,
    /// Something of the fault is still there.
    Residue,
    /// A probe's answer.
    Alive,
}

/// The one line of JSON that every document prints last.
///
/// Fields that a later document adds are ignored: an old phase can read a new host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostReport {
    /// The version of this line; 1.
    pub stormdrill: u32,
    /// Which change this is about; absent in a probe of the whole host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// How it ended.
    pub outcome: HostOutcome,
    /// A kebab-case word for programs: `no-netem`, `foreign-qdisc`, `too-late`, `tombstone`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A short sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The original state that the host saved before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<serde_json::Value>,
    /// What was read back to see the fault, or its absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<serde_json::Value>,
    /// Since when the fault was there, in seconds of the host's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// When it ends by itself, in seconds of the host's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// When it ended, in seconds of the host's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<i64>,
    /// Whether it is still there; absent where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// What met it so far, by its own counters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<serde_json::Value>,
    /// The host's clock, in seconds since 1970, wherever a time is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// When the host booted, in seconds since 1970; probe only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booted: Option<i64>,
    /// What the host can do; probe only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// The units that are alive there; probe only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Vec<UnitId>>,
    /// `default`, `foreign` or `ours`; probe only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_qdisc: Option<String>,
}

impl HostReport {
    /// Reads the last line of what a document printed.
    ///
    /// `None` when there is no such line: then nothing is known, and nothing may be assumed.
    pub fn from_output(stdout: &str) -> Option<Self> {
        let line = stdout.lines().rev().find(|line| !line.trim().is_empty())?;
        serde_json::from_str::<Self>(line.trim()).ok().filter(|report| report.stormdrill == 1)
    }

    /// Whether anything has met the fault, by its own counters. `None` where it counts no packets.
    pub fn met(&self) -> Option<bool> {
        self.counters.as_ref()?.get("packets")?.as_u64().map(|packets| packets > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_the_output_counts() {
        let report = HostReport::from_output("noise\n{\"stormdrill\":1,\"outcome\":\"landed\",\"new\":true}\n\n");

        assert_eq!(report.map(|report| report.outcome), Some(HostOutcome::Landed));
    }

    #[test]
    fn a_fault_that_counts_nothing_says_nothing_of_whom_it_met() {
        let met = |line: &str| HostReport::from_output(line).and_then(|report| report.met());

        assert_eq!(met(r#"{"stormdrill":1,"outcome":"alive"}"#), None);
        assert_eq!(met(r#"{"stormdrill":1,"outcome":"alive","counters":{"signal":9}}"#), None);
        assert_eq!(met(r#"{"stormdrill":1,"outcome":"alive","counters":{"packets":0,"bytes":0}}"#), Some(false));
        assert_eq!(met(r#"{"stormdrill":1,"outcome":"alive","counters":{"packets":7,"bytes":420}}"#), Some(true));
    }

    #[test]
    fn an_unreadable_answer_is_no_answer() {
        for output in
            ["", "done", "{\"stormdrill\":2,\"outcome\":\"landed\"}", "{\"stormdrill\":1,\"outcome\":\"great\"}"]
        {
            assert_eq!(HostReport::from_output(output), None, "{output}");
        }
    }
}
