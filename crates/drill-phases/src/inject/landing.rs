//! Seeing whether changes landed: what hosts read back, what instances look like. What is not seen has not landed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::Change;
use drill_model::host::HostOutcome;
use drill_model::ids::InstanceId;
use drill_model::ledger::{Row, State};
use jiff::Timestamp;

use super::InjectPorts;
use crate::answers;
use crate::ports::{CommandId, HostAnswer, Instance, InstanceState, PortError, Step};

/// How long Inject waits to see what it did. What is not seen by then stays `intended`: it may have run.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the instances.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Looks for what these rows intended, and writes down what is seen.
pub(super) async fn look(world: &impl InjectPorts, rows: &[Row], commands: &[CommandId]) -> Result<(), PortError> {
    let (on_hosts, on_instances): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| matches!(row.change, Change::Host(_)));
    let mut steps = Vec::new();
    if !commands.is_empty() {
        let said = answers::wait(world, commands, PATIENCE).await?;
        let now = world.now();
        steps.extend(on_hosts.into_iter().filter_map(|row| heard(row, said.get(&row.target)?, now)));
    }
    if !on_instances.is_empty() {
        steps.extend(watch(world, &on_instances).await?);
    }
    if steps.is_empty() { Ok(()) } else { world.advance(&steps, world.now()).await }
}

/// What a host's answer says of its row; nothing when it may have run all the same.
fn heard(row: &Row, answer: &HostAnswer, now: Timestamp) -> Option<Step> {
    let HostAnswer::Report(report) = answer else { return None };
    if report.unit.as_ref() != Some(&row.unit) {
        return None;
    }
    let why = || {
        let reason = report.reason.as_deref().unwrap_or("no reason given");
        report.detail.as_deref().map_or_else(|| reason.to_owned(), |detail| format!("{reason}: {detail}"))
    };
    let to = match report.outcome {
        HostOutcome::Landed | HostOutcome::Already => State::Landed { at: now },
        HostOutcome::Refused | HostOutcome::Failed => State::NeverMade { why: why() },
        HostOutcome::Reverted | HostOutcome::Absent | HostOutcome::Residue | HostOutcome::Alive => return None,
    };
    Some(Step { row: row.clone(), to })
}

async fn watch(world: &impl InjectPorts, rows: &[&Row]) -> Result<Vec<Step>, PortError> {
    let ids: BTreeSet<InstanceId> = rows.iter().map(|row| row.target.clone()).collect();
    // When a host booted is what the host says; it is asked when the run is put back.
    let visible = |row: &&&Row| row.change != Change::RebootInstance;
    let give_up = world.now() + PATIENCE;
    loop {
        let found: BTreeMap<InstanceId, Instance> =
            world.describe(&ids).await?.into_iter().map(|instance| (instance.id.clone(), instance)).collect();
        let now = world.now();
        let seen: Vec<Step> = rows
            .iter()
            .filter(visible)
            .filter(|row| is_seen(row, found.get(&row.target)))
            .map(|row| Step { row: (*row).clone(), to: State::Landed { at: now } })
            .collect();
        if seen.len() == rows.iter().filter(visible).count() || now >= give_up {
            return Ok(seen);
        }
        world.pause(BETWEEN_LOOKS).await;
    }
}

fn is_seen(row: &Row, instance: Option<&Instance>) -> bool {
    let state = instance.map(|instance| instance.state);
    match row.change {
        Change::StopInstance => matches!(state, Some(InstanceState::Stopping | InstanceState::Stopped)),
        Change::TerminateInstance => {
            matches!(state, None | Some(InstanceState::ShuttingDown | InstanceState::Terminated))
        }
        Change::RebootInstance | Change::Host(_) => false,
    }
}
