//! One host: its agent and its life.

use std::time::Duration;

use drill_lab::{AgentStatus, Document, FleetSpec, GroupSpec, HostSpec, HostState};
use libtest_mimic::Trial;

use crate::ring::{self, Outcome, expect, same, with_lab};

pub fn trials() -> Vec<Trial> {
    vec![
        ring::trial("hosts::a_document_runs_with_its_parameters_in_the_environment", documents),
        ring::trial("hosts::output_is_cut_where_the_ssm_agent_cuts_it", output),
        ring::trial("hosts::a_document_that_outlives_its_time_is_killed_with_its_group", timeouts),
        ring::trial("hosts::a_cancelled_document_is_killed_with_its_group", cancel),
        ring::trial("hosts::an_agent_that_is_offline_gets_nothing", offline),
        ring::trial("hosts::stopping_keeps_the_disk_and_loses_processes_and_rules", stop_and_start),
        ring::trial("hosts::a_reboot_is_seen_in_the_hosts_own_boot_time", boot_time),
        ring::trial("hosts::a_stopped_member_is_replaced_after_its_grace", stopped_member),
        ring::trial("hosts::a_terminated_host_is_gone_for_ever", terminate),
    ]
}

async fn documents() -> Outcome {
    with_lab("documents", FleetSpec::bare("documents", &["one"]), async |lab| {
        let environment = [("SSM_Unit".to_owned(), "$(touch /tmp/hostile)".to_owned())];
        let script = "printf '%s' \"$SSM_Unit\"; ls /tmp >&2; exit 3";
        let outcome = lab.run_document("one", script, &environment, ring::PATIENCE).await?;

        same(&outcome.status, &AgentStatus::Failed)?;
        same(&outcome.exit_code, &Some(3))?;
        same(&outcome.stdout.as_str(), &"$(touch /tmp/hostile)")?;
        same(&outcome.stderr.as_str(), &"")
    })
    .await
}

async fn output() -> Outcome {
    with_lab("output", FleetSpec::bare("output", &["one"]), async |lab| {
        let outcome = ring::script(&lab, "one", "yes | head -c 1000000; yes | head -c 1000000 >&2; exit 0").await?;

        same(&outcome.status, &AgentStatus::Success)?;
        same(&(outcome.stdout.len(), outcome.stderr.len()), &(24_000, 8_000))?;
        same(&outcome.plugin_output().len(), &2_500)
    })
    .await
}

/// Leaves two processes in the script's group and one outside it, and says nothing more.
const LINGER: &str = "sleep 1001 & setsid sleep 1002 & nohup sleep 1003 & trap 'echo trapped' TERM EXIT; sleep 1004";

/// The arguments of the sleeping processes of a host.
const SLEEPERS: &str = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline | sed -n 's/^sleep //p'; done | sort";

async fn timeouts() -> Outcome {
    with_lab("timeouts", FleetSpec::bare("timeouts", &["one"]), async |lab| {
        let outcome = lab.run_document("one", LINGER, &[], Duration::from_millis(500)).await?;

        same(&(outcome.status, outcome.exit_code), &(AgentStatus::TimedOut, None))?;
        same(&outcome.stdout.as_str(), &"")?;
        ring::until("only the process that left the group survives", async || {
            Ok(ring::output(&lab, "one", SLEEPERS).await? == "1002")
        })
        .await
    })
    .await
}

async fn cancel() -> Outcome {
    with_lab("cancel", FleetSpec::bare("cancel", &["one"]), async |lab| {
        let document = Document { script: LINGER.to_owned(), environment: Vec::new(), timeout: ring::PATIENCE };
        let command = lab.send("one", document)?;
        ring::until("the script sleeps", async || {
            Ok(ring::output(&lab, "one", SLEEPERS).await? == "1001 1002 1003 1004")
        })
        .await?;

        command.cancel().await;

        let outcome = command.outcome().await;
        same(&(outcome.status, outcome.stdout.as_str()), &(AgentStatus::Cancelled, ""))?;
        ring::until("only the process that left the group survives", async || {
            Ok(ring::output(&lab, "one", SLEEPERS).await? == "1002")
        })
        .await
    })
    .await
}

async fn offline() -> Outcome {
    with_lab("offline", FleetSpec::bare("offline", &["one"]), async |lab| {
        lab.agent_offline("one", true)?;
        let outcome = ring::script(&lab, "one", "touch /var/lib/delivered").await?;
        same(&outcome.status, &AgentStatus::Undeliverable)?;
        expect(!lab.host("one")?.agent_online, || "the agent is shown online".to_owned())?;

        lab.agent_offline("one", false)?;

        let delivered = "test -e /var/lib/delivered && echo late || echo never";
        same(&ring::output(&lab, "one", delivered).await?.as_str(), &"never")
    })
    .await
}

async fn stop_and_start() -> Outcome {
    with_lab("stop", FleetSpec::bare("stop", &["one"]), async |lab| {
        let before = lab.host("one")?;
        ring::output(&lab, "one", "echo kept > /var/lib/kept; setsid sleep 1001 & iptables -N FAULT").await?;

        lab.stop("one").await?;
        same(&lab.host("one")?.state, &HostState::Stopped)?;
        same(&ring::script(&lab, "one", "true").await?.status, &AgentStatus::Undeliverable)?;
        lab.stop("one").await?;
        lab.start("one").await?;

        same(&lab.host("one")?, &before)?;
        same(&ring::output(&lab, "one", "cat /sys/class/net/eth0/address").await?.as_str(), &"02:53:0a:53:00:0a")?;
        same(&ring::output(&lab, "one", "cat /var/lib/kept").await?.as_str(), &"kept")?;
        same(&ring::output(&lab, "one", SLEEPERS).await?.as_str(), &"")?;
        same(&ring::output(&lab, "one", "iptables-save | grep -c FAULT || true").await?.as_str(), &"0")?;

        lab.reboot("one").await?;
        same(&ring::output(&lab, "one", "cat /var/lib/kept").await?.as_str(), &"kept")
    })
    .await
}

async fn boot_time() -> Outcome {
    with_lab("boot", FleetSpec::bare("boot", &["one"]), async |lab| {
        let booted = "sed -n 's/^btime //p' /proc/stat; cat /proc/sys/kernel/random/boot_id";
        let first = ring::output(&lab, "one", booted).await?;
        same(&ring::output(&lab, "one", booted).await?, &first)?;
        let told = ring::now()?;

        lab.reboot("one").await?;

        let second = ring::output(&lab, "one", booted).await?;
        let (time, id) = second.split_once('\n').ok_or("no boot id")?;
        expect(time.parse().is_ok_and(|time: u64| time > told), || format!("told at {told}, booted at {time}"))?;
        expect(!first.contains(id), || "the boot id did not change".to_owned())?;
        let uptime = ring::output(&lab, "one", "cut -d . -f 1 /proc/uptime").await?;
        expect(uptime.parse().is_ok_and(|seconds: u64| seconds < 30), || format!("up for {uptime} s"))
    })
    .await
}

async fn stopped_member() -> Outcome {
    let group = GroupSpec {
        name: "group".to_owned(),
        min: 0,
        desired: 1,
        max: 2,
        template: HostSpec::bare("member"),
        boot_delay: Duration::from_millis(500),
        stopped_grace: Some(Duration::from_secs(3)),
        load_balancer: None,
    };
    with_lab("grace", FleetSpec { groups: vec![group], ..FleetSpec::bare("grace", &[]) }, async |lab| {
        let first = lab.host("member-1")?.instance_id;
        lab.stop("member-1").await?;
        lab.start("member-1").await?;
        lab.suspend("group", true)?;
        lab.stop("member-1").await?;
        let stopped = ring::instant();
        same(&lab.groups()[0].members, &vec![first.clone()])?;
        lab.suspend("group", false)?;

        ring::until("a new member runs", async || {
            Ok(lab.host("member-2").is_ok_and(|member| member.state == HostState::Running))
        })
        .await?;

        expect(stopped.elapsed() > Duration::from_secs(3), || "it was replaced before its grace was over".to_owned())?;
        same(&lab.host(&first)?.state, &HostState::Terminated)?;
        expect(lab.set_desired("group", 3).is_err(), || "a group grew over its limit".to_owned())?;
        lab.set_desired("group", 0)?;
        ring::until("the group is empty", async || Ok(lab.groups()[0].members.is_empty())).await
    })
    .await
}

async fn terminate() -> Outcome {
    with_lab("terminate", FleetSpec::bare("terminate", &["one", "two"]), async |lab| {
        let instance = lab.host("one")?.instance_id;

        lab.terminate("one").await?;
        lab.terminate(&instance).await?;

        same(&lab.host(&instance)?.state, &HostState::Terminated)?;
        expect(lab.start(&instance).await.is_err(), || "a terminated host was started".to_owned())?;
        let address = lab.host(&instance)?.address;
        let ping = format!("ping -c 1 -W 1 {address} > /dev/null && echo there || echo gone");
        same(&ring::output(&lab, "two", &ping).await?.as_str(), &"gone")
    })
    .await
}
