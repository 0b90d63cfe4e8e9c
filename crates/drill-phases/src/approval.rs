//! Approval: keep the task token, ask people; later take their answer and let the run go on.
//!
//! The token never leaves the account: who answers names the run and the plan, and is known by their own identity.

use drill_model::approval::{Approval, InvalidAnswer};
use drill_model::ids::RunId;
use drill_model::plan::Digest;
use drill_model::run::Event;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::ports::has::prelude::*;
use crate::ports::{PortError, has};
use crate::records::{self, RecordError};

/// What the machine gives to Approval.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// Which run waits.
    pub run_id: RunId,
    /// What lets it go on.
    pub task_token: String,
}

/// What somebody sends to Approval.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Which run.
    pub run_id: RunId,
    /// What they say.
    pub answer: Answer,
    /// Who they are.
    pub by: String,
}

/// Everything that Approval is called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The machine waits for somebody.
    Ask(Request),
    /// Somebody answers.
    Answer(Reply),
}

/// Told apart by the token: people have none. What is wrong is then said of the one that was meant.
impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let sent = Value::deserialize(from)?;
        if sent.get("task_token").is_some() {
            Request::deserialize(sent).map(Self::Ask).map_err(D::Error::custom)
        } else {
            Reply::deserialize(sent).map(Self::Answer).map_err(D::Error::custom)
        }
    }
}

/// What stopped an approval.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// The record could not be read or moved.
    #[error("the approval cannot continue")]
    RunRecord(#[from] RecordError),
    /// Nobody could be asked, so nobody would answer.
    #[error("could not send the request for approval of run {run}")]
    NoticeFailed {
        /// Which run.
        run: RunId,
        /// What the service said.
        #[source]
        source: PortError,
    },
    /// The answer cannot be taken.
    #[error("the answer was not accepted")]
    AnswerRejected(#[from] InvalidAnswer),
    /// The answer is recorded, but the run could not be resumed.
    #[error("the answer is recorded, but run {run} could not be resumed")]
    ResumeFailed {
        /// Which run.
        run: RunId,
        /// What the service said.
        #[source]
        source: PortError,
    },
}

has::bundle! {
    /// What Approval needs of the world.
    pub trait ApprovalPorts =
        Clock + Runs + TaskTokens + Notices + Callback;
}

/// Does what it is called for.
pub async fn answered(world: &impl ApprovalPorts, call: Call) -> Result<(), ApprovalError> {
    match call {
        Call::Ask(request) => ask(world, &request).await,
        Call::Answer(reply) => answer(world, &reply.run_id, reply.answer, &reply.by).await,
    }
}

/// Keeps the token and asks.
pub async fn ask(
    world: &(impl has::Runs + has::TaskTokens + has::Notices),
    request: &Request,
) -> Result<(), ApprovalError> {
    let id = &request.run_id;
    let not_asked = |source| ApprovalError::NoticeFailed { run: id.clone(), source };
    let run = world.runs().run(id).await.map_err(RecordError::store(id))?;
    let plan = world.runs().plan(id).await.map_err(RecordError::store(id))?;
    world.task_tokens().keep_token(id, &request.task_token).await.map_err(not_asked)?;
    let Approval::Asked { plan: digest, until } = &run.approval else {
        return Err(InvalidAnswer::NotAsked.into());
    };
    let topic = &plan.scope.experiment.notify.topic;
    let answer = |answer: Value| json!({ "run_id": id, "answer": answer, "by": "YOUR NAME" });
    let body = format!(
        "Run {id} of {} waits for somebody to agree, until {until}. {} asked for it, and cannot agree to it.\n\n\
         To agree to exactly this plan, send this to the approval function:\n{}\n\n\
         To say no:\n{}\n",
        plan.scope.experiment.id,
        run.requested_by,
        answer(json!({ "agreed": { "plan": digest } })),
        answer(json!({ "denied": { "why": "WHY" } })),
    );
    world.notices().publish(topic, "Stormdrill: somebody has to agree to a run", &body).await.map_err(not_asked)
}

/// Takes somebody's answer.
pub async fn answer(
    world: &(impl has::Runs + has::TaskTokens + has::Callback + has::Clock),
    id: &RunId,
    answer: Answer,
    by: &str,
) -> Result<(), ApprovalError> {
    let run = world.runs().run(id).await.map_err(RecordError::store(id))?;
    let approval = match answer {
        Answer::Agreed { plan } => run.approval.give(&plan, by, &run.requested_by, world.clock().now())?,
        Answer::Denied { why } => match run.approval {
            Approval::Asked { .. } => Approval::Denied { by: by.to_owned(), why },
            Approval::NotNeeded | Approval::Given { .. } | Approval::Denied { .. } => {
                return Err(InvalidAnswer::NotAsked.into());
            }
        },
    };
    // One answer counts, the first: one that comes at the same moment changes nothing.
    let written = records::update(world, id, Event::AskApproval, |run| {
        if matches!(run.approval, Approval::Asked { .. }) {
            run.approval = approval.clone();
        }
    })
    .await;
    let written = written.map_err(|error| match error {
        // It has gone on without the answer: to its end, or to another one's.
        RecordError::Illegal { .. } => InvalidAnswer::NotAsked.into(),
        RecordError::Store { .. } => ApprovalError::from(error),
    })?;
    if written.approval != approval {
        return Err(InvalidAnswer::NotAsked.into());
    }
    let not_resumed = |source| ApprovalError::ResumeFailed { run: id.clone(), source };
    let token = world.task_tokens().token(id).await.map_err(not_resumed)?;
    world.callback().resume(&token).await.map_err(not_resumed)
}

/// What somebody answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    /// They agree to exactly this plan.
    Agreed {
        /// Its digest.
        plan: Digest,
    },
    /// They do not.
    Denied {
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sent: Value) -> Result<Call, String> {
        serde_json::from_value(sent).map_err(|error| error.to_string())
    }

    #[test]
    fn a_call_with_a_token_asks_and_one_without_answers() {
        let run_id = RunId::try_from("r").unwrap();
        let answer = Answer::Denied { why: "not today".to_owned() };

        assert_eq!(
            read(json!({ "run_id": "r", "task_token": "t" })),
            Ok(Call::Ask(Request { run_id: run_id.clone(), task_token: "t".to_owned() }))
        );
        assert_eq!(
            read(json!({ "run_id": "r", "answer": { "denied": { "why": "not today" } }, "by": "ann" })),
            Ok(Call::Answer(Reply { run_id, answer, by: "ann".to_owned() }))
        );
    }

    #[test]
    fn an_answer_that_is_neither_yes_nor_no_is_told_what_there_is() {
        let wrong = read(json!({ "run_id": "r", "answer": { "maybe": {} }, "by": "ann" })).unwrap_err();

        assert!(wrong.contains("`agreed` or `denied`"), "{wrong}");
    }
}
