//! Faults that somebody ends by hand in the middle of a run: the run says when, and is not supported.

use libtest_mimic::{Failed, Trial};

use crate::ring::{self, Outcome, expect, run_command, same};

pub fn trials() -> Vec<Trial> {
    vec![
        ring::bounded_trial("vanishing::rules_that_somebody_flushes_end_the_run_with_their_time", flushed),
        ring::bounded_trial("vanishing::a_stress_whose_processes_are_killed_ends_the_run_with_its_time", killed),
        ring::bounded_trial("vanishing::where_the_experiment_says_so_the_run_goes_on", goes_on),
    ]
}

/// One order host of four, with this fault for 40 s. The tolerance allows anything: only the fault's end is looked at.
fn experiment(fault: &str, guards: &str) -> String {
    format!(
        "
id: vanishing
title: Somebody ends the fault by hand
hypothesis: Half of the orders are served.
environments: [lab]
targets:
  one: {{ kind: ec2-instance, tags: {{ Service: order-service }}, pick: {{ count: 1 }} }}
faults:
  - {{ name: fault, on: one, duration: 40s, {fault} }}
steady_state:
  - name: availability
    cloudwatch: {{ namespace: Orders, metric: Availability, dimensions: {{ Service: order-service }}, statistic: Average, period: 1s }}
    tolerance: {{ at_least: 1.0 }}
guards: {{ stop_when: none, max_blast_radius: 30%{guards} }}
observe: {{ every: 1s, baseline_samples: 3 }}
recovery: {{ within: 1m, check_every: 2s }}
"
    )
}

/// What a run says after its fault was ended by this command, and how it ends.
async fn said(test: &str, fault: &str, guards: &str, command: &str) -> Result<(Option<i32>, String), Failed> {
    let home = ring::home(test);
    let file = home.with_extension("yaml");
    std::fs::write(&file, experiment(fault, guards))?;
    let (mut run, mut said) = ring::broken_run(&home, &file.to_string_lossy(), "4").await?;
    for host in ["orders-1", "orders-2", "orders-3", "orders-4"] {
        // Only one of them has the fault; the others have nothing to flush, and nobody to kill.
        run_command(&home, &["exec", host, "--", "sh", "-c", command]).await?;
    }
    let said = tokio::task::spawn_blocking(move || std::io::read_to_string(&mut said)).await??;
    let code = run.wait()?.code();
    let left: Vec<_> = std::fs::read_dir(&home)?.flatten().map(|entry| entry.path()).collect();
    expect(left.is_empty(), || format!("left behind: {left:?}\n{said}"))?;
    std::fs::remove_dir_all(home.with_extension("runs"))?;
    std::fs::remove_dir_all(&home)?;
    std::fs::remove_file(&file)?;
    Ok((code, said))
}

const LOSS: &str = "kind: network-loss, loss: 60%, direction: ingress";
const FLUSH: &str = "PATH=/usr/sbin:/sbin:/usr/bin:/bin; iptables -F; iptables -X";

fn is_stopped((code, said): &(Option<i32>, String)) -> Outcome {
    same(code, &Some(1)).map_err(|_| said.clone())?;
    expect(said.contains("verdict: aborted") && said.contains("fault ended at"), || said.clone())?;
    expect(said.contains("before its time"), || said.clone())
}

async fn flushed() -> Outcome {
    is_stopped(&said("flushed", LOSS, "", FLUSH).await?)
}

async fn killed() -> Outcome {
    let kill = "PATH=/usr/bin:/bin; pkill -9 stress-ng";
    is_stopped(&said("killed", "kind: cpu-stress, load: 50%", "", kill).await?)
}

async fn goes_on() -> Outcome {
    let (_, said) = said("goes-on", LOSS, ", on_early_end: continue", FLUSH).await?;
    expect(!said.contains("verdict: aborted") && !said.contains("verdict: stuck"), || said.clone())
}
