//! The house ring: the pages say what the tree holds. Links lead somewhere, commands and paths exist, every ring is in
//! `tests/README.md`, and every failure that a page calls tested has its test.
//!
//! It needs nothing but the files. Next: a promise about the tree gets a file here.

mod failures;
mod faults;
mod pages;
mod promises;
mod rings;
mod words;

use std::path::{Path, PathBuf};

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

/// The text of a file, by its path from the top.
fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file whose name ends in `ending`, as paths from the top, in order. What tools make is left out.
fn files(ending: &str) -> Vec<String> {
    const MADE: [&str; 6] = ["target", "node_modules", ".git", ".aws-sam", ".venv", "__pycache__"];
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if MADE.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) {
                let inside = path.strip_prefix(root()).expect("it is below the top");
                found.push(inside.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The rows of every table below a heading, as trimmed cells, without the table's own heading.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = page.split("\n## ").find(|part| part.starts_with(heading)).unwrap_or_default();
    section
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
        .skip(2)
        .collect()
}

/// What stands between backticks in a line.
fn spans(line: &str) -> Vec<String> {
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
