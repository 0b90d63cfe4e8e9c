//! Commands for a lab that runs in another process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock;
use crate::control::{Answer, Ask, HostAction, Status, ask};
use crate::exit::{DONE, FAILED, Failure};
use crate::home::{self, Leftovers, Record};
use crate::host::{HostState, HostView};
use crate::lab::{Glance, exec_at};
use crate::paint::paint;
use crate::wire::AgentStatus;

/// How long a lab may take to go.
const GOING: Duration = Duration::from_secs(60);

/// The one lab that runs here.
fn running(home: &Path) -> Result<PathBuf, Failure> {
    lab(home).map(|(_, folder)| folder)
}

fn lab(home: &Path) -> Result<(Record, PathBuf), Failure> {
    let mut living = home::living(home);
    match (living.pop(), living.len()) {
        (Some(lab), 0) => Ok(lab),
        (Some(_), more) => Err(Failure::usage(format!(
            "{} labs are running in {}: give each its own `--home`",
            more + 1,
            home.display()
        ))),
        (None, _) => {
            Err(Failure::usage(format!("no lab is running in {}: start one with `drill-lab up`", home.display())))
        }
    }
}

async fn answer(folder: &Path, question: &Ask) -> Result<Answer, Failure> {
    match ask(folder, question).await {
        Ok(Answer::Refused(why)) => Err(Failure::failed(why)),
        Ok(answer) => Ok(answer),
        Err(error) => Err(Failure::failed(format!("the lab did not answer: {error}"))),
    }
}

pub(super) async fn look(folder: &Path) -> Result<Status, Failure> {
    match answer(folder, &Ask::Status).await? {
        Answer::Status(status) => Ok(*status),
        other @ (Answer::Done | Answer::Refused(_)) => Err(Failure::failed(format!("{other:?}"))),
    }
}

pub(super) async fn status(home: &Path, json: bool) -> Result<u8, Failure> {
    let status = look(&running(home)?).await?;
    if json {
        let text = serde_json::to_string_pretty(&status)?;
        println!("{text}");
    } else {
        print!("{}", table(&status));
    }
    Ok(DONE)
}

pub(super) async fn exec(home: &Path, host: &str, command: &[String]) -> Result<u8, Failure> {
    let folder = running(home)?;
    let host = named(&look(&folder).await?, host)?;
    let socket = crate::host::folder(&folder, &host.instance_id).join("agent.sock");
    let hear = |error: bool, text: &str| {
        // Whoever reads us may have stopped reading; the command goes on.
        drop(match error {
            true => std::io::stderr().write_all(text.as_bytes()),
            false => std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()),
        });
    };
    let outcome = exec_at(&socket, command, hear).await;
    let outcome = outcome.map_err(|error| Failure::failed(format!("{}: {error}", host.name)))?;
    match (outcome.exit_code, outcome.status) {
        (Some(code), _) => Ok(u8::try_from(code).unwrap_or(FAILED)),
        (None, AgentStatus::Failed) if outcome.stderr.is_empty() => Ok(137),
        (None, _) => Err(Failure::failed(format!("{}: {}", host.name, outcome.stderr))),
    }
}

pub(super) async fn host(home: &Path, action: HostAction, host: String) -> Result<u8, Failure> {
    let folder = running(home)?;
    named(&look(&folder).await?, &host)?;
    answer(&folder, &Ask::Host { host, action }).await?;
    Ok(DONE)
}

pub(super) async fn down(home: &Path, found: &Leftovers) -> Result<u8, Failure> {
    if home::living(home).is_empty() {
        if found.is_empty() {
            println!("no lab is running in {}", home.display());
        }
        return Ok(DONE);
    }
    let (record, folder) = lab(home)?;
    eprintln!("stopping the lab");
    answer(&folder, &Ask::Down).await?;
    let patience = clock::instant() + GOING;
    while record.owner.lives() && clock::instant() < patience {
        clock::pause(Duration::from_millis(20)).await;
    }
    // What its process could not remove, we try to.
    let left = home::sweep(home);
    match left.is_clean() && !folder.exists() {
        true => {
            println!("the lab has stopped");
            Ok(DONE)
        }
        false => Err(Failure::left(&left)),
    }
}

fn named(status: &Status, wanted: &str) -> Result<HostView, Failure> {
    let alive = |host: &&HostView| host.name == wanted && host.state != HostState::Terminated;
    let by_id = status.hosts.iter().find(|host| host.instance_id == wanted);
    by_id.or_else(|| status.hosts.iter().find(alive)).cloned().ok_or_else(|| {
        let names: Vec<_> = status.hosts.iter().map(|host| host.name.as_str()).collect();
        Failure::usage(format!("no host `{wanted}` in this lab, which has {}", names.join(", ")))
    })
}

/// The lab at a glance.
pub(super) fn table(status: &Status) -> String {
    let mut text = format!("lab {}\n", status.id);
    for host in &status.hosts {
        let colour = match host.state {
            HostState::Running => "32",
            HostState::Booting | HostState::Stopping => "33",
            HostState::Stopped | HostState::Terminated => "31",
        };
        let state = paint(&format!("{:<10}", host.state), colour);
        text.push_str(&format!(
            "  {:<14} {} {:<11} {state} {}",
            host.name,
            host.instance_id,
            host.address.to_string(),
            bounds(host)
        ));
        if host.state == HostState::Running && !host.agent_online {
            text.push_str(", agent offline");
        }
        if let Some(problem) = &host.problem {
            text.push_str(&format!(", {problem}"));
        }
        text.push('\n');
    }
    if let Some(lately) = &status.lately {
        text.push_str(&format!("  {}\n", glance(lately)));
    }
    text
}

/// The load in one line.
pub(super) fn glance(lately: &Glance) -> String {
    let Glance { requests_per_second, accepted, rejected, errors, dropped, p50, p99 } = lately;
    format!(
        "last 10 s: {requests_per_second:.0} orders/s, {accepted} accepted, {rejected} rejected, {errors} errors, \
         {dropped} dropped; p50 {p50:.0} ms, p99 {p99:.0} ms"
    )
}

fn bounds(host: &HostView) -> String {
    let cpu = host.bounds.cpu_percent.map_or("no CPU limit".into(), |cpu| format!("{cpu}% of a CPU"));
    let memory = host.bounds.memory_mib.map_or("no memory limit".into(), |memory| format!("{memory} MiB"));
    format!("{cpu}, {memory}")
}
