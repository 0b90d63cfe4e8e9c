//! The rules hold on what is shipped.

use drill_machine::graph;

use crate::shipped::{deployed, document, meta};

#[test]
fn the_shipped_machine_breaks_no_rule() {
    let machine = deployed(document());

    let violations: Vec<String> = graph::check(&machine, meta()).iter().map(ToString::to_string).collect();

    assert_eq!(violations, [""; 0]);
}
