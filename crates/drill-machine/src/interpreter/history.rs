//! The history of an execution: the events that AWS writes, with the names it gives them, counted as it counts them.
//!
//! An execution that would reach the limit fails, and no Catch sees it.

use serde_json::Value;

use super::{Halt, Host, MOST_EVENTS, Run, Status};
use crate::definition::Kind;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEvent {
    /// From 1 on, without gaps.
    pub id: u64,
    /// When, in milliseconds since 1970.
    pub unix_millis: i64,
    /// What.
    pub kind: HistoryKind,
    /// In which state; none for events of the execution.
    pub state: Option<String>,
    /// The input, output, payload or result that belongs to it.
    pub data: Option<Value>,
    /// The error name and the cause of a failure.
    pub failure: Option<(String, String)>,
}

macro_rules! kinds {
    ($($name:ident),* $(,)?) => {
        /// The type of an event; the names are AWS's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names are AWS's and documented there")]
        pub enum HistoryKind { $($name),* }

        impl HistoryKind {
            /// The name of the type in GetExecutionHistory.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

kinds! {
    ExecutionStarted, ExecutionSucceeded, ExecutionFailed, ExecutionTimedOut, ExecutionAborted,
    TaskStateEntered, TaskStateExited, ChoiceStateEntered, ChoiceStateExited,
    WaitStateEntered, WaitStateExited, PassStateEntered, PassStateExited,
    SucceedStateEntered, SucceedStateExited, FailStateEntered,
    LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded, LambdaFunctionFailed, LambdaFunctionTimedOut,
    TaskScheduled, TaskStarted, TaskSubmitted, TaskSucceeded, TaskFailed, TaskTimedOut,
}

impl HistoryKind {
    pub(super) fn entered(kind: &Kind) -> Self {
        match kind {
            Kind::Task(_) => Self::TaskStateEntered,
            Kind::Choice(_) => Self::ChoiceStateEntered,
            Kind::Wait(_) => Self::WaitStateEntered,
            Kind::Pass(_) => Self::PassStateEntered,
            Kind::Succeed => Self::SucceedStateEntered,
            Kind::Fail(_) => Self::FailStateEntered,
        }
    }

    /// A Fail state is never left.
    pub(super) fn exited(kind: &Kind) -> Option<Self> {
        match kind {
            Kind::Task(_) => Some(Self::TaskStateExited),
            Kind::Choice(_) => Some(Self::ChoiceStateExited),
            Kind::Wait(_) => Some(Self::WaitStateExited),
            Kind::Pass(_) => Some(Self::PassStateExited),
            Kind::Succeed => Some(Self::SucceedStateExited),
            Kind::Fail(_) => None,
        }
    }
}

impl<H: Host> Run<'_, H> {
    pub(super) fn note(
        &mut self,
        kind: HistoryKind,
        state: Option<&str>,
        data: Option<&Value>,
        failure: Option<(&str, &str)>,
    ) -> Result<(), Halt> {
        if self.events + 1 >= MOST_EVENTS {
            return Err(Halt::runtime(format!("the execution reached {MOST_EVENTS} history events")));
        }
        self.write(kind, state, data, failure);
        Ok(())
    }

    /// The last event always fits.
    pub(super) fn note_end(&mut self, status: &Status, output: Option<&Value>) {
        let (kind, failure) = match status {
            Status::Succeeded => (HistoryKind::ExecutionSucceeded, None),
            Status::Failed { error, cause } => (HistoryKind::ExecutionFailed, Some((error.as_str(), cause.as_str()))),
            Status::TimedOut => (HistoryKind::ExecutionTimedOut, None),
            Status::Aborted => (HistoryKind::ExecutionAborted, None),
        };
        self.write(kind, None, output, failure);
    }

    fn write(&mut self, kind: HistoryKind, state: Option<&str>, data: Option<&Value>, failure: Option<(&str, &str)>) {
        self.events += 1;
        self.host.record(HistoryEvent {
            id: self.events,
            unix_millis: self.host.now(),
            kind,
            state: state.map(str::to_owned),
            data: data.cloned(),
            failure: failure.map(|(error, cause)| (error.to_owned(), cause.to_owned())),
        });
    }
}
