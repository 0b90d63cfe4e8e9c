//! Which ports each function has, read from the phases themselves, and which actions each port needs, from its adapter.
//!
//! Nothing here repeats what the code says: a phase that asks for another port, or an adapter for another call, is seen.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use super::{read, root};

/// A function of the template: its logical id without `Function`, and the entry of its phase.
pub const FUNCTIONS: [(&str, &str, &str); 9] = [
    ("Prepare", "prepare.rs", "prepare"),
    ("Approval", "approval.rs", "ask"),
    ("Inject", "inject.rs", "inject"),
    ("Observe", "observe.rs", "observe"),
    ("Recover", "recover.rs", "recover"),
    ("Rollback", "rollback.rs", "rollback"),
    ("Janitor", "janitor.rs", "sweep"),
    ("Validate", "validate.rs", "validate"),
    ("Report", "report.rs", "report"),
];

/// The actions of each port: the constants in the `actions` modules of the adapters, by the name of the port.
///
/// They are read as text, because every ring would have to build every SDK otherwise.
pub fn actions() -> BTreeMap<String, BTreeSet<String>> {
    let constant = Regex::new(r"pub const ([A-Z_]+): &\[&str\] =\s*&\[([^\]]*)\];").unwrap();
    let quoted = Regex::new("\"([^\"]+)\"").unwrap();
    let mut actions: BTreeMap<String, BTreeSet<String>> =
        ["Clock", "Place"].map(|port| (port.to_owned(), BTreeSet::new())).into();
    for crate_of in std::fs::read_dir(root().join("crates")).unwrap() {
        let path = crate_of.unwrap().path();
        let adapter = path.file_name().unwrap().to_string_lossy().starts_with("drill-aws-");
        let Ok(text) = std::fs::read_to_string(path.join("src/lib.rs")) else { continue };
        for found in adapter.then(|| constant.captures_iter(&text)).into_iter().flatten() {
            let needed = quoted.captures_iter(&found[2]).map(|action| action[1].to_owned()).collect();
            assert!(actions.insert(port(&found[1]), needed).is_none(), "two adapters are for {}", &found[1]);
        }
    }
    actions
}

/// `EMERGENCY_STOP` is the constant of the port `EmergencyStop`.
fn port(constant: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    constant.split('_').map(word).collect()
}

/// The ports that a phase asks for, bundles taken apart.
pub fn ports(file: &str, entry: &str) -> BTreeSet<String> {
    let text = read(&format!("crates/drill-phases/src/{file}"));
    let asks = Regex::new(&format!(r"pub async fn {entry}\(\s*world: &\(?impl ([\w\s+]+)\)?,")).unwrap();
    let found = asks.captures(&text).unwrap_or_else(|| panic!("{file}: {entry} does not begin with `world: &impl …`"));
    let bundles = bundles();
    let mut open = sum(&found[1]);
    let mut ports = BTreeSet::new();
    while let Some(name) = open.pop() {
        match bundles.get(&name) {
            Some(parts) => open.extend(parts.iter().cloned()),
            None => drop(ports.insert(name)),
        }
    }
    ports
}

/// Every trait of the phases that is a sum of other traits.
fn bundles() -> BTreeMap<String, Vec<String>> {
    let bundle = Regex::new(r"pub(?:\(crate\))? trait (\w+):([\w\s+]+)\{\s*\}").unwrap();
    let files = ["ports.rs", "prepare.rs", "inject.rs", "observe.rs", "sampling.rs", "validate.rs", "report.rs"];
    let texts = files.map(|file| read(&format!("crates/drill-phases/src/{file}")));
    texts
        .iter()
        .flat_map(|text| bundle.captures_iter(text))
        .map(|found| (found[1].to_owned(), sum(&found[2])))
        .collect()
}

fn sum(text: &str) -> Vec<String> {
    text.split('+').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn only_inject_has_the_ports_that_harm() {
    for (function, file, entry) in FUNCTIONS {
        let ports = ports(file, entry);
        let harms = ports.contains("InstanceHarm") || ports.contains("HostHarm");
        assert_eq!(harms, function == "Inject", "{function}: {ports:?}");
    }
}
