//! A line chart of one probe: its values, the faults, the tolerance, the baseline, and where no value is known.
//!
//! Long runs are thinned out to what a picture can show; the lowest and the highest value of each column stay.

mod scale;
mod thin;

use std::collections::BTreeMap;

use drill_model::experiment::Probe;
use drill_model::ids::FaultName;
use drill_model::ledger::{Row, State};
use drill_model::observation::{Reading, Sample};
use drill_model::report::Report;
use jiff::Timestamp;

use self::scale::{Times, Values};
use crate::words::{instant, number};

/// Where the plot is, in the units of the picture (720 by 220).
const LEFT: f64 = 64.0;
const RIGHT: f64 = 704.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 180.0;
/// With so many values each gets a dot of its own.
const DOTTED: usize = 80;

/// A chart in coordinates.
pub(crate) struct Chart {
    pub(crate) probe: String,
    pub(crate) summary: String,
    pub(crate) faults: Vec<Shade>,
    pub(crate) tolerance: Option<Band>,
    pub(crate) bounds: Vec<Mark>,
    pub(crate) baseline: Option<Mark>,
    /// The `points` of each unbroken line.
    pub(crate) lines: Vec<String>,
    pub(crate) dots: Vec<Dot>,
    pub(crate) unknown: Vec<Dot>,
    pub(crate) values: Vec<Mark>,
    pub(crate) times: Vec<Mark>,
}

/// A span of time during which a fault was there.
pub(crate) struct Shade {
    pub(crate) x: String,
    pub(crate) width: String,
    pub(crate) name: String,
}

/// The values that are in tolerance.
pub(crate) struct Band {
    pub(crate) y: String,
    pub(crate) height: String,
}

/// A place on an axis, with its label.
pub(crate) struct Mark {
    pub(crate) place: String,
    pub(crate) label: String,
}

/// One sample.
pub(crate) struct Dot {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) out: bool,
    pub(crate) label: String,
}

/// One sample of one probe.
struct Point<'a> {
    at: Timestamp,
    value: Result<f64, &'a str>,
}

/// A chart for each probe of the experiment that was sampled at all.
pub(crate) fn of(report: &Report) -> Vec<Chart> {
    let Some(plan) = &report.plan else { return Vec::new() };
    if report.samples.is_empty() {
        return Vec::new();
    }
    let mut samples: Vec<&Sample> = report.samples.iter().collect();
    samples.sort_by_key(|sample| sample.at);
    let faults = faults(&report.ledger);
    let chart = |probe: &Probe| {
        let points: Vec<Point<'_>> = samples.iter().map(|sample| point(sample, probe)).collect();
        Chart::of(probe, plan.baseline(&probe.name), &points, &faults)
    };
    plan.scope.experiment.steady_state.iter().map(chart).collect()
}

fn point<'a>(sample: &'a Sample, probe: &Probe) -> Point<'a> {
    let reading = sample.readings.iter().find(|reading| reading.probe == probe.name);
    let value = match reading.map(|reading| &reading.reading) {
        // The mark stands where the wait ended: the value lies above it.
        Some(Reading::Known(value) | Reading::MoreThan(value)) => Ok(value.get()),
        Some(Reading::Unknown(why)) => Err(why.as_str()),
        None => Err("not sampled"),
    };
    Point { at: sample.at, value }
}

/// From when to when each fault was there on any target; `None` for one that is not seen to be over.
fn faults(ledger: &[Row]) -> BTreeMap<&FaultName, (Timestamp, Option<Timestamp>)> {
    let mut faults = BTreeMap::new();
    for row in ledger {
        let Some(landed) = row.state.landed() else { continue };
        let over = match &row.state {
            State::Undone { .. } => Some(row.since),
            State::Intended | State::Landed { .. } | State::NeverMade { .. } | State::Abandoned { .. } => None,
        };
        let (from, to) = faults.entry(&row.fault).or_insert((landed, over));
        *from = landed.min(*from);
        *to = to.zip(over).map(|(known, over)| known.max(over));
    }
    faults
}

impl Chart {
    fn of(
        probe: &Probe,
        baseline: Option<f64>,
        points: &[Point<'_>],
        faults: &BTreeMap<&FaultName, (Timestamp, Option<Timestamp>)>,
    ) -> Self {
        let tolerance = probe.tolerance;
        let ends = faults.values().flat_map(|(from, to)| [Some(*from), *to]).flatten();
        let times = Times::over(points.iter().map(|point| point.at).chain(ends));
        let known = points.iter().filter_map(|point| point.value.ok());
        let bounds = [tolerance.at_least, tolerance.at_most].into_iter().flatten().filter(|bound| bound.is_finite());
        let values = Values::over(known.chain(bounds.clone()).chain(baseline));
        let shown = thin::out(points);

        let place = |point: &Point<'_>| point.value.ok().map(|value| (times.x(point.at), values.y(value)));
        let broken = shown.split(|point| point.value.is_err()).filter(|line| line.len() > 1);
        let lines = broken.map(|line| {
            let places = line.iter().filter_map(|point| place(point)).map(|(x, y)| format!("{x:.1},{y:.1}"));
            places.collect::<Vec<_>>().join(" ")
        });
        let alone = |index: usize| {
            let known = |index: Option<usize>| {
                index.and_then(|index| shown.get(index)).is_some_and(|point: &&Point<'_>| point.value.is_ok())
            };
            !known(index.checked_sub(1)) && !known(Some(index + 1))
        };
        let dots = shown.iter().enumerate().filter_map(|(index, point)| {
            let value = point.value.ok()?;
            let out = !tolerance.admits(value);
            let label = format!("{} at {}", number(value), instant(point.at));
            (out || shown.len() <= DOTTED || alone(index))
                .then(|| Dot::at(times.x(point.at), values.y(value), out, label))
        });
        let unknown = shown.iter().filter_map(|point| {
            let label = format!("no value at {}: {}", instant(point.at), point.value.err()?);
            Some(Dot::at(times.x(point.at), BOTTOM - 6.0, false, label))
        });
        let zero = faults.values().map(|(from, _)| *from).min().or_else(|| points.first().map(|point| point.at));
        Self {
            probe: probe.name.to_string(),
            summary: summary(probe, baseline, points),
            faults: faults.iter().map(|(name, (from, to))| Shade::of(name, *from, *to, &times)).collect(),
            tolerance: (tolerance.at_least.is_some() || tolerance.at_most.is_some()).then(|| {
                let top = tolerance.at_most.filter(|bound| bound.is_finite()).map_or(TOP, |most| values.y(most));
                let bottom =
                    tolerance.at_least.filter(|bound| bound.is_finite()).map_or(BOTTOM, |least| values.y(least));
                Band { y: coordinate(top), height: coordinate((bottom - top).max(0.0)) }
            }),
            bounds: bounds.map(|bound| Mark::at(values.y(bound), number(bound))).collect(),
            baseline: baseline.map(|baseline| Mark::at(values.y(baseline), number(baseline))),
            lines: lines.collect(),
            dots: dots.collect(),
            unknown: unknown.collect(),
            values: values.ticks().into_iter().map(|value| Mark::at(values.y(value), number(value))).collect(),
            times: zero.map(|zero| times.ticks(zero)).unwrap_or_default(),
        }
    }
}

/// The chart in one sentence, for those who do not see it.
fn summary(probe: &Probe, baseline: Option<f64>, points: &[Point<'_>]) -> String {
    let known: Vec<f64> = points.iter().filter_map(|point| point.value.ok()).collect();
    let unknown = points.len() - known.len();
    let lowest = known.iter().copied().reduce(f64::min);
    let highest = known.iter().copied().reduce(f64::max);
    let range = match (lowest, highest) {
        (Some(lowest), Some(highest)) => format!("from {} to {}", number(lowest), number(highest)),
        (Some(_) | None, _) => "no value known".to_owned(),
    };
    let baseline = baseline.map_or_else(|| "no baseline".to_owned(), |value| format!("baseline {}", number(value)));
    format!("{} samples, {range}; {unknown} unknown; tolerance {}; {baseline}", points.len(), probe.tolerance)
}

fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

impl Mark {
    fn at(place: f64, label: String) -> Self {
        Self { place: coordinate(place), label }
    }
}

impl Dot {
    fn at(x: f64, y: f64, out: bool, label: String) -> Self {
        Self { x: coordinate(x), y: coordinate(y), out, label }
    }
}

impl Shade {
    fn of(fault: &FaultName, from: Timestamp, to: Option<Timestamp>, times: &Times) -> Self {
        let left = times.x(from);
        let right = to.map_or(RIGHT, |to| times.x(to));
        let name = if to.is_some() { fault.to_string() } else { format!("{fault}, not seen to be over") };
        // A fault that happens once is an instant, and is seen all the same.
        Self { x: coordinate(left), width: coordinate((right - left).max(1.5)), name }
    }
}
