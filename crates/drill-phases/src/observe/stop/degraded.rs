//! Whether a probe is worse than before, by all its datapoints of the fault together.

use drill_evidence::change::{Change, Ended};
use drill_evidence::interval::Interval;
use drill_evidence::series::Series;
use drill_model::experiment::{Degraded, Experiment, Probe};
use drill_model::observation::Sample;

use super::seen::{self, Watched};
use crate::compare;

/// In which words a probe is worse, if it is; `Err` when nobody can tell.
pub(super) fn worse(
    experiment: &Experiment,
    probe: &Probe,
    degraded: Degraded,
    before: &[f64],
    watched: &Watched,
    samples: &[Sample],
) -> Result<Option<String>, String> {
    let mut test =
        compare::test(experiment, probe, degraded, before, watched.all_landed()).map_err(compare::unfit_in_words)?;
    let during: Series<f64> = samples
        .iter()
        .flat_map(|sample| sample.readings.iter().map(move |reading| (sample, reading)))
        .filter(|(_, reading)| reading.probe == probe.name)
        .flat_map(|(sample, reading)| {
            let earlier = reading.earlier.iter();
            let earlier =
                earlier.map(|point| (seen::between(point.since, point.until), compare::number(&point.reading)));
            let (since, until) = (reading.since.unwrap_or(sample.at), reading.until.unwrap_or(sample.at));
            earlier.chain([(seen::between(since, until), compare::number(&reading.reading))])
        })
        .collect::<Vec<(Interval, Option<f64>)>>()
        .into_iter()
        .collect();
    for (covers, value) in during.known() {
        test.take(covers, Some(value));
    }
    if !test.is_worse() {
        return Ok(None);
    }
    let change = Change::seen_by(&test, Ended::Stopped, test.rule().alpha).and_then(|change| change.factor());
    Ok(Some(change.map_or_else(String::new, |factor| {
        format!(
            " (x{:.2} of before, x{:.2} to x{:.2}; {} datapoints)",
            factor.likely,
            factor.low,
            factor.high,
            test.taken()
        )
    })))
}
