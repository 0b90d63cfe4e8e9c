//! The experiment as a whole: its words, its sizes, whom it tells.

use super::super::{Criterion, Experiment};
use super::{Problems, choose_from, repeated};
use crate::read::is_hidden;

const MOST_ENVIRONMENTS: usize = 20;
const MOST_DEPENDENCIES: usize = 50;
const MOST_WINDOWS: usize = 20;
const MOST_CRITERIA: usize = 20;
const MOST_TARGETS: usize = 10;
const MOST_FAULTS: usize = 20;
const MOST_PROBES: usize = 50;
const MOST_CONDITIONS: usize = 50;
const LONGEST_SENTENCE: usize = 500;

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    sentence("title", &experiment.title, found);
    sentence("hypothesis", &experiment.hypothesis, found);
    empty(experiment, found);
    let environments: Vec<_> = experiment.environments.iter().collect();
    for (index, name) in repeated(&environments) {
        found.add(format!("environments[{index}]"), format!("`{name}` is named twice"), "name it once");
    }
    if experiment.notify.topic != "default" && !is_topic(&experiment.notify.topic) {
        let help = "write `default`, or an ARN such as `arn:aws:sns:eu-central-1:123456789012:drills`";
        found.add("notify.topic", format!("`{}` is not an SNS topic", experiment.notify.topic), help);
    }
    success(experiment, found);
}

fn sentence(path: &str, text: &str, found: &mut Problems) {
    if text.trim().is_empty() {
        found.add(path, format!("`{path}` is empty"), "write one sentence for the people who will read the report");
    } else if text.chars().count() > LONGEST_SENTENCE {
        let message = format!("`{path}` has {} characters", text.chars().count());
        found.add(path, message, format!("write at most {LONGEST_SENTENCE}"));
    } else if text.chars().any(is_hidden) {
        let help = "remove them; a line break is one too: begin a long text with `>-`";
        found.add(path, format!("`{path}` has characters that cannot be seen"), help);
    }
}

/// Lists that are longer than an experiment needs.
pub(super) fn is_too_large(experiment: &Experiment, found: &mut Problems) -> bool {
    let sizes = [
        ("environments", experiment.environments.len(), MOST_ENVIRONMENTS, "environments"),
        ("targets", experiment.targets.len(), MOST_TARGETS, "groups of targets"),
        ("dependencies", experiment.dependencies.len(), MOST_DEPENDENCIES, "dependencies"),
        ("faults", experiment.faults.len(), MOST_FAULTS, "faults"),
        ("steady_state", experiment.steady_state.len(), MOST_PROBES, "probes"),
        ("guards.stop_when", experiment.guards.stop_when.conditions().len(), MOST_CONDITIONS, "stop conditions"),
        ("guards.windows", experiment.guards.windows.len(), MOST_WINDOWS, "windows"),
        ("success", experiment.success.len(), MOST_CRITERIA, "criteria"),
    ];
    let mut is_too_large = false;
    for (path, count, most, what) in sizes {
        if count > most {
            let help = format!("write at most {most}, or split the experiment");
            found.add(path, format!("{count} {what} are too many for one experiment"), help);
            is_too_large = true;
        }
    }
    is_too_large
}

fn empty(experiment: &Experiment, found: &mut Problems) {
    let lists = [
        ("environments", experiment.environments.is_empty(), "environments", "name one: `environments: [staging]`"),
        ("targets", experiment.targets.is_empty(), "targets", "say whom it may be done to"),
        ("faults", experiment.faults.is_empty(), "faults", "say what is broken; without a fault nothing is rehearsed"),
        (
            "steady_state",
            experiment.steady_state.is_empty(),
            "probes",
            "say what should stay true, with at least one probe; without one there is nothing to find out",
        ),
    ];
    for (path, is_empty, what, help) in lists {
        if is_empty {
            found.add(path, format!("there are no {what}"), help);
        }
    }
}

/// `arn:aws:sns:REGION:ACCOUNT:NAME`, in any partition. A FIFO topic takes no notice without a group, and is none.
fn is_topic(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [arn, partition, service, region, account, name] = parts.as_slice() else { return false };
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_name = |text: &str| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    *arn == "arn"
        && partition.starts_with("aws")
        && word(partition)
        && *service == "sns"
        && word(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && is_name(name)
}

fn success(experiment: &Experiment, found: &mut Problems) {
    for (index, criterion) in experiment.success.iter().enumerate() {
        match criterion {
            Criterion::RecoveryTimeAtMost(most) if most.is_zero() => {
                let path = format!("success[{index}].recovery_time_at_most");
                found.add(path, "nothing recovers in no time", "write for example `5m`");
            }
            Criterion::RecoveryTimeAtMost(most) if *most > experiment.recovery.within => {
                let within = experiment.recovery.within;
                let message = format!("recovery is looked at for {within} only, and may take {most} here");
                let help = format!("write at most {within}, or a longer `recovery: {{ within: {most} }}`");
                found.add(format!("success[{index}].recovery_time_at_most"), message, help);
            }
            Criterion::RecoveryTimeAtMost(_) => {}
            Criterion::AvailabilityAtLeast { least, of } => {
                if !(0.0..=100.0).contains(least) {
                    let path = format!("success[{index}].availability_at_least");
                    found.add(path, format!("`{least}` is not a percentage"), "write 0 to 100, such as `99.0`");
                }
                if !experiment.steady_state.iter().any(|probe| probe.name == *of) {
                    let probes = experiment.steady_state.iter().map(|probe| probe.name.as_str());
                    let help = choose_from(of.as_str(), probes, "describe it under `steady_state`");
                    found.add(format!("success[{index}].of"), format!("no probe is called `{of}`"), help);
                }
            }
        }
    }
}
