//! Seeing whether changes landed: what hosts read back, what resources look like. What is not seen has not landed.
//!
//! All changes are waited for together: a silent host delays none of the others.

use std::time::Duration;

use drill_model::ledger::Row;

use super::changes::{Made, stopped_by};
use super::{InjectError, InjectPorts};
use crate::answers;
use crate::drive::apply::Changing;
use crate::drive::hosts;
use crate::ports::has::prelude::*;
use crate::ports::{CommandId, Step};

/// How long Inject waits to see what it did. What is not seen by then stays `intended`: it may have run.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at the resources.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Looks for what was made, and writes down what is seen.
pub(super) async fn look(world: &impl InjectPorts, made: Vec<Made>) -> Result<(), InjectError> {
    let Some(last) = made.last().map(|made| made.fault.clone()) else { return Ok(()) };
    let (mut orders, mut changing) = (Vec::new(), Vec::new());
    for Made { fault, orders: sent, changing: begun } in made {
        orders.extend(sent);
        changing.extend(begun.into_iter().map(|begun| (fault.clone(), begun)));
    }
    let (heard, watched) = futures_util::join!(hear(world, &orders), watch(world, &mut changing));
    let mut steps = heard;
    steps.extend(changing.iter().flat_map(|(_, changing)| changing.landings()));
    if !steps.is_empty() {
        let written = world.ledger().advance(&steps, world.clock().now()).await;
        written.map_err(|source| InjectError::OutcomeUnknown { fault: last, source })?;
    }
    watched
}

/// What the hosts said.
async fn hear(world: &impl InjectPorts, orders: &[(hosts::Sent, Vec<Row>)]) -> Vec<Step> {
    let commands: Vec<CommandId> = orders.iter().map(|(sent, _)| sent.command.clone()).collect();
    if commands.is_empty() {
        return Vec::new();
    }
    // Answers that could not be read leave their rows as they are: the change may have run.
    let said = answers::wait_each(world, &commands, PATIENCE).await;
    let now = world.clock().now();
    orders
        .iter()
        .flat_map(|(sent, rows)| rows.iter().map(move |row| (sent, row)))
        .filter_map(|(sent, row)| {
            let answer = said.answer(&sent.command, &row.target.instance()?)?;
            hosts::heard(row, answer, sent.first, now)
        })
        .collect()
}

/// Looks at the resources until all changes have landed or the time is over.
async fn watch(
    world: &impl InjectPorts,
    changing: &mut [(drill_model::ids::FaultName, Changing)],
) -> Result<(), InjectError> {
    let give_up = world.clock().now() + PATIENCE;
    loop {
        for (fault, changing) in changing.iter_mut().filter(|(_, changing)| !changing.is_done()) {
            changing.advance(world).await.map_err(|stopped| stopped_by(fault, stopped))?;
        }
        if changing.iter().all(|(_, changing)| changing.is_done()) || world.clock().now() >= give_up {
            return Ok(());
        }
        world.clock().pause(BETWEEN_LOOKS).await;
    }
}
