//! A query to its value, by Prometheus's own rules.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{PromError, PromValue};
use crate::query::{Aggregate, Operator, Query};
use crate::scrape::{FRESH, Labels, Point, PromSample, Scrapes};

/// A value on the way: a vector has lost its metric's name wherever Prometheus drops it.
enum Value {
    Scalar(f64),
    Vector(Vec<PromSample>),
}

pub(super) fn evaluate(query: &Query, scrapes: &Scrapes, at: Timestamp) -> Result<PromValue, PromError> {
    Ok(match (Evaluation { scrapes, at }).value(query)? {
        Value::Scalar(value) => PromValue::Scalar(value),
        Value::Vector(samples) => PromValue::Vector(samples),
    })
}

struct Evaluation<'kept> {
    scrapes: &'kept Scrapes,
    at: Timestamp,
}

impl Evaluation<'_> {
    fn value(&self, query: &Query) -> Result<Value, PromError> {
        Ok(match query {
            Query::Number(value) => Value::Scalar(*value),
            Query::Selector(selector) => {
                let fits = |name: &str, labels: &Labels| selector.fits(name, labels);
                let present = self.scrapes.select(fits, self.at, FRESH).filter_map(|(name, labels, points)| {
                    let value = points.last()?.value;
                    Some(PromSample { name: name.to_owned(), labels: labels.clone(), value })
                });
                Value::Vector(present.collect())
            }
            Query::Range(..) => return Err(mismatch("a range such as `[5m]` needs rate or increase around it")),
            Query::Negative(of) => each(self.value(of)?, |value| -value),
            Query::Arithmetic(operator, left, right) => arithmetic(*operator, self.value(left)?, self.value(right)?)?,
            Query::Aggregate { how, by, of } => Value::Vector(aggregate(*how, by, self.vector(of)?)),
            Query::Counter { per_second, of } => Value::Vector(self.counter(*per_second, of)?),
            Query::Quantile(quantile, of) => match self.value(quantile)? {
                Value::Scalar(quantile) => Value::Vector(quantiles(quantile, self.vector(of)?)),
                Value::Vector(_) => return Err(mismatch("the first argument of histogram_quantile is a number")),
            },
        })
    }

    fn vector(&self, query: &Query) -> Result<Vec<PromSample>, PromError> {
        match self.value(query)? {
            Value::Vector(samples) => Ok(samples),
            Value::Scalar(_) => Err(mismatch("a number stands where series are needed")),
        }
    }

    fn counter(&self, per_second: bool, of: &Query) -> Result<Vec<PromSample>, PromError> {
        let Query::Range(selector, range) = of else {
            return Err(mismatch("rate and increase need a range such as `[5m]`"));
        };
        let fits = |name: &str, labels: &Labels| selector.fits(name, labels);
        let until = self.at.as_millisecond();
        let series = self.scrapes.select(fits, self.at, *range);
        Ok(series
            .filter_map(|(_, labels, points)| {
                let increase = increase(&points, until, *range)?;
                let value = if per_second { increase / range.as_secs_f64() } else { increase };
                Some(PromSample { name: String::new(), labels: labels.clone(), value })
            })
            .collect())
    }
}

/// How much a counter grew over the window: its resets bridged, and the ends of the window extrapolated when the first
/// and last samples are near enough to them. Two samples are needed.
fn increase(points: &[Point], until: i64, range: Duration) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let sampled = seconds(last.millis - first.millis);
    if points.len() < 2 || sampled <= 0.0 {
        return None;
    }
    let resets: f64 = points
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] if after.value < before.value => Some(before.value),
            _ => None,
        })
        .sum();
    let grown = last.value - first.value + resets;
    let interval = sampled / (points.len() - 1) as f64;
    let near = interval * 1.1;
    let from = until.saturating_sub_unsigned(range.as_millis() as u64);
    let (mut before, after) = (seconds(first.millis - from), seconds(until - last.millis));
    // A counter was not below zero before its first sample.
    if grown > 0.0 && first.value >= 0.0 {
        before = before.min(sampled * (first.value / grown));
    }
    let stretch = |gap: f64| if gap < near { gap } else { interval / 2.0 };
    Some(grown * (sampled + stretch(before) + stretch(after)) / sampled)
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

fn each(value: Value, change: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(value) => Value::Scalar(change(value)),
        Value::Vector(samples) => Value::Vector(
            samples
                .into_iter()
                .map(|sample| PromSample { name: String::new(), value: change(sample.value), ..sample })
                .collect(),
        ),
    }
}

fn arithmetic(operator: Operator, left: Value, right: Value) -> Result<Value, PromError> {
    let apply = |left: f64, right: f64| match operator {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Over => left / right,
    };
    Ok(match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(apply(left, right)),
        (left @ Value::Vector(_), Value::Scalar(right)) => each(left, |left| apply(left, right)),
        (Value::Scalar(left), right @ Value::Vector(_)) => each(right, |right| apply(left, right)),
        (Value::Vector(left), Value::Vector(right)) => Value::Vector(matched(left, right, apply)?),
    })
}

/// One to one, by equal labels: what has no partner has no result.
fn matched(
    left: Vec<PromSample>,
    right: Vec<PromSample>,
    apply: impl Fn(f64, f64) -> f64,
) -> Result<Vec<PromSample>, PromError> {
    let mut partners = BTreeMap::new();
    for sample in right {
        if partners.insert(sample.labels, sample.value).is_some() {
            return Err(mismatch("several series on the right of an operator have the same labels"));
        }
    }
    let mut seen = Vec::new();
    let mut results = Vec::new();
    for PromSample { labels, value, .. } in left {
        if let Some(partner) = partners.get(&labels) {
            if seen.contains(&labels) {
                return Err(mismatch("several series on the left of an operator have the same labels"));
            }
            seen.push(labels.clone());
            results.push(PromSample { name: String::new(), labels, value: apply(value, *partner) });
        }
    }
    Ok(results)
}

fn aggregate(how: Aggregate, by: &[String], samples: Vec<PromSample>) -> Vec<PromSample> {
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        let kept = |label: &String| match label.as_str() {
            "__name__" => (!sample.name.is_empty()).then(|| (label.clone(), sample.name.clone())),
            name => sample.labels.get(name).map(|value| (label.clone(), value.clone())),
        };
        groups.entry(by.iter().filter_map(kept).collect()).or_default().push(sample.value);
    }
    let result = |values: &[f64]| match how {
        Aggregate::Sum => values.iter().sum(),
        Aggregate::Avg => values.iter().sum::<f64>() / values.len() as f64,
        // Prometheus passes over NaN unless there is nothing else, as these do.
        Aggregate::Min => values.iter().copied().fold(f64::NAN, f64::min),
        Aggregate::Max => values.iter().copied().fold(f64::NAN, f64::max),
        Aggregate::Count => values.len() as f64,
    };
    let sample =
        |(labels, values): (Labels, Vec<f64>)| PromSample { name: String::new(), labels, value: result(&values) };
    groups.into_iter().map(sample).collect()
}

fn quantiles(quantile: f64, samples: Vec<PromSample>) -> Vec<PromSample> {
    let mut histograms: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for mut sample in samples {
        let bound = sample.labels.remove("le").and_then(|bound| bound.parse().ok());
        if let Some(bound) = bound {
            histograms.entry(sample.labels).or_default().push((bound, sample.value));
        }
    }
    let sample = |(labels, buckets)| PromSample { name: String::new(), labels, value: within(quantile, buckets) };
    histograms.into_iter().map(sample).collect()
}

/// The value below which `quantile` of the observations lie, taken to be even within a bucket.
fn within(quantile: f64, mut buckets: Vec<(f64, f64)>) -> f64 {
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let Some((last, rest)) = buckets.split_last() else { return f64::NAN };
    if last.0 != f64::INFINITY || rest.is_empty() || last.1 == 0.0 || quantile.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&quantile) {
        return if quantile < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let rank = quantile * last.1;
    let (mut lower, mut below) = (0.0, 0.0);
    for (number, (bound, count)) in rest.iter().enumerate() {
        if *count >= rank {
            if number == 0 && *bound <= 0.0 {
                return *bound;
            }
            return match count - below {
                0.0 => *bound,
                inside => lower + (bound - lower) * (rank - below) / inside,
            };
        }
        (lower, below) = (*bound, *count);
    }
    // In the last bucket there is no telling: the highest bound that is a number.
    lower
}

fn mismatch(what: &str) -> PromError {
    PromError::Type { what: what.to_owned() }
}
