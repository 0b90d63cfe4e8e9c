//! `docs/design/failures.md` names a test for each failure, or says that there is none, and counts.

use crate::{files, root, spans, table, text};

const PAGE: &str = "docs/design/failures.md";

/// What a row says of its tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Wholly,
    InPart,
    Not,
}

impl Shown {
    fn read(cell: &str) -> Self {
        if cell == "no test yet" {
            Self::Not
        } else if cell.starts_with("in part (") {
            Self::InPart
        } else {
            Self::Wholly
        }
    }
}

fn rows() -> Vec<Vec<String>> {
    let rows = table(&text(PAGE), "The failures");
    assert!(rows.len() > 50, "the table is found");
    rows
}

fn cell(row: &[String]) -> &str {
    row.last().expect("a row has cells")
}

/// The tests that a cell names: pairs of a file and a name.
fn tests_of(cell: &str) -> Vec<(String, String)> {
    let spans = spans(cell);
    assert_eq!(spans.len() % 2, 0, "a file and a name, in turn: {cell}");
    spans.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

/// Whether a file has a test of this name: a function, or a trial whose name is a text, perhaps with a subject before it.
pub(crate) fn is_in(text: &str, name: &str) -> bool {
    let function = [format!("fn {name}("), format!("def {name}(")].iter().any(|form| text.contains(form));
    let before = ['"', '_', ':'];
    let after = ['"', '_'];
    function
        || text.match_indices(name).any(|(at, _)| {
            text[..at].ends_with(before) && text[at + name.len()..].starts_with(after) && text[..at].contains('"')
        })
}

/// The files that have a test of this name, when it has moved.
pub(crate) fn places_of(name: &str) -> Vec<String> {
    files(".rs").into_iter().chain(files(".py")).filter(|file| is_in(&text(file), name)).collect()
}

#[test]
fn the_failures_are_numbered_without_a_gap() {
    let numbers: Vec<String> = rows().iter().map(|row| row[0].clone()).collect();

    assert_eq!(numbers, (1..=numbers.len()).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn every_failure_names_tests_that_exist_or_says_that_there_is_none() {
    let mut wrong = Vec::new();
    for row in rows() {
        let tests = tests_of(cell(&row));
        if tests.is_empty() != (Shown::read(cell(&row)) == Shown::Not) {
            wrong.push(format!("{}: {}", row[0], cell(&row)));
        }
        for (file, name) in tests {
            if !root().join(&file).is_file() || !is_in(&text(&file), &name) {
                wrong.push(format!("{}: `{file}` has no `{name}`; it is in {:?}", row[0], places_of(&name)));
            }
        }
    }

    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_page_counts_what_is_tested_and_what_is_not() {
    let rows = rows();
    let count = |shown| rows.iter().filter(|row| Shown::read(cell(row)) == shown).count();

    let said = format!(
        "Of {} failures, {} have a test, {} are tested in part and {} have no test yet.",
        rows.len(),
        count(Shown::Wholly),
        count(Shown::InPart),
        count(Shown::Not),
    );

    assert!(text(PAGE).contains(&said), "{PAGE} should say: {said}");
}

#[test]
fn a_test_that_does_not_exist_is_noticed() {
    assert!(is_in("fn one() {}\n", "one"));
    assert!(is_in("trial(format!(\"group::{fault}_two\"), || {})", "two"));
    assert!(!is_in("fn one_more() {}\n", "one"));
    assert!(!is_in("// three is not here\n", "three"));
}
