//! From a path, as the experiment's own check names it, to the place in the text.

use std::ops::Range;

use super::finding::{Finding, Kind, Step};
use super::tree::{Node, Value};
use crate::experiment::Problem;

/// A problem at its place: at the value or the key that the path names, or at what is nearest to it.
pub(super) fn finding(root: &Node, problem: Problem) -> Finding {
    let mut steps = steps(&problem.path);
    let at = locate(root, &steps);
    steps.reverse();
    Finding { at: Some(at), steps, kind: Kind::Other, message: problem.message, help: Some(problem.help) }
}

/// The steps of `faults[0].on`, outermost first.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, items) = part.split_once('[').map_or((part, ""), |(name, items)| (name, items));
        steps.push(Step::Field(name.to_owned()));
        steps.extend(items.split(['[', ']']).filter_map(|index| index.parse().ok()).map(Step::Item));
    }
    steps
}

fn locate(root: &Node, steps: &[Step]) -> Range<usize> {
    let mut node = root;
    for step in steps {
        let next = match (&node.value, step) {
            (Value::Map(_), Step::Field(name)) => node.get(name),
            (Value::List(items), Step::Item(index)) => items.get(*index),
            (Value::Map(_) | Value::List(_) | Value::Scalar(..), _) => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    node.at.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_fields_and_items() {
        assert_eq!(
            steps("guards.stop_when[2].probe"),
            [Step::Field("guards".into()), Step::Field("stop_when".into()), Step::Item(2), Step::Field("probe".into())]
        );
        assert_eq!(steps(""), []);
    }

    #[test]
    fn what_is_not_there_is_told_at_what_is_around_it() {
        let text = "a:\n  b: 1\n";
        let root = super::super::tree::parse(text).unwrap();

        assert_eq!(&text[locate(&root, &steps("a.b"))], "1");
        assert_eq!(&text[locate(&root, &steps("a.c.d"))], "a");
    }
}
