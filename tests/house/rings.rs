//! `tests/README.md` has every ring of the tree, and says of each what it proves, needs, and how it is run.

use std::collections::BTreeSet;

use crate::{files, root, spans, table, text};

fn rows() -> Vec<Vec<String>> {
    let rows = table(&text("tests/README.md"), "The rings");
    assert!(rows.len() > 5, "the table is found");
    rows
}

/// The folders of tests/ that a row is about, by its first cell.
fn folders_of(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().flat_map(|row| spans(&row[0])).map(|name| name.trim_start_matches("tests/").to_owned()).collect()
}

/// The folders of tests/.
fn folders() -> BTreeSet<String> {
    std::fs::read_dir(root().join("tests"))
        .expect("tests/ can be listed")
        .map(|entry| entry.expect("an entry can be read"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with(['.', '_']))
        .collect()
}

/// The package and the name of every test program whose source is below tests/.
fn programs() -> Vec<(String, String)> {
    let mut programs = Vec::new();
    for manifest in files("Cargo.toml") {
        let text = text(&manifest);
        let value = |part: &str, key: &str| {
            let line = part.lines().find(|line| line.starts_with(&format!("{key} = ")))?;
            Some(line.split('"').nth(1)?.to_owned())
        };
        let package = value(&text, "name").unwrap_or_default();
        for part in text.split("[[test]]").skip(1) {
            let part = part.split("\n[").next().expect("a first part");
            let path = value(part, "path").unwrap_or_default();
            if manifest.starts_with("tests/") || path.contains("/tests/") {
                programs.push((package.clone(), value(part, "name").expect("a test has a name")));
            }
        }
    }
    assert!(programs.len() > 5, "the test programs are found");
    programs
}

#[test]
fn every_folder_of_the_tests_is_in_the_readme_and_the_reverse() {
    assert_eq!(folders_of(&rows()), folders());
}

#[test]
fn every_row_says_what_it_proves_what_it_needs_its_command_and_its_time() {
    for row in rows() {
        assert_eq!(row.len(), 5, "{}", row[0]);
        assert!(row.iter().all(|cell| !cell.is_empty()), "{}: a cell is empty", row[0]);
    }
}

#[test]
fn every_test_program_has_its_command_in_the_readme() {
    let commands: Vec<String> = rows().iter().flat_map(|row| spans(&row[3])).collect();

    let mut missing = programs();
    missing.retain(|(package, test)| !commands.contains(&format!("cargo test -p {package} --test {test}")));

    assert_eq!(missing, []);
}

#[test]
fn every_command_of_the_readme_is_one() {
    let programs = programs();

    let wrong: Vec<String> = rows()
        .iter()
        .flat_map(|row| spans(&row[3]))
        .filter(|command| command.starts_with("cargo test"))
        .filter(|command| {
            !programs.iter().any(|(package, test)| *command == format!("cargo test -p {package} --test {test}"))
        })
        .collect();

    assert_eq!(wrong, [""; 0]);
}
