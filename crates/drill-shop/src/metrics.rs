//! Counters, gauges and histograms in Prometheus's text format.
//!
//! A family is declared once, with its kind and help; a series appears when it is first counted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Upper bounds in seconds, for latencies between a fast answer and a hopeless one.
const BUCKETS: [f64; 11] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// What a family measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A service's metrics. Clones are the same metrics.
#[derive(Clone)]
pub(crate) struct Metrics {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
}

struct Family {
    kind: Kind,
    help: &'static str,
    series: BTreeMap<String, Series>,
}

#[derive(Clone, Copy, Default)]
struct Series {
    value: f64,
    buckets: [u64; BUCKETS.len()],
    count: u64,
}

impl Metrics {
    /// The families of a service.
    pub(crate) fn new(families: &[(&'static str, Kind, &'static str)]) -> Metrics {
        let family = |kind, help| Family { kind, help, series: BTreeMap::new() };
        let families = families.iter().map(|(name, kind, help)| (*name, family(*kind, *help))).collect();
        Metrics { families: Arc::new(Mutex::new(families)) }
    }

    /// Counts one more.
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) {
        self.change(name, labels, |series| series.value += 1.0);
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.change(name, labels, |series| series.value = value);
    }

    /// Notes how long something took.
    pub(crate) fn observe(&self, name: &str, labels: &[(&str, &str)], seconds: f64) {
        self.change(name, labels, |series| {
            series.value += seconds;
            series.count += 1;
            for (bucket, bound) in series.buckets.iter_mut().zip(BUCKETS) {
                *bucket += u64::from(seconds <= bound);
            }
        });
    }

    fn change(&self, name: &str, labels: &[(&str, &str)], change: impl FnOnce(&mut Series)) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(family) = families.get_mut(name) {
            change(family.series.entry(labels.join(",")).or_default());
        }
    }

    /// The text that `/metrics` answers.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // Writing to a string cannot go wrong.
            family.render(name, &mut text).ok();
        }
        text
    }
}

impl Family {
    fn render(&self, name: &str, text: &mut String) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", self.help)?;
        for (labels, series) in &self.series {
            let braced = |extra: &str| {
                let inner: Vec<&str> = [labels.as_str(), extra].into_iter().filter(|part| !part.is_empty()).collect();
                if inner.is_empty() { String::new() } else { format!("{{{}}}", inner.join(",")) }
            };
            if self.kind != Kind::Histogram {
                writeln!(text, "{name}{} {}", braced(""), series.value)?;
                continue;
            }
            for (bucket, bound) in series.buckets.iter().zip(BUCKETS) {
                writeln!(text, "{name}_bucket{} {bucket}", braced(&format!("le=\"{bound}\"")))?;
            }
            writeln!(text, "{name}_bucket{} {}", braced("le=\"+Inf\""), series.count)?;
            writeln!(text, "{name}_sum{} {}", braced(""), series.value)?;
            writeln!(text, "{name}_count{} {}", braced(""), series.count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_prometheuss() {
        let metrics = Metrics::new(&[
            ("orders_total", Kind::Counter, "Orders by outcome."),
            ("order_seconds", Kind::Histogram, "Time to an answer."),
        ]);

        metrics.count("orders_total", &[("outcome", "accepted")]);
        metrics.count("orders_total", &[("outcome", "accepted")]);
        metrics.observe("order_seconds", &[], 0.3);

        let text = metrics.render();
        assert!(text.contains("# TYPE orders_total counter\norders_total{outcome=\"accepted\"} 2\n"), "{text}");
        assert!(text.contains("order_seconds_bucket{le=\"0.25\"} 0\norder_seconds_bucket{le=\"0.5\"} 1\n"), "{text}");
        assert!(text.contains("order_seconds_bucket{le=\"+Inf\"} 1\norder_seconds_sum 0.3\norder_seconds_count 1\n"));
    }
}
