//! The shipped SSM documents on the lab's hosts, unchanged: each lands, is seen, and is undone.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_lab::{AgentOutcome, FleetSpec, Lab};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use crate::ring::{self, Outcome, expect, same, with_lab};

pub fn trials() -> Vec<Trial> {
    vec![
        ring::trial("documents::process_faults_land_and_are_undone", processes),
        ring::trial("documents::network_faults_land_and_are_undone", network),
        ring::trial("documents::a_full_disk_lands_and_is_undone", disk),
        ring::bounded_trial("documents::stress_lands_within_the_hosts_bounds_and_is_undone", stress),
        ring::trial("documents::the_dead_man_reverts_when_nobody_does", dead_man),
    ]
}

const UNIT: &str = "0123456789abcdef";

/// A host of the demo fleet, without the fleet.
fn fleet(name: &str) -> FleetSpec {
    let orders = FleetSpec::orders(name, 0, 1);
    let mut fleet = FleetSpec::bare(name, &["peer"]);
    fleet.hosts.extend(orders.hosts.into_iter().filter(|host| host.name == "orders-db"));
    fleet
}

/// What a document answers on `orders-db`.
async fn answer(lab: &Lab, name: &str, unit: &str, values: &[(&str, &str)]) -> Result<(AgentOutcome, Value), Failed> {
    let document = drill_documents::document(name).ok_or_else(|| format!("no document {name}"))?;
    let now = ring::now()?;
    let mut parameters = BTreeMap::from([("Unit".to_owned(), unit.to_owned()), ("Run".to_owned(), "ring".to_owned())]);
    if document.parameters.iter().any(|parameter| parameter.name == "Deadline") {
        parameters.insert("NotAfter".to_owned(), (now + 30).to_string());
        parameters.insert("Deadline".to_owned(), (now + 300).to_string());
        parameters.insert("MaxSeconds".to_owned(), "300".to_owned());
    }
    if document.parameters.iter().all(|parameter| parameter.name != "Run") {
        parameters.remove("Run");
    }
    parameters.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let environment = document.environment(&parameters)?;
    let timeout = Duration::from_secs(document.timeout_seconds.into());
    let outcome = lab.run_document("orders-db", &document.script, &environment, timeout).await?;
    let line = outcome.stdout.lines().last().unwrap_or_default().to_owned();
    let value = serde_json::from_str(&line).map_err(|error| format!("{name} said {outcome:?}: {error}"))?;
    Ok((outcome, value))
}

/// Lands a fault, looks at it from outside, undoes it twice, and looks again.
async fn drill(lab: &Lab, name: &str, values: &[(&str, &str)], look: &str, harmed: &str, whole: &str) -> Outcome {
    let told = |step: &str, told: &dyn std::fmt::Debug| format!("{name}: {step}: {told:?}");
    same(&ring::output(lab, "orders-db", look).await?.as_str(), &whole).map_err(|_| told("before", &look))?;
    let unit = format!("{:016x}", name.len() * 7919 + values.len());

    let (outcome, landed) = answer(lab, name, &unit, values).await?;
    expect(landed["outcome"] == "landed" && outcome.exit_code == Some(0), || told("inject", &(&outcome, &landed)))?;
    ring::until(&format!("{name} is seen"), async || Ok(ring::output(lab, "orders-db", look).await? == harmed)).await?;

    for wanted in ["reverted", "absent"] {
        let (outcome, reverted) = answer(lab, "revert", &unit, &[]).await?;
        expect(reverted["outcome"] == wanted && outcome.exit_code == Some(0), || told(wanted, &(&outcome, &reverted)))?;
    }
    ring::until(&format!("{name} is gone"), async || Ok(ring::output(lab, "orders-db", look).await? == whole)).await?;

    let (outcome, late) = answer(lab, name, &unit, values).await?;
    expect(late["outcome"] == "refused" && outcome.exit_code == Some(3), || told("late start", &(&outcome, &late)))
}

async fn processes() -> Outcome {
    with_lab("process", fleet("process"), async |lab| {
        let (_, alive) = answer(&lab, "probe", "-", &[]).await?;
        same(&alive["outcome"], &Value::from("alive")).map_err(|_| format!("{alive}"))?;
        same(&alive["supervision"], &Value::from("watchdog"))?;
        ring::until("the service runs", async || {
            Ok(ring::script(&lab, "orders-db", "service orders-db status").await?.exit_code == Some(0))
        })
        .await?;

        let state = "sed 's/.*) //' /proc/$(pidof orders-db)/stat | cut -c 1 | tr RD SS";
        drill(&lab, "process-pause", &[("Process", "orders-db")], state, "T", "S").await?;
        let status = "service orders-db status | cut -d ' ' -f 3";
        drill(&lab, "service-stop", &[("Service", "orders-db")], status, "stopped", "running").await?;

        let before = ring::output(&lab, "orders-db", "pidof orders-db").await?;
        let kill = [("Process", "orders-db"), ("Signal", "KILL")];
        let (_, landed) = answer(&lab, "process-kill", UNIT, &kill).await?;
        same(&landed["outcome"], &Value::from("landed")).map_err(|_| format!("{landed}"))?;
        ring::until("the supervisor starts it again", async || {
            let now = ring::script(&lab, "orders-db", "pidof orders-db").await?;
            Ok(now.exit_code == Some(0) && now.stdout.trim() != before)
        })
        .await
    })
    .await
}

async fn network() -> Outcome {
    with_lab("network", fleet("network"), async |lab| {
        let peer = lab.host("peer")?.address;
        let ping = format!("ping -c 1 -W 1 {peer} > /dev/null && echo there || echo gone");
        let to = format!("{peer}/32");
        let hole = [("Direction", "egress"), ("Protocol", "all"), ("Port", "0"), ("To", to.as_str())];
        drill(&lab, "network-blackhole", &hole, &ping, "gone", "there").await?;
        let named = [("Direction", "egress"), ("Protocol", "all"), ("Port", "0"), ("To", "any"), ("Name", "peer")];
        let (_, landed) = answer(&lab, "network-blackhole", UNIT, &named).await?;
        same(&landed["outcome"], &Value::from("landed")).map_err(|_| format!("{landed}"))?;
        same(&ring::output(&lab, "orders-db", &ping).await?.as_str(), &"gone")?;
        answer(&lab, "revert", UNIT, &[]).await?;
        let loss = [("Percent", "100"), ("Direction", "ingress"), ("To", to.as_str())];
        drill(&lab, "network-loss", &loss, &ping, "gone", "there").await?;

        // The kernel decides whether there is latency; without it nothing may be touched and nothing claimed.
        let late = [("DelayMs", "200"), ("To", to.as_str())];
        let queue = "tc qdisc show dev eth0 | head -n 1 | cut -d ' ' -f 2";
        let netem =
            ring::script(&lab, "orders-db", "tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root")
                .await?;
        if netem.exit_code == Some(0) {
            drill(&lab, "network-latency", &late, queue, "prio", "noqueue").await
        } else {
            let (outcome, refused) = answer(&lab, "network-latency", "00000000000000ff", &late).await?;
            same(&(outcome.exit_code, &refused["reason"]), &(Some(3), &Value::from("no-netem")))?;
            same(&ring::output(&lab, "orders-db", queue).await?.as_str(), &"noqueue")
        }
    })
    .await
}

async fn disk() -> Outcome {
    with_lab("disk", fleet("disk"), async |lab| {
        let used = "test $(df --output=pcent / | tail -n 1 | tr -d ' %') -ge 80 && echo full || echo free";
        drill(&lab, "disk-fill", &[("Percent", "80")], used, "full", "free").await
    })
    .await
}

async fn stress() -> Outcome {
    with_lab("stress", fleet("stress"), async |lab| {
        let installed = ring::script(&lab, "orders-db", "command -v stress-ng").await?.exit_code == Some(0);
        if !installed {
            let (outcome, refused) = answer(&lab, "cpu-stress", UNIT, &[("Percent", "100")]).await?;
            return expect(outcome.exit_code == Some(3), || format!("{refused}"));
        }
        let workers = "pgrep -c stress-ng > /dev/null && echo stressed || echo idle";
        let mut measurements = lab.measurements();
        drill(&lab, "cpu-stress", &[("Percent", "100")], workers, "stressed", "idle").await?;
        let busiest = std::iter::from_fn(|| measurements.try_recv().ok())
            .filter(|measured| measured.metric == "CPUUtilization")
            .flat_map(|measured| measured.values)
            .fold(0.0, f64::max);
        expect((50.0..=130.0).contains(&busiest), || format!("the host was measured at {busiest} % at most"))?;
        let memory = "cat /sys/fs/cgroup/memory/memory.usage_in_bytes /sys/fs/cgroup/memory.current 2> /dev/null";
        let used = format!("test $({memory}) -ge 200000000 && echo full || echo free");
        drill(&lab, "memory-stress", &[("Percent", "70")], &used, "full", "free").await?;
        drill(&lab, "io-stress", &[("Workers", "1"), ("Megabytes", "16")], workers, "stressed", "idle").await
    })
    .await
}

async fn dead_man() -> Outcome {
    with_lab("deadman", fleet("deadman"), async |lab| {
        let peer = lab.host("peer")?.address;
        let to = format!("{peer}/32");
        let hole =
            [("MaxSeconds", "3"), ("Direction", "egress"), ("Protocol", "all"), ("Port", "0"), ("To", to.as_str())];
        let (_, landed) = answer(&lab, "network-blackhole", UNIT, &hole).await?;
        same(&landed["outcome"], &Value::from("landed")).map_err(|_| format!("{landed}"))?;

        // The agent is gone, and nobody comes to revert.
        lab.agent_offline("orders-db", true)?;

        let ping = ["sh", "-c", &format!("ping -c 1 -W 1 {peer}")].map(str::to_owned);
        ring::until("the peer answers again", async || {
            Ok(lab.exec("orders-db", &ping, |_, _| {}).await?.exit_code == Some(0))
        })
        .await
    })
    .await
}
