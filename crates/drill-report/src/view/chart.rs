//! A line chart of one probe: its values, the faults, the tolerance, the baseline, and where no value is known.
//!
//! Long runs are thinned out to what a picture can show; the lowest and the highest value of each column stay.

mod gaps;
mod scale;
mod thin;

use std::collections::BTreeMap;

use drill_model::experiment::{Probe, Trigger};
use drill_model::ids::FaultName;
use drill_model::ledger::{Row, State};
use drill_model::observation::{Reading, Sample};
use drill_model::plan::Plan;
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
    /// Beyond these the run is stopped.
    pub(crate) stops: Vec<Mark>,
    pub(crate) baseline: Option<Mark>,
    /// When a fault may have begun or ended: nobody saw the moment itself.
    pub(crate) maybe: Vec<Shade>,
    /// Where nobody looked.
    pub(crate) gaps: Vec<Shade>,
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
    /// The value lies above this place, nobody knows how far.
    pub(crate) beyond: bool,
    pub(crate) label: String,
}

/// One sample of one probe.
struct Point<'a> {
    at: Timestamp,
    value: Result<f64, &'a str>,
    beyond: bool,
}

/// When a fault was there, on any of its targets.
struct When {
    /// It was not there before this.
    earliest: Timestamp,
    /// It was there by this.
    landed: Timestamp,
    /// It was not there any more after this; `None` while nobody saw it gone.
    over: Option<Timestamp>,
    /// It was there until this, as far as anybody knows.
    held: Option<Timestamp>,
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
    let gaps = gaps::between(plan, &samples);
    let chart = |probe: &Probe| {
        let points: Vec<Point<'_>> = samples.iter().map(|sample| point(sample, probe)).collect();
        let baseline = plan.baseline(&probe.name);
        let stops = stops(plan, probe, baseline);
        Chart::of(probe, baseline, &stops, &points, &faults, &gaps)
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
    let beyond = reading.is_some_and(|reading| matches!(reading.reading, Reading::MoreThan(_)));
    Point { at: sample.at, value, beyond }
}

/// Beyond which values of a probe the run is stopped.
fn stops(plan: &Plan, probe: &Probe, baseline: Option<f64>) -> Vec<f64> {
    let of = |trigger: &Trigger| match trigger {
        Trigger::AboveBaseline(of, multiple) | Trigger::BelowBaseline(of, multiple) if *of == probe.name => {
            baseline.map(|baseline| baseline * multiple.get()).into_iter().collect()
        }
        Trigger::Outside(of, bounds) if *of == probe.name => {
            [bounds.at_least, bounds.at_most].into_iter().flatten().collect()
        }
        Trigger::AboveBaseline(..)
        | Trigger::BelowBaseline(..)
        | Trigger::Outside(..)
        | Trigger::Degraded(..)
        | Trigger::Alarm(_) => Vec::new(),
    };
    let conditions = plan.scope.experiment.guards.stop_when.conditions();
    conditions.iter().flat_map(|condition| of(&condition.trigger)).filter(|value: &f64| value.is_finite()).collect()
}

/// When each fault was there on any target.
fn faults(ledger: &[Row]) -> BTreeMap<&FaultName, When> {
    let mut faults: BTreeMap<&FaultName, When> = BTreeMap::new();
    for row in ledger {
        let Some(landed) = row.state.landed() else { continue };
        let (over, held) = match &row.state {
            State::Undone { told, .. } => (Some(row.since), Some(told.ended.unwrap_or(row.ends_at).min(row.since))),
            State::Intended | State::Landed { .. } | State::NeverMade { .. } | State::Abandoned { .. } => (None, None),
        };
        let earliest = row.intended_at.min(landed);
        faults
            .entry(&row.fault)
            .and_modify(|when| {
                when.earliest = when.earliest.min(earliest);
                when.landed = when.landed.min(landed);
                when.over = when.over.zip(over).map(|(known, over)| known.max(over));
                when.held = when.held.zip(held).map(|(known, held)| known.max(held));
            })
            .or_insert(When { earliest, landed, over, held });
    }
    faults
}

impl Chart {
    fn of(
        probe: &Probe,
        baseline: Option<f64>,
        stops: &[f64],
        points: &[Point<'_>],
        faults: &BTreeMap<&FaultName, When>,
        gaps: &[(Timestamp, Timestamp)],
    ) -> Self {
        let tolerance = probe.tolerance;
        let ends = faults.values().flat_map(|when| [Some(when.earliest), when.over]).flatten();
        let times = Times::over(points.iter().map(|point| point.at).chain(ends));
        let known = points.iter().filter_map(|point| point.value.ok());
        let bounds = [tolerance.at_least, tolerance.at_most].into_iter().flatten().filter(|bound| bound.is_finite());
        let values = Values::over(known.chain(bounds.clone()).chain(baseline).chain(stops.iter().copied()));
        let shown = thin::out(points);

        let place = |point: &Point<'_>| point.value.ok().map(|value| (times.x(point.at), values.y(value)));
        // A line over a time in which nobody looked would say what nobody knows.
        let unbroken = |before: &&Point<'_>, after: &&Point<'_>| {
            let hidden = gaps.iter().any(|(from, to)| before.at <= *from && *to <= after.at);
            before.value.is_ok() && after.value.is_ok() && !hidden
        };
        let lines = shown.chunk_by(unbroken).filter(|line| line.len() > 1).map(|line| {
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
            let more = if point.beyond { "more than " } else { "" };
            let label = format!("{more}{} at {}", number(value), instant(point.at));
            let (x, y) = (times.x(point.at), values.y(value));
            (out || shown.len() <= DOTTED || alone(index))
                .then(|| Dot { beyond: point.beyond, ..Dot::at(x, y, out || point.beyond, label) })
        });
        let unknown = shown.iter().filter_map(|point| {
            let label = format!("no value at {}: {}", instant(point.at), point.value.err()?);
            Some(Dot::at(times.x(point.at), BOTTOM - 6.0, false, label))
        });
        let zero = faults.values().map(|when| when.landed).min().or_else(|| points.first().map(|point| point.at));
        Self {
            probe: probe.name.to_string(),
            summary: summary(probe, baseline, points),
            faults: faults
                .iter()
                .map(|(name, when)| {
                    let name =
                        if when.over.is_some() { name.to_string() } else { format!("{name}, not seen to be over") };
                    Shade::of(name, when.landed, when.held.map(|held| held.max(when.landed)), &times)
                })
                .collect(),
            maybe: faults.iter().flat_map(|(name, when)| maybe(name, when, &times)).collect(),
            gaps: gaps
                .iter()
                .map(|(from, to)| {
                    let name = format!("nobody looked from {} to {}", instant(*from), instant(*to));
                    Shade::of(name, *from, Some(*to), &times)
                })
                .collect(),
            stops: stops.iter().map(|stop| Mark::at(values.y(*stop), number(*stop))).collect(),
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

/// When a fault may have been there already, and when it may still have been.
fn maybe(name: &FaultName, when: &When, times: &Times) -> Vec<Shade> {
    let mut shades = Vec::new();
    if when.earliest < when.landed {
        shades.push(Shade::of(format!("{name} began in here"), when.earliest, Some(when.landed), times));
    }
    if let (Some(held), Some(over)) = (when.held, when.over)
        && held < over
    {
        shades.push(Shade::of(format!("{name} ended in here"), held.max(when.landed), Some(over), times));
    }
    shades
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
        Self { x: coordinate(x), y: coordinate(y), out, beyond: false, label }
    }
}

impl Shade {
    fn of(name: String, from: Timestamp, to: Option<Timestamp>, times: &Times) -> Self {
        let left = times.x(from);
        let right = to.map_or(RIGHT, |to| times.x(to));
        // A fault that happens once is an instant, and is seen all the same.
        Self { x: coordinate(left), width: coordinate((right - left).max(1.5)), name }
    }
}
