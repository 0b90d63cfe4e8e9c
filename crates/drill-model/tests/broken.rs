//! Every broken experiment in `tests/cli/broken`, and the whole answer to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use drill_model::read;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli/broken")
}

fn answer(name: &str) -> String {
    let file = format!("{name}.yaml");
    let bytes = std::fs::read(folder().join(&file)).expect("the file is there");
    let answer = read::text(bytes).and_then(|text| read::experiment(&text));
    answer.expect_err("the file is broken").in_file(file).to_string()
}

macro_rules! broken {
    ($($test:ident: $name:literal;)*) => {
        $(#[test]
        fn $test() {
            insta::assert_snapshot!($name, answer($name));
        })*

        #[test]
        fn every_broken_file_has_its_answer_here() {
            let here: BTreeSet<String> = [$(concat!($name, ".yaml").to_owned(),)*].into();
            let there: BTreeSet<String> = std::fs::read_dir(folder())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();

            assert_eq!(here, there);
        }
    };
}

broken! {
    a_field_that_nothing_has: "unknown-field";
    a_field_of_another_kind_of_fault: "unknown-field-of-another-kind";
    a_key_twice: "duplicate-key";
    a_selector_that_selects_nothing: "empty-selector";
    a_pick_without_a_size: "missing-size";
    quantities_without_units: "missing-unit";
    a_fault_that_does_not_exist: "unknown-fault";
    fields_that_must_be_there: "missing-fields";
    values_of_the_wrong_type: "wrong-type";
    a_tab: "tab";
    a_brace_that_is_not_closed: "unclosed";
    two_documents: "two-documents";
    an_alias: "aliases";
    a_bomb_of_aliases: "billion-laughs";
    a_tag_of_yaml: "tags-of-yaml";
    levels_without_end: "too-deep";
    a_bound_that_is_not_a_number: "not-a-number";
    a_bound_without_bound: "infinite";
    a_number_with_two_meanings: "octal";
    a_field_without_a_value: "no-value";
    an_empty_file: "empty";
    a_list_instead_of_an_experiment: "a-list";
    a_probe_with_two_sources: "two-sources";
    a_probe_without_a_source: "no-source";
    an_empty_stop_when: "stop-when-empty";
    a_stop_when_in_other_words: "stop-when-never";
    no_stop_when: "stop-when-missing";
    a_stop_condition_with_two_triggers: "stop-when-two-triggers";
    a_stop_condition_without_a_limit: "stop-when-no-limit";
    names_that_break_their_rule: "wrong-name";
    choices_that_are_none: "wrong-choice";
    a_network_with_stray_bits: "wrong-network";
    harm_for_good_without_the_word: "irreversible";
    a_criterion_without_its_probe: "success-without-probe";
    many_mistakes_at_once: "many-mistakes";
    words_that_are_no_zones: "wrong-zone";
    times_that_are_numbers: "wrong-time";
    a_key_that_yaml_1_1_took_for_truth: "yaml-1.1";
    a_space_that_is_none: "no-break-space";
    a_file_in_utf_16: "utf-16";
    a_file_in_latin_1: "latin-1";
}
