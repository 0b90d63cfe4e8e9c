//! Values that mean something to a shell: no pattern takes them, and forced past the patterns they still do nothing.

use libtest_mimic::Trial;

use crate::order;
use crate::sandbox::Sandbox;
use crate::trial;

const UNIT: &str = "00000000000000a1";

pub fn trials() -> Vec<Trial> {
    drill_documents::documents()
        .iter()
        .map(|document| trial(format!("hostile::{}_executes_no_value", document.name), || executes_nothing(document)))
        .collect()
}

fn executes_nothing(document: &'static drill_documents::Document) {
    let host = Sandbox::new();
    let mark = host.folder.join("executed");
    let shown = mark.display();
    let before = host.state();
    let hostile = [
        format!("$(touch {shown})"),
        format!("`touch {shown}`"),
        format!("a; touch {shown}"),
        format!("0\ntouch {shown}\n"),
        format!("x' ; touch {shown} ; '"),
        format!("a[$(touch {shown})0]"),
        "-rf".to_owned(),
        "{{ ssm:parameter }}".to_owned(),
        "\u{202e}äé".to_owned(),
        "../../etc".to_owned(),
        "1".repeat(5000),
    ];
    for parameter in &document.parameters {
        for value in &hostile {
            // A run's name may begin with a dash: it is only ever the end of a word.
            if parameter.name == "Run" && value == "-rf" {
                continue;
            }
            let mut order = order::valid(document, UNIT);
            order.values.insert(parameter.name.clone(), value.clone());
            assert!(document.environment(&order.values).is_err(), "{} {value:?}", parameter.name);

            let answer = host.order(&order.forced());

            answer.must_be("refused", "bad-parameter");
            assert!(!mark.exists(), "{} executed {value:?}", parameter.name);
        }
    }
    assert_eq!(host.state(), before);
}
