//! The samples in the order they were taken, each once. Two different records of one sample make that sample unknown.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::ProbeName;
use crate::observation::{Reading, Sample, Stage};

/// One sample, recorded once or several times.
pub(super) struct Seen<'a> {
    pub(super) stage: Stage,
    pub(super) at: Timestamp,
    sample: &'a Sample,
    disputed: bool,
}

impl<'a> Seen<'a> {
    /// Every sample once, in the order of their instants.
    pub(super) fn in_order(samples: &'a [Sample]) -> Vec<Self> {
        let mut once: BTreeMap<(Stage, u32), Self> = BTreeMap::new();
        for sample in samples {
            once.entry((sample.stage, sample.number))
                .and_modify(|seen| {
                    seen.disputed |= seen.sample != sample;
                    seen.at = seen.at.max(sample.at);
                })
                .or_insert(Self { stage: sample.stage, at: sample.at, sample, disputed: false });
        }
        let mut seen: Vec<Self> = once.into_values().collect();
        // Stable: samples of one instant stay in the order of their stage and number.
        seen.sort_by_key(|seen| seen.at);
        seen
    }

    /// The beginning of the time that a probe's value tells of: the sample's own instant, or that of its datapoint.
    pub(super) fn since(&self, probe: &ProbeName) -> Timestamp {
        let of_probe = self.sample.readings.iter().find(|reading| reading.probe == *probe);
        of_probe.and_then(|reading| reading.since).map_or(self.at, |since| since.min(self.at))
    }

    /// What a probe showed, or why that is unknown.
    pub(super) fn reading(&self, probe: &ProbeName) -> Result<f64, &'a str> {
        if self.disputed {
            return Err("recorded twice, differently");
        }
        let mut readings = self.sample.readings.iter().filter(|reading| reading.probe == *probe);
        match (readings.next(), readings.next()) {
            (None, _) => Err("not sampled"),
            (Some(_), Some(_)) => Err("several readings in one sample"),
            (Some(only), None) => match &only.reading {
                Reading::Known(value) => Ok(value.get()),
                Reading::MoreThan(_) => Err("no answer in time"),
                Reading::Unknown(why) => Err(why),
            },
        }
    }
}
