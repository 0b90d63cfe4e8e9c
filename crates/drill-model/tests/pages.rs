//! The committed pages of the faults are what their files and the schema say.

#[path = "../examples/pages/written.rs"]
mod written;

const COMMAND: &str = "write them again with `make pages` (cargo run -p drill-model --example pages) and commit them";

#[test]
fn the_committed_pages_are_those_of_the_faults() {
    let pages = written::pages().unwrap_or_else(|wrong| panic!("{wrong}"));

    let stale: Vec<&String> = pages
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(written::root().join(path)).ok().as_ref() != Some(*text))
        .map(|(path, _)| path)
        .collect();

    assert!(stale.is_empty(), "{stale:?} are not what the faults say: {COMMAND}");
}

#[test]
fn every_page_has_a_fault() {
    let pages = written::pages().unwrap_or_else(|wrong| panic!("{wrong}"));

    let orphans = written::orphans(&pages).unwrap_or_else(|wrong| panic!("{wrong}"));

    assert!(orphans.is_empty(), "{orphans:?} have no fault: {COMMAND}");
}
