use super::*;

#[test]
fn the_smallest_experiment_reads() {
    assert!(experiment(include_str!("tests/whole.yaml")).is_ok());
}
