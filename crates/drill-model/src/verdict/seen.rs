//! The samples in the order they were taken, each once, and what they say of a probe: distinct datapoints, each with the time
//! that it tells of. Two different records of one sample make that sample unknown.

use std::collections::BTreeMap;

use drill_evidence::interval::Interval;
use drill_evidence::series::Series;
use jiff::Timestamp;

use super::times::millis;
use crate::experiment::{Probe, Source};
use crate::observation::{ProbeReading, Reading, Sample, Stage};

/// The samples of a run.
pub(super) struct Seen<'a>(Vec<Once<'a>>);

/// One sample, recorded once or several times.
struct Once<'a> {
    sample: &'a Sample,
    at: Timestamp,
    disputed: bool,
}

/// A value that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Is(f64),
    /// More than this; how much more is not known.
    MoreThan(f64),
}

impl Value {
    /// Whether it is out of bounds; `None` when that cannot be said.
    pub(super) fn is_out(self, least: Option<f64>, most: Option<f64>) -> Option<bool> {
        match self {
            Self::Is(value) => Some(least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most)),
            Self::MoreThan(value) => match (least, most) {
                (_, Some(most)) if value >= most => Some(true),
                (Some(least), None) if value >= least => Some(false),
                (None, None) => Some(false),
                (_, Some(_)) | (Some(_), None) => None,
            },
        }
    }

    /// The number: of a value that is only known to be more, the least that it can be.
    pub(super) const fn number(self) -> f64 {
        match self {
            Self::Is(value) | Self::MoreThan(value) => value,
        }
    }
}

impl<'a> Seen<'a> {
    /// Every sample once, in the order of their instants.
    pub(super) fn in_order(samples: &'a [Sample]) -> Self {
        let mut once: BTreeMap<(Stage, u32), Once<'a>> = BTreeMap::new();
        for sample in samples {
            once.entry((sample.stage, sample.number))
                .and_modify(|seen| {
                    seen.disputed |= seen.sample != sample;
                    seen.at = seen.at.max(sample.at);
                })
                .or_insert(Once { sample, at: sample.at, disputed: false });
        }
        let mut seen: Vec<Once<'a>> = once.into_values().collect();
        // Stable: samples of one instant stay in the order of their stage and number.
        seen.sort_by_key(|seen| seen.at);
        Self(seen)
    }

    /// What a probe showed from the first fault on.
    pub(super) fn of(&self, probe: &Probe) -> Series<Value> {
        self.series(probe, |stage| stage != Stage::Baseline)
    }

    /// What a probe showed before anything was broken.
    pub(super) fn before(&self, probe: &Probe) -> Series<Value> {
        self.series(probe, |stage| stage == Stage::Baseline)
    }

    fn series(&self, probe: &Probe, stage: impl Fn(Stage) -> bool) -> Series<Value> {
        let those = self.0.iter().filter(|once| stage(once.sample.stage));
        those.flat_map(|once| once.earlier(probe).chain([(once.covers(probe), once.reading(probe).ok())])).collect()
    }

    /// Why a probe was not known in this time, the first time.
    pub(super) fn why_unknown(&self, probe: &Probe, meets: impl Fn(Interval) -> bool) -> Option<&'a str> {
        let those = self.0.iter().filter(|once| once.sample.stage != Stage::Baseline && meets(once.covers(probe)));
        those.filter_map(|once| once.reading(probe).err()).next()
    }

    /// When the last sample was taken.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.0.iter().rev().find(|once| once.sample.stage != Stage::Baseline).map(|once| once.at)
    }
}

impl<'a> Once<'a> {
    fn readings<'b>(&self, probe: &'b Probe) -> impl Iterator<Item = &'a ProbeReading> + use<'a, 'b> {
        self.sample.readings.iter().filter(|reading| reading.probe == probe.name)
    }

    /// The datapoints from before that were read with this sample: for the first time, or with another value than before.
    fn earlier<'b>(&self, probe: &'b Probe) -> impl Iterator<Item = (Interval, Option<Value>)> + use<'a, 'b> {
        let disputed = self.disputed;
        let datapoints = self.readings(probe).filter(move |_| !disputed).flat_map(|reading| &reading.earlier);
        datapoints.filter_map(|datapoint| {
            let covers = Interval::new(millis(datapoint.since), millis(datapoint.until))?;
            Some((covers, value(&datapoint.reading).ok()))
        })
    }

    /// The time that a probe's value tells of: the sample's own instant where it does not say.
    fn covers(&self, probe: &Probe) -> Interval {
        let reading = self.readings(probe).next();
        let from = reading.and_then(|reading| reading.since).map_or(self.at, |since| since.min(self.at));
        let until = match (reading.and_then(|reading| reading.until), &probe.source) {
            (Some(until), _) => millis(until),
            (None, Source::CloudWatch(metric)) if from < self.at => {
                millis(from).saturating_add(i64::try_from(metric.period.as_millis()).unwrap_or(i64::MAX))
            }
            (None, _) => millis(self.at),
        };
        Interval::look(millis(from), until.saturating_sub(millis(from)))
    }

    /// What a probe showed, or why that is unknown.
    fn reading(&self, probe: &Probe) -> Result<Value, &'a str> {
        if self.disputed {
            return Err("recorded twice, differently");
        }
        let mut readings = self.readings(probe);
        match (readings.next(), readings.next()) {
            (None, _) => Err("not sampled"),
            (Some(_), Some(_)) => Err("several readings in one sample"),
            (Some(only), None) => value(&only.reading),
        }
    }
}

/// What a reading says, or why it says nothing.
fn value(reading: &Reading) -> Result<Value, &str> {
    match reading {
        Reading::Known(value) => Ok(Value::Is(value.get())),
        Reading::MoreThan(value) => Ok(Value::MoreThan(value.get())),
        Reading::Unknown(why) => Err(why),
    }
}
