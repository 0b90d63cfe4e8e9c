//! `order-lb`: spreads orders over the healthy targets, checks their health every second, tries once more elsewhere
//! when a connection is refused.
//!
//! What may have been done is never repeated: a request that was sent and not answered is a 502 or a 504.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::error::ShopError;
use crate::http::{Http, HttpFault};
use crate::metrics::{Kind, Metrics};
use crate::serve::serve;

const CONNECT_LIMIT: Duration = Duration::from_millis(250);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const CHECK_EVERY: Duration = Duration::from_secs(1);
const CHECK_LIMIT: Duration = Duration::from_millis(500);

/// Checks in a row that change a target's health.
const THRESHOLD: u8 = 2;

/// The largest order.
const BODY_LIMIT: usize = 64 << 10;

/// One target of the load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The instance.
    pub id: String,
    /// Where it serves: `http://address:port`.
    pub url: String,
    /// What the last checks said. Whoever registers a target does not know; the balancer does.
    #[serde(default)]
    pub health: TargetHealth,
}

/// A target's health, in Elastic Load Balancing's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetHealth {
    /// Not checked often enough yet.
    #[default]
    Initial,
    /// It gets requests.
    Healthy,
    /// It gets none, unless all are like this.
    Unhealthy,
}

impl Target {
    /// A target that nothing is known of.
    pub fn new(id: &str, url: String) -> Target {
        Target { id: id.to_owned(), url, health: TargetHealth::Initial }
    }

    /// Whether it gets requests.
    pub fn is_healthy(&self) -> bool {
        self.health == TargetHealth::Healthy
    }
}

#[derive(Clone)]
struct Balancer {
    http: Http,
    targets: Arc<Mutex<Targets>>,
    metrics: Metrics,
}

#[derive(Default)]
struct Targets {
    registered: Vec<Registered>,
    turn: usize,
}

struct Registered {
    target: Target,
    /// Checks in a row that disagreed with its health.
    against: u8,
}

pub(crate) async fn main() -> Result<(), ShopError> {
    let metrics = Metrics::new(&[
        ("lb_requests_total", Kind::Counter, "Requests by answer."),
        ("lb_retries_total", Kind::Counter, "Requests tried once more on another target."),
        ("lb_healthy_targets", Kind::Gauge, "Targets that get requests."),
    ]);
    let balancer = Balancer { http: Http::new(CONNECT_LIMIT), targets: Arc::default(), metrics: metrics.clone() };
    tokio::spawn(balancer.clone().check_for_ever());
    let routes = Router::new().route("/targets", get(list).put(register)).fallback(forward).with_state(balancer);
    serve(routes, metrics).await
}

async fn list(State(balancer): State<Balancer>) -> Json<Vec<Target>> {
    Json(balancer.lock().listed())
}

/// Replaces the list of targets; those that stay keep their health. Repeating it changes nothing.
async fn register(State(balancer): State<Balancer>, Json(wanted): Json<Vec<Target>>) -> Json<Vec<Target>> {
    let mut targets = balancer.lock();
    targets.register(wanted);
    Json(targets.listed())
}

async fn forward(State(balancer): State<Balancer>, request: Request) -> (StatusCode, Bytes) {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, Bytes::new());
    };
    let (status, body) = balancer.forward(parts.method.as_str(), parts.uri.path(), &body).await;
    balancer.metrics.count("lb_requests_total", &[("code", status.as_str())]);
    (status, body)
}

impl Balancer {
    async fn forward(&self, method: &str, path: &str, body: &[u8]) -> (StatusCode, Bytes) {
        let mut tried = None;
        loop {
            let Some(target) = self.lock().pick(tried.as_deref()) else {
                return (StatusCode::SERVICE_UNAVAILABLE, Bytes::from_static(b"no target"));
            };
            let url = format!("{}{path}", target.url);
            let fault = match self.http.send(method, &url, body.to_vec(), ANSWER_LIMIT).await {
                Ok((status, body)) => {
                    return (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), body.into());
                }
                Err(fault) => fault,
            };
            let status = match fault {
                HttpFault::Unconnected { .. } if tried.is_none() => {
                    self.metrics.count("lb_retries_total", &[]);
                    tried = Some(target.id);
                    continue;
                }
                HttpFault::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
                HttpFault::Unconnected { .. } | HttpFault::Broken { .. } | HttpFault::Malformed { .. } => {
                    StatusCode::BAD_GATEWAY
                }
            };
            return (status, Bytes::from(fault.to_string()));
        }
    }

    async fn check_for_ever(self) {
        let mut every = tokio::time::interval(CHECK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let mut checks = JoinSet::new();
            for target in self.lock().listed() {
                // A connection of its own: a pooled one would pass a check that no new customer would.
                let http = Http::new(CHECK_LIMIT);
                checks.spawn(async move {
                    let url = format!("{}/health", target.url);
                    let answered = http.send("GET", &url, Vec::new(), CHECK_LIMIT).await;
                    (target.id, matches!(answered, Ok((200, _))))
                });
            }
            while let Some(checked) = checks.join_next().await {
                if let Ok((id, passed)) = checked {
                    self.lock().learn(&id, passed);
                }
            }
            let healthy = self.lock().listed().iter().filter(|one| one.is_healthy()).count();
            self.metrics.set("lb_healthy_targets", &[], healthy as f64);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Targets> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Targets {
    fn listed(&self) -> Vec<Target> {
        self.registered.iter().map(|one| one.target.clone()).collect()
    }

    fn register(&mut self, wanted: Vec<Target>) {
        let known = std::mem::take(&mut self.registered);
        self.registered = wanted
            .into_iter()
            .map(|target| {
                let same = |one: &&Registered| one.target.id == target.id && one.target.url == target.url;
                match known.iter().find(same) {
                    Some(one) => Registered { target: one.target.clone(), against: one.against },
                    None => Registered { target: Target { health: TargetHealth::Initial, ..target }, against: 0 },
                }
            })
            .collect();
    }

    /// The next target in turn, not `tried`. When none is healthy all are asked: a balancer that is wrong about
    /// everything must not be worse than none.
    fn pick(&mut self, tried: Option<&str>) -> Option<Target> {
        let fit: Vec<&Target> =
            self.registered.iter().map(|one| &one.target).filter(|one| Some(one.id.as_str()) != tried).collect();
        let healthy: Vec<&Target> = fit.iter().copied().filter(|one| one.is_healthy()).collect();
        let choice = if healthy.is_empty() { fit } else { healthy };
        let picked = choice.get(self.turn.checked_rem(choice.len())?).map(|one| (*one).clone());
        self.turn = self.turn.wrapping_add(1);
        picked
    }

    fn learn(&mut self, id: &str, passed: bool) {
        let Some(one) = self.registered.iter_mut().find(|one| one.target.id == id) else { return };
        let agrees = match one.target.health {
            TargetHealth::Healthy => passed,
            TargetHealth::Initial | TargetHealth::Unhealthy => !passed,
        };
        one.against = if agrees { 0 } else { one.against + 1 };
        let first = one.target.health == TargetHealth::Initial;
        if one.against >= THRESHOLD || (first && passed) {
            one.target.health = if passed { TargetHealth::Healthy } else { TargetHealth::Unhealthy };
            one.against = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(ids: &[&str]) -> Targets {
        let mut targets = Targets::default();
        targets.register(ids.iter().map(|id| target(id)).collect());
        targets
    }

    fn target(id: &str) -> Target {
        Target::new(id, format!("http://{id}"))
    }

    fn picks(targets: &mut Targets, count: usize) -> Vec<String> {
        (0..count).filter_map(|_| targets.pick(None)).map(|target| target.id).collect()
    }

    #[test]
    fn two_failed_checks_take_a_target_out_and_two_good_ones_bring_it_back() {
        let mut targets = targets(&["a", "b"]);
        for id in ["a", "b"] {
            targets.learn(id, true);
        }

        targets.learn("a", false);
        assert_eq!(picks(&mut targets, 2), ["a", "b"]);
        targets.learn("a", false);
        assert_eq!(picks(&mut targets, 2), ["b", "b"]);
        targets.learn("a", true);
        assert_eq!(picks(&mut targets, 2), ["b", "b"]);
        targets.learn("a", true);
        assert_eq!(picks(&mut targets, 2), ["a", "b"]);
    }

    #[test]
    fn a_retry_goes_elsewhere_and_nowhere_when_there_is_no_other() {
        assert_eq!(targets(&["a", "b"]).pick(Some("a")).map(|target| target.id), Some("b".to_owned()));
        assert_eq!(targets(&["a"]).pick(Some("a")), None);
    }

    #[test]
    fn registering_again_keeps_what_is_known() {
        let mut targets = targets(&["a", "b"]);
        targets.learn("a", true);

        targets.register(vec![target("a"), target("c")]);

        let health: Vec<_> = targets.listed().into_iter().map(|target| (target.id, target.health)).collect();
        assert_eq!(health, [("a".into(), TargetHealth::Healthy), ("c".into(), TargetHealth::Initial)]);
    }
}
