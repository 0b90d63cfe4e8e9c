//! README's promises and the rules of ARCHITECTURE.md name tests that exist.

use crate::failures::{is_in, places_of};
use crate::{root, spans, table, text};

#[test]
fn every_promise_of_the_readme_names_what_shows_it() {
    let rows = table(&text("README.md"), "What is promised");
    assert!(rows.len() > 5, "the table is found");

    let mut wrong = Vec::new();
    for row in rows {
        let shown = spans(row.last().expect("a row has cells"));
        for pair in shown.chunks(2).filter(|_| shown[0] != "make ablate") {
            let [file, name] = pair else { panic!("a file and a name, in turn: {shown:?}") };
            if !root().join(file).is_file() || !is_in(&text(file), name) {
                wrong.push(format!("{}: `{file}` has no `{name}`; it is in {:?}", row[0], places_of(name)));
            }
        }
    }

    assert_eq!(wrong, [""; 0]);
}

/// The rows of tests/ablate, as their cells.
fn ablations() -> Vec<Vec<String>> {
    text("tests/ablate/rules.tsv").lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn every_rule_is_turned_off_once_and_has_a_test_that_exists() {
    let rules: Vec<String> =
        table(&text("ARCHITECTURE.md"), "What keeps the first promise").iter().map(|row| row[0].clone()).collect();
    let rules: Vec<&String> = rules.iter().filter(|rule| rule.starts_with('R')).collect();
    let rows = ablations();

    assert_eq!(rows.iter().map(|row| &row[0]).collect::<Vec<_>>(), rules);
    let wrong: Vec<&Vec<String>> = rows
        .iter()
        .filter(|row| row.len() != 7 || !root().join(&row[2]).is_file() || !is_a_test(row.last().expect("a cell")))
        .collect();
    assert_eq!(wrong, Vec::<&Vec<String>>::new(), "each needs seven cells, a file, and a test");
}

/// Whether some file has a test of this name; it may have its modules before it.
fn is_a_test(name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    !places_of(name).is_empty()
}
