//! The janitor: clean a run whose owner died. It is woken by a dead execution, by an alarm clock, and every minute.
//!
//! It shares the engine of Rollback and goes on for ever; nothing that it finds is dropped.

use drill_model::ids::RunId;
use drill_model::ledger::State;
use drill_model::run::{Ending, Run, Status};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::has::prelude::*;
use crate::ports::{Healing, PortError, Step};
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
    /// A person takes on what is still not known to be gone: its rows are closed, and its targets given back.
    Abandon {
        /// Whose.
        run: RunId,
        /// Who takes it on.
        by: Words,
        /// Why.
        why: Words,
    },
}

/// What a person says, in a few words: never none, and at most 500 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Words(String);

impl TryFrom<String> for Words {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.trim() {
            "" => Err("write who takes it on in `by`, and in `why` the reason: both stand in the report"),
            said if said.chars().count() > 500 => Err("write at most 500 characters"),
            said => Ok(Self(said.to_owned())),
        }
    }
}

/// A wake as it is sent: by the rules of the template, by alarm clocks, and by people.
#[derive(Deserialize)]
#[serde(tag = "wake", rename_all = "kebab-case", deny_unknown_fields)]
enum Event {
    ExecutionEnded { run_id: String, status: String },
    Clock { run_id: RunId },
    Sweep {},
    Abandon { run_id: RunId, by: Words, why: Words },
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
            Event::Abandon { run_id, by, why } => Self::Abandon { run: run_id, by, why },
        }
    }
}

/// What the janitor did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Runs that are clean now.
    pub cleaned: Vec<RunId>,
    /// What a person took on, run by run.
    pub abandoned: Vec<(RunId, String)>,
    /// What is left, run by run; it is tried again.
    pub left: Vec<(RunId, String)>,
}

/// What stopped the janitor, for now.
#[derive(Debug, thiserror::Error)]
pub enum JanitorError {
    /// It could not even look.
    #[error("cannot look for runs past their deadline")]
    LedgerUnreadable(#[source] PortError),
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
        Wake::Abandon { run, .. } => {
            vec![(run.clone(), Ending::Stopped { how: "its deadline passed and it was not clean".to_owned() })]
        }
        Wake::Sweep => world
            .ledger()
            .overdue(world.clock().now())
            .await
            .map_err(JanitorError::LedgerUnreadable)?
            .into_iter()
            .map(|run| (run, Ending::Stopped { how: "its deadline passed and it was not clean".to_owned() }))
            .collect(),
    };
    let mut swept = Swept::default();
    // All at once: runs that cannot be cleaned, however many, delay no other.
    let looked = join_all(runs.into_iter().map(async |(run, ending)| {
        let found = look_after(world, &run, &ending, wake).await;
        (run, found)
    }))
    .await;
    for (run, found) in looked {
        match found {
            Found::Nothing => {}
            Found::Clean => swept.cleaned.push(run),
            Found::Abandoned(what) => swept.abandoned.push((run, what)),
            Found::Left(why) => swept.left.push((run, why)),
        }
    }
    if swept.left.is_empty() { Ok(swept) } else { Err(JanitorError::NotClean { swept }) }
}

/// How a run stands after one look.
enum Found {
    /// There is nothing to do about it.
    Nothing,
    Clean,
    /// A person took this on.
    Abandoned(String),
    /// This is left, and why.
    Left(String),
}

/// Cleans one run, or gives up in somebody's name what is left of it.
async fn look_after(world: &impl Healing, run: &RunId, ending: &Ending, wake: &Wake) -> Found {
    let left = match settle(world, run, ending, wake).await {
        Ok(None) if matches!(wake, Wake::Abandon { .. }) => {
            return Found::Left("its deadline has not passed: nothing of it is given up before that".to_owned());
        }
        Ok(None) => return Found::Nothing,
        Ok(Some(left)) if left.is_empty() => return Found::Clean,
        Ok(Some(left)) => left,
        // An execution that died before Prepare wrote anything: there is nothing to clean.
        Err(RecordError::Store { source, .. }) if source.class == crate::ports::Class::Missing => {
            return Found::Nothing;
        }
        Err(error) => return Found::Left(error_text(&error)),
    };
    match wake {
        Wake::Abandon { by, why, .. } => match abandon(world, run, &left, ending, by, why).await {
            Ok(still) if still.is_empty() => Found::Abandoned(undo::summary(&left)),
            Ok(still) => Found::Left(undo::summary(&still)),
            Err(error) => Found::Left(error_text(&error)),
        },
        Wake::ExecutionEnded { .. } | Wake::Clock { .. } | Wake::Sweep => Found::Left(undo::summary(&left)),
    }
}

/// Cleans one run; `None` when it is none of the janitor's business.
async fn settle(
    world: &impl Healing,
    run: &RunId,
    ending: &Ending,
    wake: &Wake,
) -> Result<Option<Vec<Left>>, RecordError> {
    let stands = world.runs().run(run).await.map_err(RecordError::store(run))?;
    if !is_due(&stands, wake, world.clock().now()) {
        return Ok(None);
    }
    clean_up(world, run, ending).await.map(Some)
}

/// Closes what is left after one more try, in the name of who takes it on. What is left then could not be written down.
async fn abandon(
    world: &impl Healing,
    run: &RunId,
    left: &[Left],
    ending: &Ending,
    by: &Words,
    why: &Words,
) -> Result<Vec<Left>, RecordError> {
    let to = State::Abandoned { by: by.0.clone(), why: why.0.clone() };
    let steps: Vec<Step> = left.iter().map(|left| Step { row: left.row.clone(), to: to.clone() }).collect();
    world.ledger().advance(&steps, world.clock().now()).await.map_err(RecordError::store(run))?;
    undo::clean(world, run, ending).await
}

/// Whether a wake is a reason to clean a run. A clock that goes off early, or twice, is none.
pub fn is_due(stands: &Run, wake: &Wake, now: Timestamp) -> bool {
    let finished = matches!(stands.status, Status::Judged | Status::Refused | Status::Planned);
    let early = stands.armed.is_none_or(|armed| now < armed.deadline);
    match wake {
        Wake::Clock { .. } | Wake::Sweep => finished || !early,
        Wake::Abandon { .. } => !finished && !early,
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
        let words = |text: &str| Words::try_from(text.to_owned()).unwrap();
        check(
            json!({ "wake": "abandon", "run_id": "run-1", "by": " Grace ", "why": "the host is gone" }),
            &Wake::Abandon { run: run.clone(), by: words("Grace"), why: words("the host is gone") },
        );
        check(json!({ "wake": "clock", "run_id": "run-1" }), &Wake::Clock { run });
        check(json!({ "wake": "sweep" }), &Wake::Sweep);
    }

    #[test]
    fn the_end_of_an_execution_that_can_be_no_run_is_a_moment_to_look_around() {
        check(json!({ "wake": "execution-ended", "run_id": "no.run", "status": "FAILED" }), &Wake::Sweep);
    }

    #[test]
    fn nobody_takes_on_what_is_left_without_a_name_and_a_reason() {
        for (by, why) in [(" ", "gone"), ("Grace", "\n"), ("Grace", &"x".repeat(501))] {
            let sent = json!({ "wake": "abandon", "run_id": "run-1", "by": by, "why": why });
            assert!(serde_json::from_value::<Wake>(sent).is_err(), "{by:?} {why:?}");
        }
    }

    #[test]
    fn a_wake_without_a_word_is_none() {
        assert!(serde_json::from_value::<Wake>(json!({ "run_id": "run-1" })).is_err());
    }
}
