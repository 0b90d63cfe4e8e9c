//! The janitor: clean a run whose owner died. It is woken by a dead execution, by an alarm clock, and every minute.
//!
//! It shares the engine of Rollback and goes on for ever; nothing that it finds is dropped.

use drill_model::ids::RunId;
use drill_model::run::{Ending, Run, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::{Healing, PortError};
use crate::records::RecordError;
use crate::rollback::clean_up;
use crate::undo::{self, Left};

/// Why the janitor is awake.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Event")]
pub enum Wake {
    /// An execution ended in a way that runs no Catch.
    ExecutionEnded {
        /// Its name, which is the run's id.
        run: RunId,
        /// `FAILED`, `TIMED_OUT` or `ABORTED`.
        status: String,
    },
    /// The alarm clock of a run went off.
    Clock {
        /// Whose.
        run: RunId,
    },
    /// It is time to look for rows past their deadline.
    Sweep,
}

/// A wake as it is sent: by the rules of the template, and by alarm clocks.
#[derive(Deserialize)]
#[serde(tag = "wake", rename_all = "kebab-case", deny_unknown_fields)]
enum Event {
    ExecutionEnded { run_id: String, status: String },
    Clock { run_id: RunId },
    Sweep {},
}

impl From<Event> for Wake {
    fn from(event: Event) -> Self {
        match event {
            Event::ExecutionEnded { run_id, status } => match RunId::try_from(run_id) {
                Ok(run) => Self::ExecutionEnded { run, status },
                // Step Functions takes names that no run can have. Such an execution was refused before it touched anything.
                Err(_) => Self::Sweep,
            },
            Event::Clock { run_id } => Self::Clock { run: run_id },
            Event::Sweep {} => Self::Sweep,
        }
    }
}

/// What the janitor did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Runs that are clean now.
    pub cleaned: Vec<RunId>,
    /// What is left, run by run; it is tried again.
    pub left: Vec<(RunId, String)>,
}

/// What stopped the janitor, for now.
#[derive(Debug, thiserror::Error)]
pub enum JanitorError {
    /// It could not even look.
    #[error("cannot look for runs past their deadline")]
    Unread(#[source] PortError),
    /// Something is left behind; the sweep tries again.
    #[error("not clean yet: {}", .swept.left.iter().map(|(run, why)| format!("{run}: {why}")).collect::<Vec<_>>().join("; "))]
    NotClean {
        /// What was done all the same.
        swept: Swept,
    },
}

/// Cleans what the wake is about.
pub async fn sweep(world: &impl Healing, wake: &Wake) -> Result<Swept, JanitorError> {
    let runs: Vec<(RunId, Ending)> = match wake {
        Wake::ExecutionEnded { run, status } => {
            vec![(run.clone(), Ending::Stopped { how: format!("its execution ended as {status}") })]
        }
        Wake::Clock { run } => vec![(run.clone(), Ending::Stopped { how: "its deadline passed".to_owned() })],
        Wake::Sweep => world
            .overdue(world.now())
            .await
            .map_err(JanitorError::Unread)?
            .into_iter()
            .map(|run| (run, Ending::Stopped { how: "its deadline passed and it was not clean".to_owned() }))
            .collect(),
    };
    let mut swept = Swept::default();
    for (run, ending) in runs {
        match settle(world, &run, &ending, wake).await {
            Ok(None) => {}
            Ok(Some(left)) if left.is_empty() => swept.cleaned.push(run),
            Ok(Some(left)) => swept.left.push((run, undo::summary(&left))),
            Err(RecordError::Store { source, .. }) if source.class == crate::ports::Class::Missing => {
                // An execution that died before Prepare wrote anything: there is nothing to clean.
            }
            Err(error) => swept.left.push((run, error_text(&error))),
        }
    }
    if swept.left.is_empty() { Ok(swept) } else { Err(JanitorError::NotClean { swept }) }
}

/// Cleans one run; `None` when it is none of the janitor's business.
async fn settle(
    world: &impl Healing,
    run: &RunId,
    ending: &Ending,
    wake: &Wake,
) -> Result<Option<Vec<Left>>, RecordError> {
    let stands = world.run(run).await.map_err(RecordError::store(run))?;
    if !is_due(&stands, wake, world.now()) {
        return Ok(None);
    }
    clean_up(world, run, ending).await.map(Some)
}

/// Whether a wake is a reason to clean a run. A clock that goes off early, or twice, is none.
pub fn is_due(stands: &Run, wake: &Wake, now: Timestamp) -> bool {
    let finished = matches!(stands.status, Status::Judged | Status::Refused | Status::Planned);
    let early = stands.armed.is_none_or(|armed| now < armed.deadline);
    match wake {
        Wake::Clock { .. } | Wake::Sweep => finished || !early,
        Wake::ExecutionEnded { .. } => true,
    }
}

fn error_text(error: &RecordError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(sent: Value, expected: &Wake) {
        assert_eq!(&serde_json::from_value::<Wake>(sent).unwrap(), expected);
    }

    #[test]
    fn every_wake_is_read_as_it_is_sent() {
        let run = RunId::try_from("run-1").unwrap();

        check(
            json!({ "wake": "execution-ended", "run_id": "run-1", "status": "ABORTED" }),
            &Wake::ExecutionEnded { run: run.clone(), status: "ABORTED".to_owned() },
        );
        check(json!({ "wake": "clock", "run_id": "run-1" }), &Wake::Clock { run });
        check(json!({ "wake": "sweep" }), &Wake::Sweep);
    }

    #[test]
    fn the_end_of_an_execution_that_can_be_no_run_is_a_moment_to_look_around() {
        check(json!({ "wake": "execution-ended", "run_id": "no.run", "status": "FAILED" }), &Wake::Sweep);
    }

    #[test]
    fn a_wake_without_a_word_is_none() {
        assert!(serde_json::from_value::<Wake>(json!({ "run_id": "run-1" })).is_err());
    }
}
