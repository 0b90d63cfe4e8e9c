//! How it is watched: samples that are enough for a verdict, in a time that there is.

use super::super::Experiment;
use super::{Problems, schedule, times};
use crate::plan::Pacing;
use crate::quantity::Span;

const SECOND: Span = Span::seconds(1);
const LONGEST_BASELINE: Span = Span::seconds(600);
const LONGEST_RECOVERY: Span = Span::seconds(24 * 3600);
/// More samples than this in a row say nothing that fewer do not.
const MOST_SAMPLES: u16 = 1_000;

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    let counts = [
        ("observe.baseline_samples", experiment.observe.baseline_samples.unwrap_or(1), "5"),
        ("observe.min_samples", experiment.observe.min_samples, "3"),
        ("observe.unknown_samples", experiment.observe.unknown_samples, "3"),
        ("recovery.good_samples", experiment.recovery.good_samples, "2"),
    ];
    for (path, count, usual) in counts {
        if count == 0 || count > MOST_SAMPLES {
            let help = format!("write 1 to {MOST_SAMPLES}, such as {usual}");
            found.add(path, format!("{count} samples cannot be waited for"), help);
        }
    }
    observe(experiment, found);
    recovery(experiment, found);
}

fn observe(experiment: &Experiment, found: &mut Problems) {
    let observe = &experiment.observe;
    if observe.every < SECOND {
        found.add("observe.every", format!("nothing is sampled every {}", observe.every), "write 1s or more");
        return;
    }
    let samples = observe.baseline_samples.unwrap_or(1);
    let baseline = u64::from(samples).saturating_mul(observe.every.as_millis());
    if baseline > LONGEST_BASELINE.as_millis() && samples <= MOST_SAMPLES {
        let message =
            format!("a baseline of {samples} samples every {} takes {}", observe.every, Span::millis(baseline));
        found.add("observe.baseline_samples", message, format!("write fewer: it may take {LONGEST_BASELINE}"));
    }
    let slots = schedule(experiment);
    let length = schedule::lasting(&slots);
    let samples = times(observe.every, length);
    if u64::from(observe.min_samples) > samples && observe.min_samples <= MOST_SAMPLES && !length.is_zero() {
        let message = format!(
            "{} samples are needed, and faults of {length} sampled every {} give {samples}: this could never be supported",
            observe.min_samples, observe.every
        );
        found.add("observe.min_samples", message, "sample more often, let the faults last longer, or ask for fewer");
    }
    if let Err(error) = Pacing::of(schedule::length(&slots), observe.every) {
        let text = error.to_string();
        let (message, help) = text.split_once(": ").unwrap_or((&text, "sample less often"));
        found.add("observe.every", message, help);
    }
}

fn recovery(experiment: &Experiment, found: &mut Problems) {
    let recovery = &experiment.recovery;
    if recovery.within.is_zero() || recovery.within > LONGEST_RECOVERY {
        let message = format!("recovery cannot be looked at for {}", recovery.within);
        found.add("recovery.within", message, format!("write more than 0s and at most {LONGEST_RECOVERY}"));
        return;
    }
    if recovery.check_every < SECOND {
        let message = format!("nothing is looked at every {}", recovery.check_every);
        found.add("recovery.check_every", message, "write 1s or more");
        return;
    }
    let looks = times(recovery.check_every, recovery.within);
    if u64::from(recovery.good_samples) > looks && recovery.good_samples <= MOST_SAMPLES {
        let message = format!(
            "{} good looks are needed, and there are {looks} in {}: it could never be seen to recover",
            recovery.good_samples, recovery.within
        );
        found.add("recovery.good_samples", message, "look more often, wait longer, or ask for fewer");
    }
}
