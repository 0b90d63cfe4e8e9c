//! GetMetricData: five hundred queries at a time, every page, newest first.
//!
//! A page that is followed by another calls its results partial; what is still partial on the last page stays an error.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, MessageData, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use drill_aws_config::classify;
use drill_model::experiment::CloudWatchProbe;
use drill_phases::ports::{Answer, Class, Datapoint, PortError};
use jiff::Timestamp;

const CALL: &str = "cloudwatch:GetMetricData";
/// The most queries of one call.
pub(crate) const QUERIES: usize = 500;

/// What was read of one query so far.
#[derive(Default)]
struct Series {
    points: BTreeMap<Timestamp, f64>,
    status: Option<StatusCode>,
    said: Vec<String>,
}

pub(crate) async fn read(
    client: &Client,
    probes: &[CloudWatchProbe],
    from: Timestamp,
    to: Timestamp,
) -> Answer<Vec<Vec<Datapoint>>> {
    let queries: Vec<MetricDataQuery> = probes.iter().enumerate().map(|(place, probe)| query(place, probe)).collect();
    let mut series: BTreeMap<String, Series> = BTreeMap::new();
    let mut next = None;
    loop {
        let page = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(instant(from))
            .end_time(instant(to))
            .scan_by(ScanBy::TimestampDescending)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| classify(CALL, &error))?;
        // A message about the whole call says that some of it was left out.
        if let Some(message) = page.messages().first() {
            return Err(PortError::new(Class::Refused, CALL, said(message)));
        }
        for result in page.metric_data_results.unwrap_or_default() {
            if let Some(id) = result.id.clone() {
                series.entry(id).or_default().add(&result)?;
            }
        }
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            break;
        }
    }
    probes
        .iter()
        .enumerate()
        .map(|(place, probe)| series.remove(&id(place)).unwrap_or_default().whole(probe, from, to))
        .collect()
}

/// A query has no name in an experiment: its place is its name.
fn id(place: usize) -> String {
    format!("q{place}")
}

fn query(place: usize, probe: &CloudWatchProbe) -> MetricDataQuery {
    let dimension = |(name, value): (&String, &String)| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace(&probe.namespace)
        .metric_name(&probe.metric)
        .set_dimensions(Some(probe.dimensions.iter().map(dimension).collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(probe.period.as_seconds()).unwrap_or(i32::MAX))
        .stat(probe.statistic.to_string())
        .build();
    MetricDataQuery::builder().id(id(place)).metric_stat(stat).return_data(true).build()
}

impl Series {
    /// Adds what one page says. The last page has the last word on whether it is complete.
    fn add(&mut self, result: &MetricDataResult) -> Answer<()> {
        let (timestamps, values) = (result.timestamps(), result.values());
        if timestamps.len() != values.len() {
            let what = format!("{} instants with {} values", timestamps.len(), values.len());
            return Err(PortError::new(Class::Transient, CALL, what));
        }
        for (at, value) in timestamps.iter().zip(values) {
            let at = Timestamp::from_nanosecond(at.as_nanos())
                .map_err(|error| PortError::new(Class::Refused, CALL, format!("a datapoint's instant: {error}")))?;
            self.points.insert(at, *value);
        }
        self.status = result.status_code().cloned();
        self.said.extend(result.messages().iter().map(said));
        Ok(())
    }

    /// The datapoints, newest first, if the service says that these are all. It rounds the beginning down; we do not.
    fn whole(self, probe: &CloudWatchProbe, from: Timestamp, to: Timestamp) -> Answer<Vec<Datapoint>> {
        let class = match &self.status {
            Some(StatusCode::Complete) => {
                let points = self.points.range(from..to.max(from)).rev();
                return Ok(points.map(|(at, value)| Datapoint { at: *at, value: *value }).collect());
            }
            Some(StatusCode::Forbidden) => Class::Refused,
            Some(_) | None => Class::Transient,
        };
        let status = self.status.as_ref().map_or("no result", StatusCode::as_str);
        let what = format!("{} {}: {status} {}", probe.namespace, probe.metric, self.said.join("; "));
        Err(PortError::new(class, CALL, what.trim_end()))
    }
}

fn said(message: &MessageData) -> String {
    [message.code(), message.value()].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn instant(at: Timestamp) -> DateTime {
    // The part of a second is not negative after the floor.
    let second = at.as_nanosecond().div_euclid(1_000_000_000);
    let part = at.as_nanosecond().rem_euclid(1_000_000_000);
    DateTime::from_secs_and_nanos(
        i64::try_from(second).unwrap_or(at.as_second()),
        u32::try_from(part).unwrap_or_default(),
    )
}
