//! What the lab measures of its fleet, once a second, as CloudWatch and Prometheus would have it.
//!
//! The load client's own measurements, the load balancer's health checks, and every service's `/metrics`. What cannot
//! be read is missing, never zero, except `up`, which says just that.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use drill_promql::scrape::{self, Labels, PromSample, Scrapes};
use drill_promql::{PromError, PromValue};
use drill_shop::{Measurements, Second, Target};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Lab;
use super::measured::{Measured, Unit};
use crate::clock;
use crate::host::{Host, HostState};
use crate::wire::HttpRequest;

const EVERY: Duration = Duration::from_secs(1);

/// How long one scrape may take; a service that is slower than this is not up.
const SCRAPE_LIMIT: Duration = Duration::from_millis(800);

/// Seconds that a glance looks back.
const GLANCE: usize = 10;

/// How the fleet did in the last ten seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Glance {
    /// Orders due a second.
    pub requests_per_second: f64,
    /// Orders that the database has.
    pub accepted: u64,
    /// Orders refused in order.
    pub rejected: u64,
    /// Orders answered with an error.
    pub errors: u64,
    /// Orders never answered.
    pub dropped: u64,
    /// The median latency in milliseconds.
    pub p50: f64,
    /// The 99th percentile of latency in milliseconds.
    pub p99: f64,
}

#[derive(Default)]
pub(super) struct Meter {
    /// The host whose client measures.
    client: Option<String>,
    scrapes: Scrapes,
    next: u64,
    recent: VecDeque<Second>,
    targets: BTreeMap<String, Vec<Target>>,
    pub(super) processors: super::usage::Processors,
    listeners: Vec<mpsc::UnboundedSender<Measured>>,
}

impl Meter {
    /// A meter that reads the client on this host.
    pub(super) fn reading(client: Option<&str>) -> Meter {
        Meter { client: client.map(str::to_owned), ..Meter::default() }
    }
}

/// Somewhere to scrape, or somewhere that should be there to be scraped and is not.
struct Scraped {
    labels: Labels,
    url: Option<String>,
}

impl Lab {
    /// Everything measured from now on, as it is measured.
    pub fn measurements(&self) -> mpsc::UnboundedReceiver<Measured> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.meter().listeners.push(sender);
        receiver
    }

    /// The present as Prometheus has it: the last fresh sample of every series.
    pub fn scrape(&self) -> Vec<PromSample> {
        self.meter().scrapes.now(clock::now())
    }

    /// Answers a PromQL query as of now.
    pub fn prometheus(&self, query: &str) -> Result<PromValue, PromError> {
        drill_promql::instant(query, &self.meter().scrapes, clock::now())
    }

    /// A group's targets as its load balancer last said; none before it has.
    pub fn targets(&self, group: &str) -> Vec<Target> {
        self.meter().targets.get(group).cloned().unwrap_or_default()
    }

    /// How the fleet did lately; nothing before its client has measured.
    pub fn glance(&self) -> Option<Glance> {
        glance(&self.meter().recent)
    }

    pub(super) fn measure_for_ever(&self) {
        let lab = self.downgrade();
        tokio::spawn(async move {
            let mut seconds = tokio::time::interval(EVERY);
            seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                seconds.tick().await;
                let Some(lab) = lab.upgrade() else { return };
                lab.read_processors();
                tokio::join!(lab.scrape_all(), lab.read_client(), lab.register_all());
            }
        });
    }

    async fn scrape_all(&self) {
        let mut reading = JoinSet::new();
        for Scraped { labels, url } in self.scraped() {
            let lab = self.clone();
            reading.spawn(async move {
                let read = match url {
                    Some(url) => lab.http_get(&url, SCRAPE_LIMIT).await.ok(),
                    None => None,
                };
                let samples = read.filter(|read| read.status == 200).and_then(|read| scrape::parse(&read.body).ok());
                (labels, samples)
            });
        }
        let (mut samples, mut ups) = (Vec::new(), Vec::new());
        while let Some(read) = reading.join_next().await {
            let Ok((labels, read)) = read else { continue };
            ups.push((labels.clone(), read.is_some()));
            samples.extend(read.into_iter().flatten().map(|mut sample| {
                sample.labels.extend(labels.clone());
                sample
            }));
        }
        let at = clock::now();
        for (labels, up) in ups {
            let value = f64::from(u8::from(up));
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            let dimensions = [("Service".to_owned(), label("job")), ("InstanceId".to_owned(), label("instance_id"))];
            self.hear(Measured::one(at, "Lab", "Up", dimensions, value));
            samples.push(PromSample { name: "up".to_owned(), labels, value });
        }
        self.meter().scrapes.keep(at, samples);
    }

    /// Every service with a port on every host that is not terminated; and for each member that a group lacks, one
    /// that was terminated last, so that a lost host is a host that is down and not one that never was.
    fn scraped(&self) -> Vec<Scraped> {
        let state = self.state();
        let mut hosts: Vec<&Host> =
            state.hosts.values().filter(|host| host.view.state != HostState::Terminated).collect();
        for group in &state.groups {
            let member = |host: &&Host| host.view.group.as_ref() == Some(&group.spec.name);
            let mut lost: Vec<&Host> =
                state.hosts.values().filter(member).filter(|host| host.view.state == HostState::Terminated).collect();
            lost.sort_by_key(|host| std::cmp::Reverse(host.number));
            let members = hosts.iter().filter(|host| member(host)).count();
            hosts.extend(lost.into_iter().take(group.spec.desired.saturating_sub(members)));
        }
        let scraped = hosts.into_iter().flat_map(|host| {
            host.spec.services.iter().filter_map(|service| {
                let port = service.port?;
                let labels = Labels::from([
                    ("job".to_owned(), service.name.clone()),
                    ("instance".to_owned(), format!("{}:{port}", host.view.address)),
                    ("instance_id".to_owned(), host.view.instance_id.clone()),
                    ("host".to_owned(), host.view.name.clone()),
                ]);
                let up = host.view.state == HostState::Running;
                Some(Scraped { labels, url: up.then(|| host.url(port, "/metrics")) })
            })
        });
        scraped.collect()
    }

    async fn read_client(&self) {
        let (client, next) = {
            let meter = self.meter();
            (meter.client.clone(), meter.next)
        };
        let Some(host) = client.and_then(|client| self.find(&client).ok()) else { return };
        let Some(port) = host.spec.services.iter().find_map(|service| service.port) else { return };
        let Ok(read) = self.http_get(&host.url(port, &format!("/measurements/{next}")), SCRAPE_LIMIT).await else {
            return;
        };
        let Ok(measurements) = serde_json::from_str::<Measurements>(&read.body) else { return };
        // A client that was started again counts from the beginning.
        self.meter().next = if measurements.next < next { 0 } else { measurements.next };
        for second in measurements.seconds {
            measured(&second).into_iter().for_each(|measured| self.hear(measured));
            let recent = &mut self.meter().recent;
            recent.push_back(second);
            if recent.len() > GLANCE {
                recent.pop_front();
            }
        }
    }

    /// Tells each group's load balancer who the members are, every second, so that one that was started again knows.
    async fn register_all(&self) {
        for (group, url, targets) in self.registrations() {
            let Ok(body) = serde_json::to_string(&targets) else { continue };
            let request = HttpRequest { method: "PUT".into(), url, body, timeout: SCRAPE_LIMIT };
            let Ok(read) = self.http(request).await else { continue };
            let Ok(targets) = serde_json::from_str::<Vec<Target>>(&read.body) else { continue };
            let at = clock::now();
            let healthy = targets.iter().filter(|target| target.is_healthy()).count();
            let dimensions = [("TargetGroup".to_owned(), group.clone())];
            let count = |metric, number: usize| {
                Measured::one(at, "AWS/ApplicationELB", metric, dimensions.clone(), number as f64)
            };
            self.hear(count("HealthyHostCount", healthy));
            self.hear(count("UnHealthyHostCount", targets.len() - healthy));
            self.meter().targets.insert(group, targets);
        }
    }

    fn registrations(&self) -> Vec<(String, String, Vec<Target>)> {
        let state = self.state();
        let registrations = state.groups.iter().filter_map(|group| {
            let balancer = group.spec.load_balancer.as_ref()?;
            let balancer = state
                .hosts
                .values()
                .find(|host| host.view.name == *balancer && host.view.state == HostState::Running)?;
            let port = balancer.spec.services.iter().find_map(|service| service.port)?;
            let targets = state.hosts.values().filter(|host| {
                host.view.group.as_ref() == Some(&group.spec.name)
                    && !matches!(host.view.state, HostState::Booting | HostState::Terminated)
            });
            let targets = targets.filter_map(|host| {
                let port = host.spec.services.iter().find_map(|service| service.port)?;
                Some(Target::new(&host.view.instance_id, host.url(port, "")))
            });
            Some((group.spec.name.clone(), balancer.url(port, "/targets"), targets.collect()))
        });
        registrations.collect()
    }

    pub(super) fn hear(&self, measured: Measured) {
        self.meter().listeners.retain(|listener| listener.send(measured.clone()).is_ok());
    }

    pub(super) fn meter(&self) -> MutexGuard<'_, Meter> {
        self.shared.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What CloudWatch would be told of this second.
fn measured(second: &Second) -> Vec<Measured> {
    let dimensions = || [("Service".to_owned(), "order-service".to_owned())];
    let count = |metric, number: u64| Measured::one(second.at, "Orders", metric, dimensions(), number as f64);
    let mut measured = vec![
        count("Requests", second.requests),
        count("Accepted", second.accepted),
        count("Rejected", second.rejected),
        count("Errors", second.errors),
        count("Dropped", second.dropped),
    ];
    // No sample is no measurement, not a latency of nothing.
    if !second.latencies.is_empty() {
        let latency = Measured::one(second.at, "Orders", "Latency", dimensions(), 0.0);
        measured.push(Measured { unit: Unit::Milliseconds, values: second.latencies.clone(), ..latency });
    }
    measured
}

fn glance(recent: &VecDeque<Second>) -> Option<Glance> {
    let mut latencies: Vec<f64> = recent.iter().flat_map(|second| second.latencies.iter().copied()).collect();
    latencies.sort_by(f64::total_cmp);
    // The smallest sample that so many hundredths of all do not exceed.
    let percentile = |hundredths: usize| {
        let rank = (latencies.len() * hundredths).div_ceil(100).max(1);
        latencies.get(rank - 1).copied()
    };
    let sum = |count: fn(&Second) -> u64| recent.iter().map(count).sum::<u64>();
    Some(Glance {
        requests_per_second: sum(|second| second.requests) as f64 / recent.len() as f64,
        accepted: sum(|second| second.accepted),
        rejected: sum(|second| second.rejected),
        errors: sum(|second| second.errors),
        dropped: sum(|second| second.dropped),
        p50: percentile(50)?,
        p99: percentile(99)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_is_over_all_samples_of_the_last_seconds() {
        let second =
            |latencies: Vec<f64>| Second { requests: 50, accepted: 49, dropped: 1, latencies, ..Second::default() };
        let recent =
            VecDeque::from([second((1..=50).map(f64::from).collect()), second((51..=100).map(f64::from).collect())]);

        let glance = glance(&recent).unwrap();

        assert_eq!((glance.requests_per_second, glance.accepted, glance.dropped), (50.0, 98, 2));
        assert_eq!((glance.p50, glance.p99), (50.0, 99.0));
        assert_eq!(super::glance(&VecDeque::new()), None);
    }

    #[test]
    fn a_second_without_answers_has_no_latency() {
        let silent = Second { requests: 50, ..Second::default() };

        let metrics: Vec<String> = measured(&silent).into_iter().map(|measured| measured.metric).collect();

        assert_eq!(metrics, ["Requests", "Accepted", "Rejected", "Errors", "Dropped"]);
    }
}
