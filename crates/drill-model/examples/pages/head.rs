//! What the head of a fault's file says of it, by its labels. A label that is missing is an error.

use std::collections::BTreeMap;
use std::path::Path;

use drill_model::faults::{Ends, FaultKind};

const LABELS: [&str; 4] = ["Landed", "Undone by", "By hand", "Without us"];

/// The head of a fault's file.
pub struct Head {
    /// What happens.
    pub what: String,
    parts: BTreeMap<&'static str, String>,
}

impl Head {
    /// Reads the head of the one file whose first line names this fault.
    pub fn of(kind: FaultKind, root: &Path) -> Result<Self, String> {
        let opening = format!("//! `{}`: ", kind.word());
        let mut found = Vec::new();
        for folder in ["host", "ec2", "vpc"].map(|name| root.join("crates/drill-faults/src").join(name)) {
            let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            for entry in entries {
                let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
                // Beside it lies its script, and the folder of what scripts share.
                if path.extension().is_none_or(|kind| kind != "rs") {
                    continue;
                }
                let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                if text.starts_with(&opening) {
                    found.push((path, text));
                }
            }
        }
        let [(path, text)] = found.as_slice() else {
            return Err(format!("{} files begin with {opening:?}; a fault has one", found.len()));
        };
        let by_calls = !FaultKind::ON_HOSTS.contains(&kind) && kind.ends() == Ends::PutBack;
        Self::read(text, opening.len(), by_calls).map_err(|missing| format!("the head of {} {missing}", path.display()))
    }

    /// Reads a head; a fault that calls put back must say how a person does it, and what does it without us.
    fn read(text: &str, skip: usize, by_calls: bool) -> Result<Self, String> {
        let lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let joined = lines.map(|line| if line.is_empty() { "\n" } else { line }).collect::<Vec<_>>().join(" ");
        let what = joined.split('\n').next().unwrap_or_default().trim();
        let what = what.get(skip - "//! ".len()..).unwrap_or_default().trim_end_matches('.').to_owned();
        let body = joined.split_once('\n').map_or("", |(_, body)| body).replace('\n', " ");
        let mut places: Vec<(usize, &'static str)> =
            LABELS.iter().filter_map(|label| Some((body.find(&format!("{label}: "))?, *label))).collect();
        places.sort_unstable();
        let mut parts = BTreeMap::new();
        for (index, (at, label)) in places.iter().enumerate() {
            let end = places.get(index + 1).map_or(body.len(), |(next, _)| *next);
            let part = body[at + label.len() + 1..end].split_whitespace().collect::<Vec<_>>().join(" ");
            parts.insert(*label, part);
        }
        let wanted = if by_calls { LABELS.as_slice() } else { &LABELS[..2] };
        match wanted.iter().find(|label| parts.get(*label).is_none_or(String::is_empty)) {
            Some(missing) => Err(format!("lacks `{missing}:`")),
            None if what.is_empty() => Err("does not say what happens".to_owned()),
            None => Ok(Self { what, parts }),
        }
    }

    /// What stands behind a label, as a sentence; nothing when it is not there.
    pub fn part(&self, label: &str) -> String {
        let text = self.parts.get(label).map_or("", String::as_str);
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// How it ends, in a phrase for a table.
    pub fn undone(&self) -> &str {
        let text = self.parts.get("Undone by").map_or("", String::as_str);
        text.split(". ").next().unwrap_or_default().trim_end_matches('.')
    }
}
