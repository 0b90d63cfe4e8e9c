//! The probes: what can be asked, and tolerances that something can break and something can keep.

use super::super::{CloudWatchProbe, Experiment, HttpMeasure, HttpProbe, Probe, Source, Tolerance};
use super::{Problems, choose_from, repeated};
use crate::ids::ProbeName;
use crate::quantity::Span;
use crate::read::is_hidden;

const LONGEST_URL: usize = 2_000;
const LONGEST_QUERY: usize = 4_000;
const LONGEST_TIMEOUT: Span = Span::seconds(30);

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    let names: Vec<&ProbeName> = experiment.steady_state.iter().map(|probe| &probe.name).collect();
    for (index, name) in repeated(&names) {
        found.add(
            format!("steady_state[{index}].name"),
            format!("two probes are called `{name}`"),
            "give each its own name",
        );
    }
    for (index, probe) in experiment.steady_state.iter().enumerate() {
        let path = format!("steady_state[{index}]");
        source(experiment, probe, &format!("{path}.{}", probe.source.word()), found);
        tolerance(probe, &format!("{path}.tolerance"), found);
    }
}

fn source(experiment: &Experiment, probe: &Probe, path: &str, found: &mut Problems) {
    match &probe.source {
        Source::CloudWatch(probe) => cloudwatch(probe, path, found),
        Source::Prometheus(probe) => {
            if probe.query.trim().is_empty() || probe.query.chars().count() > LONGEST_QUERY {
                let help = format!("write a query of 1 to {LONGEST_QUERY} characters whose answer is one value");
                found.add(format!("{path}.query"), "this is not a query", help);
            }
        }
        Source::Http(probe) => http(probe, path, found),
        Source::HostHealth(probe) => {
            if !experiment.targets.contains_key(&probe.of) {
                let targets = experiment.targets.keys().map(|name| name.as_str());
                let help = choose_from(probe.of.as_str(), targets, "describe it under `targets`");
                found.add(format!("{path}.of"), format!("no target is called `{}`", probe.of), help);
            }
        }
        Source::Alarm(_) | Source::Capacity(_) => {}
    }
}

fn cloudwatch(probe: &CloudWatchProbe, path: &str, found: &mut Problems) {
    let mut name = |field: &str, text: &str| {
        if text.trim().is_empty() || text.chars().count() > 255 || text.chars().any(is_hidden) {
            let path = format!("{path}.{field}");
            found.add(path, format!("no metric has this {field}"), "write 1 to 255 characters that can be seen");
        }
    };
    name("namespace", &probe.namespace);
    name("metric", &probe.metric);
    let wrong_dimension = probe.dimensions.iter().any(|(name, value)| {
        name.is_empty() || name.chars().count() > 255 || value.is_empty() || value.chars().count() > 1024
    });
    if probe.dimensions.len() > 30 || wrong_dimension {
        let help = "write at most 30, with names of 1 to 255 and values of 1 to 1024 characters";
        found.add(format!("{path}.dimensions"), "no metric has these dimensions", help);
    }
    if !is_a_period(probe.period) {
        let help = "write 1s, 5s, 10s, 20s, 30s or whole minutes up to 1d";
        found.add(format!("{path}.period"), format!("CloudWatch has no period of {}", probe.period), help);
    }
}

/// True for the periods that CloudWatch has.
pub(super) fn is_a_period(period: Span) -> bool {
    let millis = period.as_millis();
    matches!(millis, 1_000 | 5_000 | 10_000 | 20_000 | 30_000)
        || (millis > 0 && millis.is_multiple_of(60_000) && millis <= 86_400_000)
}

fn http(probe: &HttpProbe, path: &str, found: &mut Problems) {
    let rest = probe.url.strip_prefix("https://").or_else(|| probe.url.strip_prefix("http://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let url = match authority {
        None => Some(("this is not an http or https address", "begin with `https://` or `http://`")),
        Some(_) if probe.url.len() > LONGEST_URL => Some(("this address is too long", "write at most 2000 characters")),
        Some(_) if probe.url.chars().any(|letter| letter.is_whitespace() || is_hidden(letter)) => {
            Some(("an address has no spaces and nothing that cannot be seen", "write `%20` for a space"))
        }
        Some("") => Some(("this address has no host", "write for example `https://orders.example.com/health`")),
        Some(authority) if authority.contains('@') => Some((
            "this address has a password or a name in it, which every report would show",
            "remove what stands before the `@`: a health check needs none",
        )),
        Some(_) => None,
    };
    if let Some((message, help)) = url {
        found.add(format!("{path}.url"), message, help);
    }
    if !(100..=599).contains(&probe.status) {
        found.add(format!("{path}.status"), format!("{} is not an HTTP status", probe.status), "write 100 to 599");
    }
    if probe.timeout.is_zero() || probe.timeout > LONGEST_TIMEOUT {
        let message = format!("a timeout of {} cannot be kept", probe.timeout);
        found.add(format!("{path}.timeout"), message, "write 1ms to 30s");
    }
}

fn tolerance(probe: &Probe, path: &str, found: &mut Problems) {
    let Tolerance { at_least, at_most, in_samples } = probe.tolerance;
    if at_least.is_none() && at_most.is_none() {
        let help = "say what must stay true: `{ at_most: 200 }` or `{ at_least: 99.0 }`";
        found.add(path, format!("the tolerance of `{}` has no bound", probe.name), help);
        return;
    }
    if [at_least, at_most].into_iter().flatten().any(|bound| !bound.is_finite()) {
        found.add(
            path,
            format!("the tolerance of `{}` has a bound that is no number", probe.name),
            "write a finite number",
        );
        return;
    }
    if in_samples.is_some_and(|share| share.get() <= 0.0) {
        let help = "write the share of the samples that must keep it, such as `90%`";
        found.add(format!("{path}.in_samples"), "a tolerance that no sample must keep is always kept", help);
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        let message = format!("no value is at least {least} and at most {most}");
        found.add(path, message, format!("write `{{ at_least: {most}, at_most: {least} }}` if that is what is meant"));
        return;
    }
    let (lowest, highest, unit) = values(&probe.source);
    let (least, most) = (at_least.unwrap_or(f64::NEG_INFINITY), at_most.unwrap_or(f64::INFINITY));
    if least > highest || most < lowest {
        found.add(path, format!("no value of `{}` can satisfy this", probe.name), format!("its value is {unit}"));
    } else if least <= lowest && most >= highest {
        let help = format!("its value is {unit}: write a bound that an outage would break");
        found.add(path, format!("every value of `{}` satisfies this, so that it says nothing", probe.name), help);
    }
}

/// The values that a source can have, as far as they are known, and in words.
const fn values(source: &Source) -> (f64, f64, &'static str) {
    match source {
        Source::Alarm(_) => (0.0, 1.0, "0 when the alarm is OK and 1 when it is in alarm"),
        Source::HostHealth(_) => (0.0, 100.0, "the healthy hosts in percent, from 0 to 100"),
        Source::Http(HttpProbe { measure: HttpMeasure::Ok, .. }) => {
            (0.0, 1.0, "1 for the expected status and 0 for any other")
        }
        Source::Http(HttpProbe { measure: HttpMeasure::Milliseconds, .. }) => {
            (0.0, f64::INFINITY, "a number of milliseconds, 0 or more")
        }
        Source::Capacity(_) => (0.0, f64::INFINITY, "a number of instances, 0 or more"),
        Source::CloudWatch(_) | Source::Prometheus(_) => (f64::NEG_INFINITY, f64::INFINITY, "any number"),
    }
}
