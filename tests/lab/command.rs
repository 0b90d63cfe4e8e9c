//! The command line, as people use it.

use std::io::BufReader;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout};

use libtest_mimic::{Failed, Trial};

use crate::ring::{self, Outcome, expect, run_command, same};

const EXPERIMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/error-budget-abort");

pub fn trials() -> Vec<Trial> {
    vec![
        ring::trial("command::up_status_exec_down", journey),
        ring::trial("command::an_interrupt_takes_everything_down", interrupt),
        ring::bounded_trial("command::an_interrupt_of_a_run_ends_with_nothing_broken", interrupted_run),
        ring::trial("command::a_lab_ends_with_its_switch_and_says_so", switchless_lab),
        ring::bounded_trial("command::a_run_ends_with_its_switch_and_gives_no_verdict", switchless_run),
        ring::bounded_trial("command::what_a_killed_run_left_is_removed_by_the_next_command", killed_run),
        ring::rooted_trial("command::a_user_who_is_not_root_gets_a_lab_without_bounds", rootless),
        ring::trial("command::wrong_questions_are_answered_with_the_right_one", wrong),
    ]
}

async fn journey() -> Outcome {
    let home = ring::home("journey");
    let up = run_command(&home, &["up", "--detach", "--name", "journey", "--order-hosts", "2"]).await?;
    same(&up.code, &Some(0)).map_err(|_| format!("{up:?}"))?;
    let id = ring::wait_for_lab(&home).await?;

    let again = run_command(&home, &["up"]).await?;
    same(&again.code, &Some(64))?;
    expect(again.stderr.contains(&id) && again.stderr.contains("drill-lab down"), || format!("{again:?}"))?;

    let status = run_command(&home, &["status"]).await?;
    expect(status.stdout.contains("orders-2") && status.stdout.contains("running"), || format!("{status:?}"))?;
    expect(!status.stdout.contains('\x1b'), || "colours where there is no terminal".to_owned())?;
    let json = run_command(&home, &["status", "--json"]).await?;
    let json: serde_json::Value = serde_json::from_str(&json.stdout)?;
    same(&json["hosts"].as_array().map(Vec::len), &Some(6))?;

    let exec = run_command(&home, &["exec", "orders-1", "--", "sh", "-c", "hostname; echo no >&2; exit 7"]).await?;
    same(&(exec.code, exec.stdout.as_str(), exec.stderr.as_str()), &(Some(7), "orders-1\n", "no\n"))?;

    let stop = run_command(&home, &["host", "stop", "risk-engine"]).await?;
    same(&stop.code, &Some(0))?;
    let status = run_command(&home, &["status"]).await?;
    expect(status.stdout.contains("stopped"), || format!("{status:?}"))?;

    let down = run_command(&home, &["down"]).await?;
    same(&(down.code, down.stdout.as_str()), &(Some(0), "the lab has stopped\n"))?;
    let down = run_command(&home, &["down"]).await?;
    same(&down.code, &Some(0))?;
    std::fs::remove_dir_all(&home)?;
    Ok(())
}

async fn interrupt() -> Outcome {
    let home = ring::home("interrupt");
    let lab = ring::start_command(&home, &["up", "--name", "interrupt", "--order-hosts", "1"])?;
    let id = ring::wait_for_lab(&home).await?;

    let sent = std::process::Command::new("kill").args(["-INT", &lab.id().to_string()]).status()?;
    expect(sent.success(), || "the interrupt was not sent".to_owned())?;

    let ended = lab.wait_with_output()?;
    same(&ended.status.code(), &Some(0)).map_err(|_| format!("{ended:?}"))?;
    expect(!home.join(&id).exists(), || "the lab's folder is still there".to_owned())?;
    std::fs::remove_dir_all(&home)?;
    Ok(())
}

/// A run of an experiment that has just broken something, and what it has still to say.
async fn broken_run(home: &Path) -> Result<(Child, BufReader<ChildStdout>), Failed> {
    ring::broken_run(home, EXPERIMENT, "2").await
}

async fn interrupted_run() -> Outcome {
    let home = ring::home("interrupted-run");
    let (mut run, mut said) = broken_run(&home).await?;

    let sent = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status()?;
    expect(sent.success(), || "the interrupt was not sent".to_owned())?;

    let said = tokio::task::spawn_blocking(move || std::io::read_to_string(&mut said)).await??;
    same(&run.wait()?.code(), &Some(1)).map_err(|_| said.clone())?;
    expect(said.contains("verdict: aborted") && said.contains("gone (Reverted)"), || said.clone())?;
    let left: Vec<_> = std::fs::read_dir(&home)?.flatten().map(|entry| entry.path()).collect();
    expect(left.is_empty(), || format!("left behind: {left:?}"))?;
    std::fs::remove_dir_all(home.with_extension("runs"))?;
    std::fs::remove_dir_all(&home)?;
    Ok(())
}

async fn switchless_lab() -> Outcome {
    let home = ring::home("switchless-lab");
    let lab = ring::start_command(&home, &["up", "--name", "switchless", "--order-hosts", "1"])?;
    ring::wait_for_lab(&home).await?;

    let said = without_switch(&home, lab).await?;

    same(&said.code, &Some(70)).map_err(|_| format!("{said:?}"))?;
    expect(said.stderr.contains("the lab's switch died"), || format!("{said:?}"))?;
    std::fs::remove_dir(&home).map_err(|error| Failed::from(format!("something is left in its home: {error}")))
}

async fn switchless_run() -> Outcome {
    let home = ring::home("switchless-run");
    let (run, mut said) = broken_run(&home).await?;
    let said = tokio::task::spawn_blocking(move || std::io::read_to_string(&mut said));

    let told = without_switch(&home, run).await?;

    let said = said.await??;
    same(&told.code, &Some(70)).map_err(|_| format!("{said}{told:?}"))?;
    expect(told.stderr.contains("no verdict") && !said.contains("verdict:"), || format!("{said}{told:?}"))?;
    std::fs::remove_dir(&home).map_err(|error| Failed::from(format!("something is left in its home: {error}")))
}

/// What a command that holds a lab says to the death of the lab's switch. Outliving it by [`ring::PATIENCE`] is a failure.
async fn without_switch(home: &Path, command: Child) -> Result<ring::Said, Failed> {
    let switch = format!("lab-switch-init {} ", ring::lab_in(home)?);
    let found = ring::finish(std::process::Command::new("pgrep").args(["-f", &switch])).await?;
    let switch = found.stdout.trim();
    let killed = ring::finish(std::process::Command::new("kill").args(["-KILL", switch])).await?;
    same(&killed.code, &Some(0)).map_err(|_| format!("switch `{switch}`: {killed:?}"))?;
    let holder = command.id().to_string();
    let ended = tokio::task::spawn_blocking(|| command.wait_with_output());
    match tokio::time::timeout(ring::PATIENCE, ended).await {
        Ok(ended) => {
            let ended = ended??;
            let (stdout, stderr) = (String::from_utf8(ended.stdout)?, String::from_utf8(ended.stderr)?);
            Ok(ring::Said { code: ended.status.code(), stdout, stderr })
        }
        Err(_) => {
            ring::finish(std::process::Command::new("kill").args(["-KILL", &holder])).await?;
            Err("it goes on without its switch".into())
        }
    }
}

async fn killed_run() -> Outcome {
    let home = ring::home("killed-run");
    let (mut run, _) = broken_run(&home).await?;
    let processes = format!("pgrep -f 'home.*{}' || true", home.display());

    run.kill()?;
    run.wait()?;

    // To check an experiment touches nothing, so what the dead lab left waits for a command about labs.
    let check = run_command(&home, &["check", EXPERIMENT]).await?;
    same(&check.code, &Some(0)).map_err(|_| format!("{check:?}"))?;
    expect(!check.stderr.contains("had crashed"), || format!("{check:?}"))?;
    let down = run_command(&home, &["down"]).await?;
    same(&down.code, &Some(0)).map_err(|_| format!("{down:?}"))?;
    expect(down.stderr.contains("had crashed"), || format!("{down:?}"))?;
    ring::until("no process is left", async || {
        let left = ring::finish(std::process::Command::new("sh").args(["-c", &processes])).await?;
        Ok(left.stdout.lines().count() <= 1)
    })
    .await?;
    let again = run_command(&home, &["down"]).await?;
    expect(!again.stderr.contains("had crashed"), || format!("{again:?}"))?;
    std::fs::remove_dir_all(&home)?;
    Ok(())
}

/// Nobody, who owns nothing.
const NOBODY: u32 = 65_534;

async fn rootless() -> Outcome {
    let folder = ring::home("rootless");
    std::fs::create_dir(&folder)?;
    let program = folder.join("drill-lab");
    std::fs::copy(std::env::current_exe()?, &program)?;
    std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY))?;
    let run = async |arguments: &[&str]| {
        let mut command = std::process::Command::new(&program);
        command.args(arguments).env(ring::AS_COMMAND, "1").env("DRILL_LAB_HOME", folder.join("home"));
        ring::finish(command.uid(NOBODY).gid(NOBODY).current_dir("/")).await
    };

    let up = run(&["up", "--detach", "--name", "rootless", "--order-hosts", "1"]).await?;
    same(&up.code, &Some(0)).map_err(|_| format!("{up:?}"))?;
    let status = run(&["status"]).await?;
    expect(status.stdout.contains("no memory limit"), || format!("{status:?}"))?;
    let exec = run(&["exec", "orders-1", "--", "sh", "-c", "iptables -A INPUT -j DROP && id -u"]).await?;
    same(&exec.stdout.as_str(), &"0\n").map_err(|_| format!("{exec:?}"))?;
    let down = run(&["down"]).await?;
    same(&down.code, &Some(0)).map_err(|_| format!("{down:?}"))?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn wrong() -> Outcome {
    let home = ring::home("wrong");
    for (arguments, told) in [
        (vec!["status"], "start one with `drill-lab up`"),
        (vec!["exec", "orders-1", "--", "true"], "start one with `drill-lab up`"),
        (vec!["exec", "orders-1", "true"], "--"),
        (vec!["up", "--order-hosts", "0"], "1..=20"),
        (vec!["up", "--name", "No Name"], "lower-case"),
        (vec!["host", "explode", "orders-1"], "terminate"),
        (vec!["rise"], "drill-lab"),
    ] {
        let answer = run_command(&home, &arguments).await?;
        same(&answer.code, &Some(64)).map_err(|_| format!("{arguments:?}: {answer:?}"))?;
        expect(answer.stderr.contains(told), || format!("{arguments:?} was answered with {}", answer.stderr))?;
    }
    expect(!home.exists(), || "a question that was wrong made a folder".to_owned())
}
