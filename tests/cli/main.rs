//! The command line ring: what people type in the project's folder, and every word of the answer.
//!
//! The transcripts are Markdown. `TRYCMD=overwrite cargo test -p drill-lab --test cli` writes them anew: read the diff.

#[test]
fn transcripts() {
    std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).expect("the project's folder is there");
    // A home of its own: what a dead lab left in the usual one is told to the next command there.
    trycmd::TestCases::new()
        .register_bin("drill-lab", trycmd::cargo::cargo_bin!("drill-lab"))
        .env("COLUMNS", "100")
        .env("DRILL_LAB_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/cli"))
        .case("tests/cli/*.md");
}

#[test]
fn every_broken_experiment_has_its_transcript() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cli");
    let told = std::fs::read_to_string(format!("{folder}/broken.md")).expect("the transcripts are there");
    for entry in std::fs::read_dir(format!("{folder}/broken")).expect("the folder is there") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(told.contains(&format!("$ drill-lab check tests/cli/broken/{name}\n")), "{name} has no transcript");
    }
}
