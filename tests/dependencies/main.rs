//! The dependency ring: who may build on what. A decision that drags an SDK behind it is found here, not by whoever waits
//! for the build.

use std::process::Command;

/// Every package that this one builds on, itself included, at any depth, without what only its tests need.
fn beneath(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--edges", "normal,build", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
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
