//! The dependency ring: who may build on what. A decision that drags an SDK behind it is found here, not by whoever waits
//! for the build.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What `cargo tree` says of a package, one line for each that it builds on, without what only its tests need.
fn tree(package: &str, format: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", format])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Every package that this one builds on, itself included, at any depth.
fn beneath(package: &str) -> Vec<String> {
    let text = tree(package, "{p}");
    let mut names: Vec<String> = text.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    names.sort();
    names.dedup();
    assert!(names.iter().any(|name| name == package), "{package} is not in its own tree");
    names
}

fn of(package: &str, matches: impl Fn(&str) -> bool) -> Vec<String> {
    beneath(package).into_iter().filter(|name| matches(name)).collect()
}

#[test]
fn the_lab_and_what_decides_are_built_without_any_part_of_the_sdk() {
    for package in ["drill-model", "drill-phases", "drill-machine", "drill-report", "drill-world", "drill-lab"] {
        assert_eq!(of(package, |name| name.starts_with("aws-")), Vec::<String>::new(), "{package}");
    }
}

#[test]
fn the_demo_shop_and_the_promql_know_nothing_of_drills() {
    for package in ["drill-shop", "drill-promql"] {
        assert_eq!(of(package, |name| name.starts_with("drill-")), [package]);
    }
}

#[test]
fn the_model_and_the_phases_do_no_input_or_output() {
    for package in ["drill-model", "drill-phases"] {
        let doers = ["tokio", "hyper", "nix", "rusqlite", "reqwest"];
        assert_eq!(of(package, |name| doers.contains(&name)), Vec::<String>::new(), "{package}");
    }
}

#[test]
fn the_heaviest_sdk_is_behind_one_adapter() {
    let with_ec2: Vec<&str> =
        ["dynamodb", "sns", "scheduler", "s3", "sfn", "ssm", "autoscaling", "cloudwatch", "http", "ec2"]
            .into_iter()
            .filter(|service| !of(&format!("drill-aws-{service}"), |name| name == "aws-sdk-ec2").is_empty())
            .collect();

    assert_eq!(with_ec2, ["ec2"]);
}

/// Cargo builds a package once for each set of features that is asked of it, and with it everything above.
#[test]
fn one_build_of_the_sdk_serves_every_function() {
    let functions =
        ["prepare", "approval", "inject", "observe", "recover", "rollback", "validate", "report", "janitor"];
    let shared: BTreeSet<String> = beneath("drill-aws-config").into_iter().collect();
    let mut built: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for function in functions {
        let lines: BTreeSet<String> =
            tree(function, "{p}#{f}").lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect();
        let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in lines {
            let (package, features) = line.split_once('#').expect("a package and its features");
            let name = package.split(' ').next().expect("a name");
            if shared.contains(name) || name.starts_with("aws-sdk-") {
                sets.entry(package.to_owned()).or_default().push(features.to_owned());
            }
        }
        for (package, features) in sets {
            built.entry(package).or_default().entry(features.join(" and ")).or_default().push(function);
        }
    }

    let differ: BTreeMap<_, _> = built.into_iter().filter(|(_, sets)| sets.len() > 1).collect();

    assert_eq!(differ, BTreeMap::new(), "add what is missing to the features in crates/drill-aws-config/Cargo.toml");
}
