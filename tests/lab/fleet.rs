//! The demo fleet: it serves orders, its parts fail as such parts do, and what dies is replaced.

use std::time::Duration;

use drill_lab::{FleetSpec, Glance, HostState, Lab, Measured};
use drill_promql::PromError;
use libtest_mimic::{Failed, Trial};

use crate::ring::{self, Outcome, expect, same, with_lab};

pub fn trials() -> Vec<Trial> {
    vec![
        ring::trial("fleet::orders_are_served_and_measured", serves),
        ring::trial("fleet::a_killed_service_is_started_again_by_its_supervisor", restarts),
        ring::trial("fleet::a_stopped_service_stays_down", service_command),
        ring::trial("fleet::a_terminated_member_is_replaced_and_registered", replaced),
        ring::trial("fleet::without_the_risk_engine_orders_are_rejected_in_order", risk_lost),
        ring::trial("fleet::without_the_database_orders_fail", database_lost),
        ring::trial("fleet::a_dropped_port_takes_a_host_out_of_the_load_balancer", blackhole),
    ]
}

/// The fleet under load, after its targets are healthy and orders are in the database.
async fn with_fleet<F: Future<Output = Outcome>>(test: &str, body: impl FnOnce(Lab) -> F) -> Outcome {
    with_lab(test, FleetSpec::orders(test, 2, 40), async |lab| {
        ring::until("every target is healthy", async || Ok(healthy(&lab) == 2)).await?;
        ring::until("orders are accepted and no order fails", async || {
            Ok(lately(&lab, |glance| glance.accepted > 100 && glance.errors + glance.rejected + glance.dropped == 0))
        })
        .await?;
        body(lab).await
    })
    .await
}

fn healthy(lab: &Lab) -> usize {
    lab.targets("order-hosts").iter().filter(|target| target.is_healthy()).count()
}

fn lately(lab: &Lab, holds: impl Fn(&Glance) -> bool) -> bool {
    lab.glance().is_some_and(|glance| holds(&glance))
}

/// The measurements of one metric until `count` have come.
async fn heard(
    from: &mut tokio::sync::mpsc::UnboundedReceiver<Measured>,
    metric: &str,
    count: usize,
) -> Result<Vec<Measured>, Failed> {
    let listening = async {
        let mut heard = Vec::new();
        while heard.len() < count {
            match from.recv().await {
                Some(measured) if measured.metric == metric => heard.push(measured),
                Some(_) => {}
                None => break,
            }
        }
        heard
    };
    Ok(tokio::time::timeout(ring::PATIENCE, listening).await?)
}

async fn serves() -> Outcome {
    with_fleet("serves", async |lab| {
        let mut measurements = lab.measurements();
        let requests = heard(&mut measurements, "Requests", 4).await?;
        let sent: f64 = requests.iter().flat_map(|measured| &measured.values).sum();
        expect((120.0..=200.0).contains(&sent), || format!("{sent} orders in 4 s at 40 a second"))?;
        let latencies = heard(&mut measurements, "Latency", 2).await?;
        let samples = latencies.iter().map(|measured| measured.values.len()).sum::<usize>();
        expect(samples > 40, || format!("{samples} latencies in 2 s at 40 orders a second"))?;
        same(&latencies[0].dimensions["Service"].as_str(), &"order-service")?;
        expect(latencies[0].at < latencies[1].at, || "the seconds are not in order".to_owned())?;

        same(&lab.prometheus("avg(up{job=\"order-service\"}) * 100")?.single(), &Ok(100.0))?;
        ring::until("orders are counted", async || {
            let rate = lab.prometheus("sum(rate(orders_total{outcome=\"accepted\"}[5s]))")?.single();
            Ok(rate.is_ok_and(|rate| rate > 20.0))
        })
        .await?;
        same(&lab.prometheus("avg(up{job=\"none\"})")?.single(), &Err(PromError::NoData))?;

        let count = async || {
            Ok::<u64, Failed>(lab.http_get("http://10.83.0.10:5432/orders/count", ring::PATIENCE).await?.body.parse()?)
        };
        let before = count().await?;
        ring::until("orders reach the database", async || Ok(count().await? > before)).await
    })
    .await
}

async fn restarts() -> Outcome {
    with_fleet("restarts", async |lab| {
        let status = "service order-service status";
        let before = ring::output(&lab, "orders-1", status).await?;
        ring::output(&lab, "orders-1", "killall -9 order-service; test \"$(cat /proc/1/comm)\" = drill-lab").await?;

        ring::until("the service has a new process", async || {
            let now = ring::script(&lab, "orders-1", status).await?;
            Ok(now.exit_code == Some(0) && now.stdout.trim() != before)
        })
        .await?;
        let names = "cat /proc/$(pidof order-service)/comm; readlink /proc/$(pidof order-service)/exe";
        same(&ring::output(&lab, "orders-1", names).await?.as_str(), &"order-service\n/opt/lab/bin/order-service")
    })
    .await
}

async fn service_command() -> Outcome {
    with_fleet("service", async |lab| {
        let run = async |action: &str| {
            let outcome = ring::script(&lab, "orders-1", &format!("PATH=/usr/sbin:/usr/bin; {action}")).await?;
            Ok::<_, Failed>(outcome.exit_code)
        };
        same(&run("service order-service stop").await?, &Some(0))?;
        same(&run("service order-service stop").await?, &Some(0))?;
        same(&run("service order-service status").await?, &Some(3))?;
        same(&run("pidof order-service").await?, &Some(1))?;
        ring::until("the target is unhealthy", async || Ok(healthy(&lab) == 1)).await?;
        same(&lab.prometheus("sum(up{job=\"order-service\"})")?.single(), &Ok(1.0))?;

        same(&run("service order-service start").await?, &Some(0))?;
        same(&run("service order-service status").await?, &Some(0))?;
        same(&run("service nothing status").await?, &Some(4))?;
        ring::until("the target is healthy", async || Ok(healthy(&lab) == 2)).await
    })
    .await
}

async fn replaced() -> Outcome {
    with_fleet("replaced", async |lab| {
        let before = lab.groups()[0].members.clone();
        let lost = lab.host("orders-1")?;

        lab.terminate("orders-1").await?;

        ring::until("a host that is lost is down", async || {
            Ok(lab.prometheus("avg(up{job=\"order-service\"}) * 100")?.single() == Ok(50.0))
        })
        .await?;
        ring::until("the group is whole and healthy", async || {
            let members = lab.groups()[0].members.clone();
            Ok(members.len() == 2 && !members.contains(&lost.instance_id) && healthy(&lab) == 2)
        })
        .await?;
        let fresh = lab.host("orders-3")?;
        expect(!before.contains(&fresh.instance_id), || "the replacement has an old id".to_owned())?;
        expect(fresh.address != lost.address, || "the replacement has the old address".to_owned())?;
        same(&lab.host(&lost.instance_id)?.state, &HostState::Terminated)?;
        ring::until("all is well", async || {
            Ok(lately(&lab, |glance| glance.errors + glance.dropped == 0 && glance.accepted > 300)
                && lab.prometheus("avg(up{job=\"order-service\"}) * 100")?.single() == Ok(100.0))
        })
        .await
    })
    .await
}

async fn risk_lost() -> Outcome {
    with_fleet("risk", async |lab| {
        lab.stop("risk-engine").await?;

        ring::until("orders are rejected", async || Ok(lately(&lab, |glance| glance.rejected > 100))).await?;
        expect(lately(&lab, |glance| glance.errors + glance.dropped == 0), || {
            format!("rejected orders are answers, not errors: {:?}", lab.glance())
        })?;
        ring::until("the breaker keeps answers fast", async || Ok(lately(&lab, |glance| glance.p50 < 100.0))).await?;

        lab.start("risk-engine").await?;
        ring::until("orders are accepted", async || Ok(lately(&lab, |glance| glance.accepted > 200))).await
    })
    .await
}

async fn database_lost() -> Outcome {
    with_fleet("database", async |lab| {
        let rule = "OUTPUT -p tcp --dport 5432 -j DROP";
        for host in ["orders-1", "orders-2"] {
            ring::output(&lab, host, &format!("iptables -A {rule}")).await?;
        }

        ring::until("orders fail", async || Ok(lately(&lab, |glance| glance.errors > 50))).await?;
        // A connection gets a tenth of a second.
        expect(lately(&lab, |glance| glance.p99 > 90.0), || format!("{:?}", lab.glance()))?;

        for host in ["orders-1", "orders-2"] {
            ring::output(&lab, host, &format!("iptables -D {rule}")).await?;
        }
        ring::until("orders are accepted and none fails", async || {
            Ok(lately(&lab, |glance| glance.accepted > 300 && glance.errors == 0))
        })
        .await
    })
    .await
}

async fn blackhole() -> Outcome {
    with_fleet("blackhole", async |lab| {
        let rule = "INPUT -p tcp --dport 8080 -j DROP";
        ring::output(&lab, "orders-1", &format!("iptables -A {rule}")).await?;

        ring::until("the target is unhealthy", async || Ok(healthy(&lab) == 1)).await?;
        let url = format!("http://{}:8080/health", lab.host("orders-1")?.address);
        expect(lab.http_get(&url, Duration::from_millis(300)).await.is_err(), || "the port answers".to_owned())?;

        ring::output(&lab, "orders-1", &format!("iptables -D {rule}")).await?;
        ring::until("the target is healthy", async || Ok(healthy(&lab) == 2)).await
    })
    .await
}
