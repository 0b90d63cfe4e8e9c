//! Waiting for what hosts say, for a bounded time.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::ids::InstanceId;
use futures_util::StreamExt as _;

use crate::ports::has::prelude::*;
use crate::ports::{CommandId, HostAnswer, PortError, has};

/// Between two looks at a command.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);
/// How many commands are asked after side by side.
const SIDE_BY_SIDE: usize = 8;

/// What hosts said to some commands.
#[derive(Debug, Default)]
pub(crate) struct Said {
    by_command: BTreeMap<CommandId, BTreeMap<InstanceId, HostAnswer>>,
    /// Why what the others said could not be read to the end.
    pub(crate) failed: Option<String>,
    error: Option<PortError>,
}

impl Said {
    /// What a host said to a command.
    pub(crate) fn answer(&self, command: &CommandId, host: &InstanceId) -> Option<&HostAnswer> {
        self.by_command.get(command)?.get(host)
    }
}

/// Reads what every host of these commands has said, until all have or the time is over.
///
/// A host that has said nothing by then is `Pending` in the answer: it may still run the command.
pub(crate) async fn wait_each(
    world: &(impl has::HostAnswers + has::Clock),
    commands: &[CommandId],
    patience: Duration,
) -> Said {
    wait_at(world, commands, patience, BETWEEN_LOOKS).await
}

/// As [`wait_each`], with another time between two looks: each look is a call for each command that is open.
pub(crate) async fn wait_at(
    world: &(impl has::HostAnswers + has::Clock),
    commands: &[CommandId],
    patience: Duration,
    between: Duration,
) -> Said {
    let mut said = Said::default();
    let mut open: Vec<CommandId> = commands.to_vec();
    let began = world.clock().now();
    let give_up = began + patience;
    loop {
        let asked = open.into_iter().map(async |command| {
            let answers = world.host_answers().answers(&command).await;
            (command, answers)
        });
        let read: Vec<_> = futures_util::stream::iter(asked).buffered(SIDE_BY_SIDE).collect().await;
        open = Vec::new();
        said.error = None;
        for (command, answers) in read {
            match answers {
                Ok(answers) => {
                    if answers.is_empty() || answers.iter().any(|(_, answer)| *answer == HostAnswer::Pending) {
                        open.push(command.clone());
                    }
                    said.by_command.entry(command).or_default().extend(answers);
                }
                Err(error) => {
                    said.error = Some(error);
                    open.push(command);
                }
            }
        }
        if open.is_empty() || world.clock().now() >= give_up {
            said.failed = said.error.as_ref().map(ToString::to_string);
            return said;
        }
        // The longer nobody has answered, the less often they are asked.
        let waited = world.clock().now().duration_since(began).unsigned_abs();
        world.clock().pause(between.max(waited / 10)).await;
    }
}

/// As [`wait_each`], over all commands together. An error is returned only when the last look at a command failed.
pub(crate) async fn wait(
    world: &(impl has::HostAnswers + has::Clock),
    commands: &[CommandId],
    patience: Duration,
) -> Result<BTreeMap<InstanceId, HostAnswer>, PortError> {
    let said = wait_each(world, commands, patience).await;
    match said.error {
        Some(error) => Err(error),
        None => Ok(said.by_command.into_values().flatten().collect()),
    }
}
