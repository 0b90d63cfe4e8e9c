//! The functions by name, as Lambda would call them: a document in, a document or a named error out.

use drill_phases::approval::Request;
use drill_phases::call::{Failure, answer, input};
use drill_phases::prepare::Invocation;
use drill_phases::{approval, inject, observe, prepare, recover, report, rollback, validate};
use drill_world::World;
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

/// Calls a function.
pub async fn invoke(world: &World, function: Function, payload: &Value) -> Result<Value, Failure> {
    match function {
        Function::Prepare => answer(prepare::prepare(world, &input::<Invocation>(payload)?).await),
        Function::Approval => answer(approval::ask(world, &input::<Request>(payload)?).await),
        Function::Inject => answer(inject::inject(world, &input(payload)?).await),
        Function::Observe => answer(observe::observe(world, &input(payload)?).await),
        Function::Recover => answer(recover::recover(world, &input(payload)?).await),
        Function::Rollback => answer(rollback::rollback(world, &input(payload)?).await),
        Function::Validate => answer(validate::validate(world, &input(payload)?).await),
        Function::Report => answer(report::report(world, &input(payload)?).await),
    }
}
