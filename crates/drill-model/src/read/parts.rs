//! The parts of an experiment, each read alone, so that one mistake does not hide another.
//!
//! This pass only finds: the experiment itself is read in one piece, and that decides.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};

use super::finding::{Step, Wrong};
use super::tree::{Node, Value};
use super::typed::Reader;
use super::{Finding, Kind, MOST_TOLD};
use crate::experiment::{
    ApprovalRule, Criterion, Dependency, Experiment, Guards, MinHealthy, Notify, Observe, Probe, Recovery,
    StopCondition, StopWhen, TargetSpec,
};
use crate::faults::FaultSpec;
use crate::ids::{DependencyName, Environment, ExperimentId, TargetName};
use crate::quantity::Percent;
use crate::window::Window;

/// Everything that is wrong with the form of an experiment.
pub(super) fn findings(root: &Node) -> Vec<Finding> {
    let mut parts = Parts { findings: Vec::new() };
    parts.one::<ExperimentId>(root, "id");
    parts.one::<String>(root, "title");
    parts.one::<String>(root, "hypothesis");
    parts.each::<Environment>(root, "environments");
    parts.every_key::<TargetName>(root, "targets");
    parts.every_value::<TargetSpec>(root, "targets");
    parts.every_key::<DependencyName>(root, "dependencies");
    parts.every_value::<Dependency>(root, "dependencies");
    parts.faults(root);
    parts.each::<Probe>(root, "steady_state");
    parts.guards(root);
    parts.one::<Observe>(root, "observe");
    parts.one::<Recovery>(root, "recovery");
    parts.each::<Criterion>(root, "success");
    parts.one::<Notify>(root, "notify");
    parts.frame(root);
    parts.findings
}

/// The fields that every experiment has.
const REQUIRED: [&str; 8] =
    ["id", "title", "hypothesis", "environments", "targets", "faults", "steady_state", "guards"];

struct Parts {
    findings: Vec<Finding>,
}

impl Parts {
    fn one<T: DeserializeOwned>(&mut self, parent: &Node, name: &str) {
        if let Some(node) = parent.get(name) {
            self.take(node, &[Step::Field(name.to_owned())], |node| T::deserialize(Reader::new(node)));
        }
    }

    fn each<T: DeserializeOwned>(&mut self, parent: &Node, name: &str) {
        self.items(parent, name, |item| T::deserialize(Reader::new(item)));
    }

    /// A fault is read here as it stands in the text; elsewhere it comes without its places.
    fn faults(&mut self, root: &Node) {
        self.items(root, "faults", FaultSpec::from_node);
    }

    fn items<T>(&mut self, parent: &Node, name: &str, read: impl Fn(&Node) -> Result<T, Wrong>) {
        let Some(node) = parent.get(name) else { return };
        let field = Step::Field(name.to_owned());
        match &node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if self.findings.len() >= MOST_TOLD {
                        return;
                    }
                    self.take(item, &[field.clone(), Step::Item(index)], &read);
                }
            }
            Value::Map(_) | Value::Scalar(..) => {
                self.take(node, &[field], |node| Vec::<IgnoredAny>::deserialize(Reader::new(node)));
            }
        }
    }

    fn every_value<T: DeserializeOwned>(&mut self, parent: &Node, name: &str) {
        let Some(node) = parent.get(name) else { return };
        let field = Step::Field(name.to_owned());
        match &node.value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    if self.findings.len() >= MOST_TOLD {
                        return;
                    }
                    self.take(value, &[field.clone(), key.step()], |node| T::deserialize(Reader::new(node)));
                }
            }
            Value::List(_) | Value::Scalar(..) => {
                self.take(node, &[field], |node| BTreeMap::<String, IgnoredAny>::deserialize(Reader::new(node)));
            }
        }
    }

    fn every_key<T: TryFrom<String, Error: std::fmt::Display>>(&mut self, parent: &Node, name: &str) {
        let Some(Node { value: Value::Map(entries), .. }) = parent.get(name) else { return };
        for (key, _) in entries {
            if let Err(error) = T::try_from(key.text.clone()) {
                let steps = [Step::Field(name.to_owned()), key.step()];
                self.findings.extend(Wrong::custom(error).about(key).under_all(&steps).0);
            }
        }
    }

    fn guards(&mut self, root: &Node) {
        let Some(node) = root.get("guards") else { return };
        let mut parts = Self { findings: Vec::new() };
        if node.get("stop_when").is_some_and(|node| matches!(&node.value, Value::List(items) if !items.is_empty())) {
            parts.each::<StopCondition>(node, "stop_when");
        } else {
            parts.one::<StopWhen>(node, "stop_when");
        }
        parts.one::<MinHealthy>(node, "min_healthy");
        parts.one::<Percent>(node, "max_blast_radius");
        parts.each::<Window>(node, "windows");
        parts.one::<ApprovalRule>(node, "approval");
        self.findings.extend(Wrong(parts.findings).under_all(&[Step::Field("guards".to_owned())]).0);
        self.shell::<Guards>(node, &[Step::Field("guards".to_owned())]);
    }

    /// Reads a part again and again without what was wrong in it, so that every field has its say.
    fn take<T>(&mut self, node: &Node, steps: &[Step], read: impl Fn(&Node) -> Result<T, Wrong>) {
        let mut rest = node.clone();
        let mut whole = true;
        while let Err(wrong) = read(&rest) {
            let mut fields: Vec<String> = wrong.0.iter().filter_map(Finding::outermost).collect();
            fields.retain(|field| rest.get(field).is_some());
            // Without a field that was wrong, that it is missing, or what follows from that, is not the author's doing.
            if !whole && fields.is_empty() {
                break;
            }
            self.findings.extend(wrong.at(node).under_all(steps).0);
            let Value::Map(entries) = &mut rest.value else { break };
            if fields.is_empty() {
                break;
            }
            entries.retain(|(key, _)| !fields.contains(&key.text));
            whole = false;
        }
    }

    /// What is unknown or missing in a mapping itself, whatever is wrong with what it holds.
    fn shell<T: DeserializeOwned>(&mut self, node: &Node, steps: &[Step]) {
        if let Err(Wrong(mut findings)) = T::deserialize(Reader::new(node)) {
            findings.retain(|finding| match finding.kind {
                Kind::UnknownField => finding.steps.len() == 1,
                Kind::MissingField(_) | Kind::Other => finding.steps.is_empty(),
                Kind::Custom => false,
            });
            self.findings.extend(Wrong(findings).under_all(steps).0);
        }
    }

    fn frame(&mut self, root: &Node) {
        let before = self.findings.len();
        self.shell::<Experiment>(root, &[]);
        // One missing field is told by the shell; an author who begins wants to hear of all.
        let told: Vec<Kind> = self.findings[before..].iter().map(|finding| finding.kind.clone()).collect();
        if !matches!(root.value, Value::Map(_)) || told.contains(&Kind::UnknownField) {
            return;
        }
        for name in REQUIRED {
            if root.get(name).is_none() && !told.contains(&Kind::MissingField(name)) {
                self.findings.extend(Wrong::missing_field(name).at(root).0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_that_must_be_there_are_those_of_the_schema() {
        let schema = schemars::schema_for!(Experiment);
        let required: Vec<&str> =
            schema.get("required").unwrap().as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();

        assert_eq!(required, REQUIRED);
    }
}
