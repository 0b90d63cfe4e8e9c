//! A probe compared with what it was before the fault: which values, on which scale, and what counts as worse.

use std::collections::BTreeMap;

use drill_evidence::change::{Asked, Plan};
use drill_evidence::sequential::{Degraded as Test, Reference, Rule, Scale, Unfit, Worse};
use drill_model::experiment::{Degraded, Experiment, Probe, Source, Statistic, Trigger};
use drill_model::observation::{Finite, Reading, Sample};
use drill_model::plan::Power;
use drill_model::quantity::Span;
use jiff::Timestamp;

/// The chance with which a stop condition must see that a probe leaves its tolerance. Below that, it would promise what it does
/// not keep.
const LEAST_POWER: f64 = 0.5;

/// The distinct values of a probe, oldest first: a datapoint is one however often it was read, and its last value counts.
pub(crate) fn values(probe: &Probe, samples: &[Sample]) -> Vec<Reading> {
    let mut values: BTreeMap<Timestamp, &Reading> = BTreeMap::new();
    for sample in samples {
        for reading in sample.readings.iter().filter(|reading| reading.probe == probe.name) {
            values.extend(reading.earlier.iter().map(|point| (point.since, &point.reading)));
            values.insert(reading.since.unwrap_or(sample.at), &reading.reading);
        }
    }
    values.into_values().filter(|reading| !matches!(reading, Reading::Unknown(_))).cloned().collect()
}

/// The number that a reading counts as: a request without an answer took at least as long as it was waited for.
pub(crate) const fn number(reading: &Reading) -> Option<f64> {
    match reading {
        Reading::Known(value) | Reading::MoreThan(value) => Some(value.get()),
        Reading::Unknown(_) => None,
    }
}

/// The condition of an experiment that compares this probe with before, if there is one.
pub(crate) fn condition(experiment: &Experiment, probe: &Probe) -> Option<Degraded> {
    experiment.guards.stop_when.conditions().iter().find_map(|condition| match &condition.trigger {
        Trigger::Degraded(of, degraded) if *of == probe.name => Some(*degraded),
        Trigger::Degraded(..)
        | Trigger::Alarm(_)
        | Trigger::AboveBaseline(..)
        | Trigger::BelowBaseline(..)
        | Trigger::Outside(..) => None,
    })
}

/// The rule of a condition. All of an experiment share the chance of a false alarm.
pub(crate) fn rule(experiment: &Experiment, probe: &Probe, degraded: Degraded) -> Rule {
    let conditions = experiment.guards.stop_when.conditions().iter();
    let sharing = conditions.filter(|condition| matches!(condition.trigger, Trigger::Degraded(..))).count();
    Rule { worse: worse(probe), by: degraded.by.get() / 100.0, alpha: degraded.alpha / sharing.max(1) as f64 }
}

/// The test of a condition, told of nothing; datapoints of the fault begin at `from` or later.
pub(crate) fn test(
    experiment: &Experiment,
    probe: &Probe,
    degraded: Degraded,
    before: &[f64],
    from: i64,
) -> Result<Test, Unfit> {
    Test::new(before, scale(probe, before), rule(experiment, probe, degraded), from)
}

/// The direction in which a probe gets worse.
fn worse(probe: &Probe) -> Worse {
    match (probe.tolerance.at_least, probe.tolerance.at_most) {
        (Some(_), Some(_)) => Worse::Either,
        (Some(_), None) => Worse::Down,
        (None, Some(_) | None) => Worse::Up,
    }
}

/// Counts, percentages, and what is positive have scales of their own. What should be `at_least` something and lies between 0 and
/// 100 is taken for a percentage.
fn scale(probe: &Probe, before: &[f64]) -> Scale {
    let counts = matches!(&probe.source, Source::CloudWatch(metric) if matches!(metric.statistic, Statistic::Sum | Statistic::SampleCount));
    if counts {
        Scale::Count
    } else if worse(probe) == Worse::Down && before.iter().all(|value| (0.0..=100.0).contains(value)) {
        Scale::Percent
    } else if before.iter().all(|value| *value > 0.0) {
        Scale::Positive
    } else {
        Scale::Plain
    }
}

/// How small a change of a probe is seen in faults that last so long, and why that is too little for a condition on it.
pub(crate) fn power(
    experiment: &Experiment,
    probe: &Probe,
    before: &[f64],
    lasting: Span,
) -> (Option<Power>, Option<String>) {
    let scale = scale(probe, before);
    let guarded = condition(experiment, probe);
    let reference = match guarded {
        // A condition needs more of its reference than that it can be told apart: it must be steady.
        Some(degraded) => test(experiment, probe, degraded, before, 0).map(|test| *test.reference()),
        None => Reference::of(before, scale),
    };
    let reference = match reference {
        Ok(reference) => reference,
        Err(unfit) => return (None, guarded.map(|_| unfit_in_words(unfit))),
    };
    let (rule, asked) = match guarded {
        Some(degraded) => (rule(experiment, probe, degraded), Asked::Always),
        None => (Rule { worse: worse(probe), by: 0.0, alpha: 0.05 }, Asked::AtTheEnd),
    };
    let every = match &probe.source {
        Source::CloudWatch(metric) => metric.period,
        Source::Alarm(_) | Source::Prometheus(_) | Source::Http(_) | Source::Capacity(_) | Source::HostHealth(_) => {
            experiment.observe.every
        }
    };
    let datapoints = (lasting.as_millis() / every.as_millis().max(1)) as f64;
    let plan = Plan::new(reference, rule, asked);
    let example = match (rule.worse, scale) {
        (Worse::Up | Worse::Either, _) => 1.25,
        (Worse::Down, Scale::Percent) => 0.99,
        (Worse::Down, Scale::Positive | Scale::Count | Scale::Plain) => 0.8,
    };
    let Ok(example) = Finite::try_from(example) else { return (None, None) };
    let takes = |needed: u64| Span::millis(needed.saturating_mul(every.as_millis()));
    let power = Power {
        lasting,
        smallest: plan.smallest(datapoints).and_then(|factor| Finite::try_from(factor).ok()),
        example,
        takes: plan.datapoints_for(example.get()).map(takes),
    };
    let limits = [probe.tolerance.at_most, probe.tolerance.at_least].into_iter().flatten();
    let weak =
        limits.map(|limit| limit / reference.middle()).find(|factor| plan.power(*factor, datapoints) < LEAST_POWER);
    let why = guarded.and(weak).map(|factor| {
        let chance = plan.power(factor, datapoints) * 100.0;
        let rather = plan.datapoints_for(factor).map_or_else(String::new, |needed| format!(", and would need {}", takes(needed).rounded()));
        format!("it leaves its tolerance at x{factor:.2} of before, which {datapoints} datapoints show with a chance of {chance:.0} %{rather}")
    });
    (Some(power), why)
}

/// Why values cannot be compared with.
pub(crate) fn unfit_in_words(unfit: Unfit) -> String {
    match unfit {
        Unfit::TooFew(values) => {
            format!("it has {values} values from before, and {} are needed", drill_evidence::sequential::FEWEST)
        }
        Unfit::NotOnTheScale(value) => format!("its value {value} from before cannot be compared"),
        Unfit::Constant(value) => format!("it was always {value} before"),
        Unfit::Correlated(worth) => {
            format!("its values from before repeat each other: they are worth {worth:.1}, and 4 are needed")
        }
        Unfit::Unsteady { first, last } => format!("it was not steady: {first:.4} at first, and {last:.4} at last"),
    }
}
