//! Waiting for what hosts say, for a bounded time.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::ids::InstanceId;

use crate::ports::{Clock, CommandId, HostAnswer, HostAnswers, PortError};

/// Between two looks at a command.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// Reads what every host of these commands has said, until all have or the time is over.
///
/// A host that has said nothing by then is `Pending` in the answer: it may still run the command.
/// An error is returned only when no look at all succeeded after the first failure, with what was read so far lost.
pub(crate) async fn wait(
    world: &(impl HostAnswers + Clock),
    commands: &[CommandId],
    patience: Duration,
) -> Result<BTreeMap<InstanceId, HostAnswer>, PortError> {
    let mut said = BTreeMap::new();
    let mut open: Vec<&CommandId> = commands.iter().collect();
    let give_up = world.now() + patience;
    let mut failed = None;
    loop {
        let mut still_open = Vec::new();
        for command in open {
            match world.answers(command).await {
                Ok(answers) => {
                    failed = None;
                    if answers.is_empty() || answers.iter().any(|(_, answer)| *answer == HostAnswer::Pending) {
                        still_open.push(command);
                    }
                    said.extend(answers);
                }
                Err(error) => {
                    failed = Some(error);
                    still_open.push(command);
                }
            }
        }
        open = still_open;
        if open.is_empty() {
            return Ok(said);
        }
        if world.now() >= give_up {
            return failed.map_or(Ok(said), Err);
        }
        world.pause(BETWEEN_LOOKS).await;
    }
}
