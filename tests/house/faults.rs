//! A fault's name stands in its own files and in what is generated. Anywhere else it is a place to change by hand when a
//! fault is added, so each such place is listed here, with its reason.

use crate::{files, text};

/// The table of faults.
const TABLE: &str = "crates/drill-faults/src/lib.rs";

/// A fault's own files, what is generated, and what tries or shows single faults.
const PLACES: [&str; 8] = [
    "crates/drill-faults/src/host",
    "crates/drill-faults/src/ec2",
    "crates/drill-faults/src/vpc",
    "infra/generated/",
    "docs/reference/",
    "experiments/",
    "tests/",
    TABLE,
];

/// Every other file that names a fault, and why.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("bench/peer.py", "compares peers on one fault that all of them have"),
    ("bench/run.py", "measures one fault that is on every host"),
    ("crates/drill-model/src/read/examples.rs", "examples in complaints are texts, checked against the schema"),
];

/// The words of the table.
fn words() -> Vec<String> {
    let table = text(TABLE);
    let rows = table.lines().filter_map(|line| line.trim_start().strip_prefix('"')?.split_once("\" => "));
    let words: Vec<String> = rows.map(|(word, _)| word.to_owned()).collect();
    assert!(words.len() > 10, "the table of faults is found");
    words
}

/// Tests and their fixtures try single faults.
fn tries_one(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "fixture.rs" | "fixtures.rs"))
}

/// The lines of a code that somebody wrote, with their numbers: not what is generated inside of a template, and not the tests
/// at the end of a Rust file.
fn written(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = code.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut generated = false;
    (1..).zip(code.lines()).filter(move |(_, line)| {
        let mark = line.trim_start();
        generated = (generated || mark.starts_with("# generated: ")) && mark != "# end of generated";
        !generated
    })
}

/// The first written line of a code that names a fault.
fn named(code: &str, words: &[String]) -> Option<(usize, String)> {
    let inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let whole = |line: &str, word: &str| {
        line.match_indices(word)
            .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside))
    };
    written(code)
        .find_map(|(number, line)| words.iter().find(|word| whole(line, word)).map(|word| (number, word.clone())))
}

/// Every file of code outside of the places that names a fault, with the line and the fault.
fn found() -> Vec<(String, String)> {
    let words = words();
    let code = [".rs", ".yaml", ".yml", ".sh", ".py"].into_iter().flat_map(files);
    code.filter(|path| !PLACES.iter().any(|place| path.starts_with(place)) && !tries_one(path))
        .filter_map(|path| {
            named(&text(&path), &words).map(|(line, word)| (path.clone(), format!("{path}:{line}: `{word}`")))
        })
        .collect()
}

#[test]
fn a_fault_is_named_only_in_its_files_and_in_what_is_generated() {
    let wrong: Vec<String> = found()
        .into_iter()
        .filter(|(path, _)| !EXCEPTIONS.iter().any(|(exception, _)| exception == path))
        .map(|(_, said)| said)
        .collect();

    assert!(
        wrong.is_empty(),
        "{wrong:#?}\ntake the name from the table of faults, or give a reason beside the {} exceptions",
        EXCEPTIONS.len()
    );
}

#[test]
fn every_exception_is_still_needed() {
    let found = found();

    let idle: Vec<&str> = EXCEPTIONS
        .iter()
        .map(|(exception, _)| *exception)
        .filter(|exception| !found.iter().any(|(path, _)| path == exception))
        .collect();

    assert_eq!(idle, [""; 0], "of {} exceptions", EXCEPTIONS.len());
}

#[test]
fn a_planted_name_is_noticed() {
    let words = words();
    let word = &words[0];

    assert_eq!(named(&format!("a\nx = \"stack-{word}\"\n"), &words), Some((2, word.clone())));
    assert_eq!(named(&format!("{word}s"), &words), None);
    assert_eq!(named(&format!("a\n#[cfg(test)]\nmod tests {{\n    {word}"), &words), None);
    let block = format!("# generated: x\n- {word}\n# end of generated\n");
    assert_eq!(named(&block, &words), None);
    assert_eq!(named(&format!("{block}- {word}\n"), &words), Some((4, word.clone())));
}
