//! The answer to an execution that waits.
//!
//! It says only that somebody answered: what they answered is in the record, where Prepare looks it up. A token is a
//! bearer's, and the service quotes it in its errors: none of its words are passed on.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::ProvideErrorMetadata as _;
use drill_aws_config::{Adapter, SdkConfig, Unready, classify};
use drill_phases::ports::{Answer, Callback, Class, PortError};

const SUCCEED: &str = "states:SendTaskSuccess";

/// The executions that wait.
#[derive(Debug, Clone)]
pub struct Executions {
    client: Client,
}

impl Executions {
    /// The executions of this account and region.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

impl Adapter for Executions {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config))
    }
}

impl Callback for Executions {
    /// On the state machine.
    const ACTIONS: &'static [&'static str] = &["states:SendTaskSuccess"];

    /// One round trip. Nobody waits when the token was used, has expired, or never was one: all are `Missing`.
    async fn resume(&self, token: &str) -> Answer<()> {
        let Err(error) = self.client.send_task_success().task_token(token).output("{}").send().await else {
            return Ok(());
        };
        let code = error.as_service_error().and_then(|error| error.code()).map(str::to_owned);
        let failed = classify(SUCCEED, &error);
        Err(match code.as_deref() {
            Some("TaskTimedOut" | "TaskDoesNotExist" | "InvalidToken") => {
                let what = format!("{}: nobody waits with this token", code.unwrap_or_default());
                PortError::new(Class::Missing, SUCCEED, what)
            }
            Some(code) => PortError::new(failed.class, SUCCEED, code),
            None => failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use drill_aws_config::script::{Answer, Script};

    use super::*;

    fn executions<const N: usize>(answers: [(u16, String); N]) -> (Script, Executions) {
        let script = Script::new(answers);
        let executions = Executions::new(&script.config());
        (script, executions)
    }

    #[tokio::test]
    async fn who_waits_goes_on() {
        let (script, executions) = executions([(200, "{}".into())]);

        executions.resume("a-token").await.unwrap();

        assert_eq!(script.operations(), ["SendTaskSuccess"]);
        assert_eq!(script.requests()[0].body, r#"{"taskToken":"a-token","output":"{}"}"#);
    }

    #[tokio::test]
    async fn every_error_has_its_class_and_none_tells_the_token() {
        let cases = [
            (400, "TaskTimedOut", Class::Missing),
            (400, "TaskDoesNotExist", Class::Missing),
            (400, "InvalidToken", Class::Missing),
            (400, "InvalidOutput", Class::Refused),
            (400, "AccessDeniedException", Class::Refused),
            (400, "ThrottlingException", Class::Transient),
            (500, "InternalFailure", Class::Ambiguous),
        ];
        for (status, code, expected) in cases {
            let body = format!(r#"{{"__type":"{code}","message":"Invalid Token: 'a-token'"}}"#);
            let (_, executions) = executions([(status, body)]);

            let error = executions.resume("a-token").await.unwrap_err();

            assert_eq!(error.class, expected, "{code}");
            assert!(error.message.starts_with(code), "{error}");
            assert!(!error.to_string().contains("a-token"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_is_lost_may_have_been_an_answer() {
        let (script, executions) = executions([]);
        script.then(Answer::Silence);

        assert_eq!(executions.resume("a-token").await.unwrap_err().class, Class::Ambiguous);
    }
}
