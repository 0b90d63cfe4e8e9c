//! The functions by name, as Lambda would call them: a document in, a document or a named error out.

use drill_model::baton::Baton;
use drill_phases::prepare::Invocation;
use drill_phases::{Named, approval, error_name, inject, observe, prepare, recover, report, rollback, validate};
use drill_world::World;
use serde::de::DeserializeOwned;
use serde_json::Value;

macro_rules! functions {
    ($($name:ident = $word:literal, $placeholder:literal;)*) => {
        /// A function that the state machine calls.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the phase of the same name")]
        pub enum Function {
            $($name,)*
        }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What the machine file writes where its ARN belongs.
            pub const fn placeholder(self) -> &'static str {
                match self {
                    $(Self::$name => $placeholder,)*
                }
            }
        }
    };
}

functions! {
    Prepare = "prepare", "PrepareFunctionArn";
    Approval = "approval", "ApprovalFunctionArn";
    Inject = "inject", "InjectFunctionArn";
    Observe = "observe", "ObserveFunctionArn";
    Recover = "recover", "RecoverFunctionArn";
    Rollback = "rollback", "RollbackFunctionArn";
    Validate = "validate", "ValidateFunctionArn";
    Report = "report", "ReportFunctionArn";
}

impl Function {
    /// The ARN that it has here.
    pub fn arn(self) -> String {
        format!("arn:aws:lambda:local:000000000000:function:{}", self.word())
    }

    /// The function of an ARN.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let name = arn.rsplit(':').next()?;
        Self::ALL.iter().copied().find(|function| function.word() == name)
    }
}

/// What a function answers instead of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cause}")]
pub struct Failure {
    /// The name that the state machine can match.
    pub error: String,
    /// The whole chain, in words.
    pub cause: String,
}

/// Calls a function.
pub async fn invoke(world: &World, function: Function, payload: &Value) -> Result<Value, Failure> {
    match function {
        Function::Prepare => answer(prepare::prepare(world, &input::<Invocation>(payload)?).await),
        Function::Approval => {
            approval::ask(world, &input(payload)?).await.map(|()| Value::Null).map_err(|error| failure(&error))
        }
        Function::Inject => answer(inject::inject(world, &input(payload)?).await),
        Function::Observe => answer(observe::observe(world, &input(payload)?).await),
        Function::Recover => answer(recover::recover(world, &input(payload)?).await),
        Function::Rollback => answer(rollback::rollback(world, &input(payload)?).await),
        Function::Validate => answer(validate::validate(world, &input(payload)?).await),
        Function::Report => answer(report::report(world, &input(payload)?).await),
    }
}

fn input<T: DeserializeOwned>(payload: &Value) -> Result<T, Failure> {
    T::deserialize(payload)
        .map_err(|error| Failure { error: "Input".to_owned(), cause: format!("the input cannot be read: {error}") })
}

fn answer(result: Result<Baton, impl Named + 'static>) -> Result<Value, Failure> {
    let baton = result.map_err(|error| failure(&error))?;
    serde_json::to_value(baton).map_err(|error| Failure {
        error: "Output".to_owned(),
        cause: format!("the answer cannot be written: {error}"),
    })
}

fn failure(error: &(impl Named + 'static)) -> Failure {
    let (name, cause) = error_name(error);
    Failure { error: name.to_owned(), cause }
}
