//! Which ports each function has, as it says itself, and which actions each port needs, from its adapter.
//!
//! Nothing here repeats what the code says: a phase that asks for another port, or an adapter for another call, is seen.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use super::{read, root};

/// A function of the template: its logical id without `Function`, and the entry of its phase.
pub const FUNCTIONS: [(&str, &str, &str); 9] = [
    ("Prepare", "prepare.rs", "prepare"),
    ("Approval", "approval.rs", "answered"),
    ("Inject", "inject.rs", "inject"),
    ("Observe", "observe.rs", "observe"),
    ("Recover", "recover.rs", "recover"),
    ("Rollback", "rollback.rs", "rollback"),
    ("Janitor", "janitor.rs", "sweep"),
    ("Validate", "validate.rs", "validate"),
    ("Report", "report.rs", "reported"),
];

/// The actions of each port: the constants in the `actions` modules of the adapters, by the name of the port.
///
/// They are read as text, because every ring would have to build every SDK otherwise.
pub fn actions() -> BTreeMap<String, BTreeSet<String>> {
    let constant = Regex::new(r"pub const ([A-Z_]+): &\[&str\] =\s*&\[([^\]]*)\];").unwrap();
    let quoted = Regex::new("\"([^\"]+)\"").unwrap();
    let mut actions = BTreeMap::new();
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

/// The ports that a function is made of, each with the name of its actions: the port's own, or the one after `as`.
pub fn made_of(function: &str) -> BTreeMap<String, String> {
    let text = read(&format!("functions/{}/src/lib.rs", function.to_lowercase()));
    let adapter = Regex::new(r"\w+: drill_aws_\w+::\w+ => ([^;]+);").unwrap();
    let ports = adapter
        .captures_iter(&text)
        .flat_map(|found| found[1].split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>());
    ports
        .map(|one| match one.split_once(" as ") {
            Some((name, actions)) => (name.to_owned(), port(actions)),
            None => (one.clone(), one),
        })
        .collect()
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
    let files =
        ["ports.rs", "approval.rs", "prepare.rs", "inject.rs", "observe.rs", "sampling.rs", "validate.rs", "report.rs"];
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
fn a_function_is_made_of_exactly_the_ports_that_its_phase_asks_for() {
    for (function, file, entry) in FUNCTIONS {
        assert_eq!(made_of(function).into_keys().collect::<BTreeSet<_>>(), ports(file, entry), "{function}");
    }
}

#[test]
fn only_inject_has_the_ports_that_harm() {
    for (function, _, _) in FUNCTIONS {
        let ports = made_of(function);
        let harms = ports.contains_key("Harms") || ports.contains_key("HostHarm");
        assert_eq!(harms, function == "Inject", "{function}: {ports:?}");
    }
}
