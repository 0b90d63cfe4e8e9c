//! What a probe can see: which time its values tell of, when they are final, and what is missing.

use super::super::{Experiment, Missing, Probe, Source, Statistic};
use super::Problems;
use crate::quantity::Span;

const LONGEST_SETTLING: Span = Span::seconds(3600);

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    for (index, probe) in experiment.steady_state.iter().enumerate() {
        let path = format!("steady_state[{index}]");
        covers(probe, &path, found);
        settles(probe, &path, found);
        missing(probe, &path, found);
    }
}

/// What looks back must say how far; what says so itself must not be told.
fn covers(probe: &Probe, path: &str, found: &mut Problems) {
    let (name, word) = (&probe.name, probe.source.word());
    let (what, help) = match (&probe.source, probe.covers) {
        (Source::Alarm(_), None) => (
            format!("`{name}` does not say how far back its alarm looks"),
            "add `covers:` with the alarm's period times its evaluation periods, such as `covers: 3m` for 3 of 1 minute".to_owned(),
        ),
        (Source::HostHealth(_), None) => (
            format!("`{name}` does not say how long a host is ill before it is called unhealthy"),
            "add `covers:` with the interval times the threshold of the health check, such as `covers: 2m` for the status checks of EC2"
                .to_owned(),
        ),
        (Source::Prometheus(query), covers) => match (query.range(), covers) {
            (Some(range), None) => (
                format!("the query of `{name}` looks back over {range}, and `{name}` does not say so"),
                format!("add `covers: {range}`"),
            ),
            (Some(range), Some(covers)) if covers < range => (
                format!("the query of `{name}` looks back over {range}, which is more than {covers}"),
                format!("write `covers: {range}`"),
            ),
            (Some(_) | None, Some(_)) | (None, None) => return nothing(probe, path, found),
        },
        (Source::CloudWatch(_), Some(_)) => {
            (format!("a datapoint of `{name}` tells of its period"), "remove `covers:`, or change the `period`".to_owned())
        }
        (Source::Http(_) | Source::Capacity(_), Some(_)) => {
            (format!("`{word}` tells of the moment at which it is asked"), "remove `covers:`".to_owned())
        }
        (Source::Alarm(_) | Source::HostHealth(_), Some(_)) => return nothing(probe, path, found),
        (Source::CloudWatch(_) | Source::Http(_) | Source::Capacity(_), None) => return,
    };
    let field = if probe.covers.is_some() { "covers" } else { word };
    found.add(format!("{path}.{field}"), what, help);
}

/// No value tells of no time.
fn nothing(probe: &Probe, path: &str, found: &mut Problems) {
    if probe.covers.is_some_and(|covers| covers.is_zero()) {
        found.add(
            format!("{path}.covers"),
            format!("a value of `{}` that covers no time", probe.name),
            "write 1s or more",
        );
    }
}

fn settles(probe: &Probe, path: &str, found: &mut Problems) {
    let Some(settles) = probe.settles else { return };
    let (message, help) = match &probe.source {
        Source::CloudWatch(_) if settles > LONGEST_SETTLING => (
            format!("a datapoint that may change for {settles} says nothing while a run lasts"),
            format!("write at most {LONGEST_SETTLING}"),
        ),
        Source::CloudWatch(_) => return,
        Source::Alarm(_) | Source::Prometheus(_) | Source::Http(_) | Source::Capacity(_) | Source::HostHealth(_) => (
            format!("what `{}` says is not changed afterwards", probe.source.word()),
            "remove `settles:`: it is for the datapoints of `cloudwatch`".to_owned(),
        ),
    };
    found.add(format!("{path}.settles"), message, help);
}

fn missing(probe: &Probe, path: &str, found: &mut Problems) {
    let counts = matches!(&probe.source, Source::CloudWatch(metric) if matches!(metric.statistic, Statistic::Sum | Statistic::SampleCount));
    if probe.missing == Missing::Zero && !counts {
        let message = format!("a value of `{}` that is missing is not 0", probe.name);
        let help = "remove `missing:`: only a `Sum` or a `SampleCount` of `cloudwatch` is 0 when nothing was published";
        found.add(format!("{path}.missing"), message, help);
    }
}
