//! Plain words: phrases that a tired reader stumbles over are found, and the answer says what to write.

use crate::{files, text};

/// A phrase, and what to write instead.
const PHRASES: [(&str, &str); 12] = [
    (" shall ", "must, may, or the present tense"),
    ("seen to be ", "checked to be, or: it was confirmed that"),
    (" for who ", "for people who"),
    ("whoever ", "anyone who, people who, or the one who"),
    (" whom ", "that, or a sentence without it"),
    ("came upon", "met, or say what happened"),
    (" so many concurrent", "a number of"),
    ("so long after", "how long after"),
    ("so often as", "as often as"),
    ("is content", "found nothing"),
    ("nobody does it", "say who should"),
    ("a mistake of ours", "a bug in Stormdrill"),
];

/// What people read: pages, and the texts and comments of what is deployed and typed. What the command line says is in
/// the transcripts and comes from Rust.
fn read_by_people() -> Vec<String> {
    let mut paths = vec!["Makefile".to_owned(), "template.yaml".to_owned(), "samconfig.toml".to_owned()];
    let wanted = |path: &String| {
        let folders = ["bench/", "docs/", "experiments/", "scripts/", "statemachine/", "infra/checks/"];
        folders.iter().any(|folder| path.starts_with(folder)) || !path.contains('/') || path.starts_with("infra/target")
    };
    for ending in [".md", ".yaml", ".sh", ".py"] {
        paths.extend(files(ending).into_iter().filter(wanted));
    }
    paths.extend(["tests/README.md".to_owned(), "tests/local-aws/README.md".to_owned()]);
    paths
}

/// The phrases in a text, with the line and what to write.
fn found(path: &str, text: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines());
    lines
        .flat_map(|(number, line)| {
            let line = line.to_lowercase();
            PHRASES
                .iter()
                .filter(move |(phrase, _)| line.contains(phrase))
                .map(move |(phrase, better)| format!("{path}:{number}: `{}`: write {better}", phrase.trim()))
        })
        .collect()
}

#[test]
fn what_people_read_is_in_plain_words() {
    let paths = read_by_people();
    assert!(paths.len() > 50, "the texts are found");

    let found: Vec<String> = paths.iter().flat_map(|path| found(path, &text(path))).collect();

    assert_eq!(found, [""; 0]);
}

#[test]
fn a_phrase_is_noticed_with_its_line() {
    assert_eq!(found("a.md", "well\nIt shall be\n"), ["a.md:2: `shall`: write must, may, or the present tense"]);
}
