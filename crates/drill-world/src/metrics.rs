//! CloudWatch: raw samples in, datapoints out; and the sources that others give: PromQL, HTTP, models of a service.
//!
//! A model says what a service measures at an instant as a function of how its hosts are then. It is asked when somebody
//! reads, for the instants that are read, so hours can pass without work.

mod statistics;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use drill_model::experiment::{CloudWatchProbe, HttpProbe};
use drill_model::ids::AlarmName;
use drill_model::observation::AlarmReading;
use drill_phases::ports::{Answer, Class, Datapoint, Http, HttpReading, Metrics, PortError, Prometheus};

use jiff::Timestamp;

use self::statistics::Statistic;
use crate::calls::Method;
use crate::faulty::Freshness;
use crate::hosts::HostsView;
use crate::time::Local;
use crate::world::World;

/// The most queries of one GetMetricData.
const QUERIES: usize = 500;

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the fields are CloudWatch's")]
pub struct Metric {
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    /// A metric without dimensions.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: BTreeMap::new() }
    }

    /// With this dimension.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.dimensions.insert(name.to_owned(), value.to_owned());
        self
    }

    fn of(probe: &CloudWatchProbe) -> Self {
        Self { namespace: probe.namespace.clone(), name: probe.metric.clone(), dimensions: probe.dimensions.clone() }
    }
}

/// One measured value.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Datum {
    pub metric: Metric,
    pub value: f64,
}

type Model = Rc<dyn Fn(&HostsView, Timestamp) -> Vec<Datum>>;
type AnswerPrometheus = Rc<dyn Fn(&str, Timestamp) -> Result<f64, String>>;
type AnswerHttp = Rc<dyn Fn(HttpProbe) -> Local<'static, Answer<HttpReading>>>;
/// Values by instant, oldest first.
type Values = Vec<(Timestamp, f64)>;

/// What was measured, and by what.
#[derive(Default)]
pub(crate) struct MetricStore {
    raw: BTreeMap<Metric, BTreeMap<Timestamp, Vec<f64>>>,
    models: Vec<Model>,
    /// How the hosts were, and since when.
    views: Vec<(Timestamp, Rc<HostsView>)>,
    /// The hosts are not as the last view says.
    changed: bool,
    prometheus: Option<AnswerPrometheus>,
    http: Option<AnswerHttp>,
}

impl MetricStore {
    pub(crate) fn hosts_changed(&mut self) {
        self.changed = true;
    }

    fn view_at(&self, at: Timestamp) -> Option<Rc<HostsView>> {
        let found = self.views.iter().rev().find(|(since, _)| *since <= at).or_else(|| self.views.first());
        found.map(|(_, view)| Rc::clone(view))
    }
}

impl World {
    /// Measured: a value of a metric at an instant.
    pub fn put_metric(&self, metric: &Metric, at: Timestamp, value: f64) {
        self.state().metrics.raw.entry(metric.clone()).or_default().entry(at).or_default().push(value);
    }

    /// Forgets what was measured before an instant.
    pub fn forget_metrics(&self, before: Timestamp) {
        for values in self.state().metrics.raw.values_mut() {
            *values = values.split_off(&before);
        }
    }

    /// Adds a model of a service: what it measures, each second, when the hosts are like this. It must always say the same
    /// of the same.
    pub fn model(&self, model: impl Fn(&HostsView, Timestamp) -> Vec<Datum> + 'static) {
        self.state().metrics.models.push(Rc::new(model));
    }

    /// Who answers PromQL queries.
    pub fn answer_prometheus(&self, answer: impl Fn(&str, Timestamp) -> Result<f64, String> + 'static) {
        self.state().metrics.prometheus = Some(Rc::new(answer));
    }

    /// Who answers GET requests.
    pub fn answer_http<F>(&self, answer: impl Fn(HttpProbe) -> F + 'static)
    where
        F: Future<Output = Answer<HttpReading>> + 'static,
    {
        self.state().metrics.http = Some(Rc::new(move |probe| Box::pin(answer(probe))));
    }

    /// Notes how the hosts are, if that has changed since it was last noted.
    pub(crate) fn note_view(&self, now: Timestamp) {
        {
            let state = self.state();
            if !state.metrics.changed || state.metrics.models.is_empty() {
                return;
            }
        }
        let view = Rc::new(self.plane().view());
        let mut state = self.state();
        state.metrics.changed = false;
        let views = &mut state.metrics.views;
        if views.last().is_some_and(|(since, _)| *since == now) {
            views.pop();
        }
        views.push((now, view));
    }

    /// The values of some metrics in `[from, to)`, as far as they are published.
    fn values(
        &self,
        wanted: &BTreeSet<Metric>,
        from: Timestamp,
        to: Timestamp,
        lag: Duration,
    ) -> BTreeMap<Metric, Values> {
        let now = self.time().now();
        self.note_view(now);
        // What happened at an instant is published when the lag has passed since then, not before.
        let to = to.min(now - lag + Duration::from_nanos(1));
        let mut values: BTreeMap<Metric, Values> = BTreeMap::new();
        let models = {
            let state = self.state();
            for metric in wanted {
                let raw = state.metrics.raw.get(metric);
                let kept = raw.into_iter().filter(|_| from < to).flat_map(|raw| raw.range(from..to));
                let kept = kept.flat_map(|(at, values)| values.iter().map(|value| (*at, *value)));
                values.insert(metric.clone(), kept.collect());
            }
            state.metrics.models.clone()
        };
        if models.is_empty() {
            return values;
        }
        for second in seconds(from, to) {
            let Some(view) = self.state().metrics.view_at(second) else { break };
            for datum in models.iter().flat_map(|model| model(&view, second)) {
                if let Some(values) = values.get_mut(&datum.metric) {
                    values.push((second, datum.value));
                }
            }
        }
        values
    }

    /// The datapoints of some probes in `[from, to)`, oldest first.
    pub(crate) fn datapoints(
        &self,
        probes: &[CloudWatchProbe],
        from: Timestamp,
        to: Timestamp,
        freshness: Freshness,
    ) -> Vec<Vec<Datapoint>> {
        let lag = freshness.lag(self.state().timing.publishing);
        let wanted = probes.iter().map(Metric::of).collect();
        let longest = probes.iter().map(|probe| Duration::from(probe.period)).max().unwrap_or_default();
        // The first period may have begun before `from`, and the last may end after `to`.
        let values = self.values(&wanted, from - longest, to + longest, lag);
        let of = |probe: &CloudWatchProbe| {
            let values = values.get(&Metric::of(probe)).map_or(&[][..], Vec::as_slice);
            let statistic = Statistic::of(&probe.statistic.to_string());
            let points = |statistic| statistics::datapoints(values, statistic, Duration::from(probe.period), from, to);
            statistic.map(points).unwrap_or_default()
        };
        probes.iter().map(of).collect()
    }
}

/// Every whole second in `[from, to)`.
fn seconds(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    let first = from.as_second() + i64::from(from.subsec_nanosecond() > 0);
    let last = to.as_second() + i64::from(to.subsec_nanosecond() > 0);
    (first..last).filter_map(|second| Timestamp::from_second(second).ok())
}

impl Metrics for World {
    async fn metrics(&self, probes: &[CloudWatchProbe], from: Timestamp, to: Timestamp) -> Answer<Vec<Vec<Datapoint>>> {
        const METHOD: Method = Method::Metrics;
        self.call(METHOD, async |freshness| {
            if from >= to {
                let what = "ValidationError: the start time must be before the end time";
                return Err(PortError::new(Class::Refused, METHOD.api(), what));
            }
            self.state().calls.request(METHOD.api(), probes.len().div_ceil(QUERIES).saturating_sub(1) as u64);
            let mut found = self.datapoints(probes, from, to, freshness);
            found.iter_mut().for_each(|points| points.reverse());
            Ok(found)
        })
        .await
    }

    async fn alarms(&self, names: &[AlarmName]) -> Answer<Vec<AlarmReading>> {
        self.call(Method::Alarms, async |_| Ok(self.alarm_states(names))).await
    }
}

impl Prometheus for World {
    async fn prometheus(&self, query: &str, at: Timestamp) -> Answer<f64> {
        const METHOD: Method = Method::Prometheus;
        self.call(METHOD, async |_| {
            let answer = self.state().metrics.prometheus.clone();
            let missing = || PortError::new(Class::Missing, METHOD.api(), "no prometheus here");
            answer.ok_or_else(missing)?(query, at).map_err(|what| PortError::new(Class::Refused, METHOD.api(), what))
        })
        .await
    }
}

impl Http for World {
    async fn http(&self, probe: &HttpProbe) -> Answer<HttpReading> {
        const METHOD: Method = Method::Http;
        self.call(METHOD, async |_| {
            let answer = self.state().metrics.http.clone();
            let missing = || PortError::new(Class::Missing, METHOD.api(), "nobody answers requests here");
            answer.ok_or_else(missing)?(probe.clone()).await
        })
        .await
    }
}
