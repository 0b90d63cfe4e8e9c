//! Prometheus as far as a drill needs it: samples read from `/metrics` every second and kept for a while.
//!
//! A target that does not answer has `up` 0 and nothing else; old samples of it are never shown as new.
//! Next: [`crate::instant`] asks questions of what is kept.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A series' labels, without its name.
pub type Labels = BTreeMap<String, String>;

/// How old a sample may be to count as the present: three scrapes.
pub(crate) const FRESH: Duration = Duration::from_secs(3);

/// How long samples are kept.
const KEPT: Duration = Duration::from_secs(15 * 60);

/// One sample of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromSample {
    /// The metric.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// Samples by series.
#[derive(Clone, Debug, Default)]
pub struct Scrapes {
    series: BTreeMap<(String, Labels), VecDeque<Point>>,
}

/// A value and its time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) millis: i64,
    pub(crate) value: f64,
}

/// A line of `/metrics` that is not Prometheus's text format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Prometheus sample: `{line}`")]
pub struct NotASample {
    line: String,
}

impl Scrapes {
    /// Keeps what one scrape read, and forgets what is too old. Samples of one series come in the order of time.
    pub fn keep(&mut self, at: Timestamp, samples: impl IntoIterator<Item = PromSample>) {
        let millis = at.as_millisecond();
        for PromSample { name, labels, value } in samples {
            self.series.entry((name, labels)).or_default().push_back(Point { millis, value });
        }
        let oldest = millis.saturating_sub_unsigned(KEPT.as_millis() as u64);
        self.series.retain(|_, points| {
            while points.front().is_some_and(|point| point.millis < oldest) {
                points.pop_front();
            }
            !points.is_empty()
        });
    }

    /// The present: the last fresh sample of every series.
    pub fn now(&self, at: Timestamp) -> Vec<PromSample> {
        self.select(|_, _| true, at, FRESH)
            .filter_map(|(name, labels, points)| {
                let value = points.last()?.value;
                Some(PromSample { name: name.to_owned(), labels: labels.clone(), value })
            })
            .collect()
    }

    /// Of each series that fits, the points in the `window` before `at`, when there are any.
    pub(crate) fn select<'kept>(
        &'kept self,
        fits: impl Fn(&str, &Labels) -> bool + 'kept,
        at: Timestamp,
        window: Duration,
    ) -> impl Iterator<Item = (&'kept str, &'kept Labels, Vec<Point>)> {
        let until = at.as_millisecond();
        let from = until.saturating_sub_unsigned(window.as_millis() as u64);
        self.series.iter().filter(move |((name, labels), _)| fits(name, labels)).filter_map(
            move |((name, labels), points)| {
                // Open at the left: a window of one interval holds one sample.
                let within: Vec<Point> =
                    points.iter().filter(|point| point.millis > from && point.millis <= until).copied().collect();
                (!within.is_empty()).then_some((name.as_str(), labels, within))
            },
        )
    }
}

/// Reads Prometheus's text format; comments and times are passed over.
pub fn parse(text: &str) -> Result<Vec<PromSample>, NotASample> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| sample(line).ok_or_else(|| NotASample { line: line.to_owned() })).collect()
}

fn sample(line: &str) -> Option<PromSample> {
    let end = line.find(|letter: char| letter == '{' || letter.is_whitespace())?;
    let (name, mut rest) = line.split_at_checked(end)?;
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(label.trim().to_owned(), value);
            rest = after;
        }
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then(|| PromSample { name: name.to_owned(), labels, value })
}

/// The rest of a quoted text and what follows its closing quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_text_format_is_read_with_its_escapes() {
        let text = "# HELP a b\na_total{x=\"1\",y=\"two } \\\"words\\\"\"} 5 1700000000000\n\nb 2.5e-3\nc{} +Inf\n";

        let samples = parse(text).unwrap();

        let sample = |name: &str, labels, value| PromSample { name: name.to_owned(), labels, value };
        assert_eq!(
            samples,
            [
                sample("a_total", labels(&[("x", "1"), ("y", "two } \"words\"")]), 5.0),
                sample("b", Labels::new(), 0.0025),
                sample("c", Labels::new(), f64::INFINITY),
            ]
        );
    }

    #[test]
    fn what_is_not_a_sample_is_an_error_and_not_a_number() {
        for wrong in ["a", "a{", "a{x=\"1\"", "a{x=1} 5", "{x=\"1\"} 5", "a five"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_stale_is_not_the_present() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let mut scrapes = Scrapes::default();
        scrapes.keep(second(100), parse("a 1").unwrap());
        scrapes.keep(second(101), parse("b 2").unwrap());

        let names = |at| scrapes.now(second(at)).into_iter().map(|sample| sample.name).collect::<Vec<_>>();

        assert_eq!(names(102), ["a", "b"]);
        assert_eq!(names(103), ["b"]);
        assert_eq!(names(99), [""; 0]);
    }

    #[test]
    fn a_kept_sample_ends_with_its_time() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let mut scrapes = Scrapes::default();
        scrapes.keep(second(0), parse("a 1").unwrap());
        scrapes.keep(second(KEPT.as_secs() as i64 + 1), parse("b 1").unwrap());

        assert_eq!(scrapes.series.len(), 1);
    }
}
