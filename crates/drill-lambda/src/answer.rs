//! One call: read the input, call the phase, write its answer or its error by name; one line in the log for each.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use drill_phases::Named;
use drill_phases::call::{self, Failure, PANIC};
use lambda_runtime::tracing::{Instrument as _, error, info, info_span};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The field whose value is never written anywhere.
const TOKEN: &str = "task_token";

/// Answers one call. A panic is an error like any other.
pub(crate) async fn answer<I, O, E>(
    phase: &'static str,
    request_id: &str,
    payload: Value,
    call: &impl AsyncFn(I) -> Result<O, E>,
) -> Result<Value, Failure>
where
    I: DeserializeOwned,
    O: Serialize,
    E: Named + 'static,
{
    let run_id = text(&payload, "run_id").or_else(|| text(&payload, "execution_name")).unwrap_or_default();
    let span = info_span!("call", phase, run_id, request_id);
    let secret = text(&payload, TOKEN).unwrap_or_default().to_owned();
    let work = async {
        // Without its type: the compiler gives up on the layout of all that a phase waits for, nested in the runtime.
        let phase: Pin<Box<dyn Future<Output = _> + '_>> =
            Box::pin(async { call::answer(call(call::input(&payload)?).await) });
        let answered = or_panic(phase).await;
        match answered {
            Ok(answer) => {
                info!(verdict = text(&answer, "verdict"), "answered");
                Ok(answer)
            }
            Err(failure) => {
                let failure = without(failure, &secret);
                error!(error = failure.error, cause = failure.cause, "failed");
                Err(failure)
            }
        }
    };
    work.instrument(span).await
}

fn text<'a>(payload: &'a Value, field: &str) -> Option<&'a str> {
    payload.get(field).and_then(Value::as_str)
}

/// A cause may quote what it could not read.
fn without(failure: Failure, secret: &str) -> Failure {
    if secret.is_empty() {
        return failure;
    }
    Failure { cause: failure.cause.replace(secret, "(the task token)"), ..failure }
}

/// The result of the work, or its panic.
async fn or_panic<T>(mut work: Pin<Box<dyn Future<Output = Result<T, Failure>> + '_>>) -> Result<T, Failure> {
    poll_fn(move |context| {
        // The work is not polled again after a panic, and what it borrowed is only read by the calls that follow.
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
            Poll::Ready(Err(Failure::new(PANIC, said.unwrap_or("a panic without words"))))
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use drill_model::baton::{Baton, Word};
    use drill_phases::approval::Request;
    use drill_phases::janitor::{JanitorError, Swept};
    use drill_phases::ports::{Class, PortError};
    use lambda_runtime::tracing::dispatcher::{Dispatch, set_default};
    use serde_json::json;

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn lines(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap();
            bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    async fn answered<I: DeserializeOwned, O: Serialize>(
        payload: Value,
        call: impl AsyncFn(I) -> Result<O, JanitorError>,
    ) -> (Result<Value, Failure>, Log) {
        let log = Log::default();
        let to = log.clone();
        let kept = set_default(&Dispatch::new(crate::log::lines("debug", move || to.clone())));
        let result = answer("janitor", "request-1", payload, &call).await;
        drop(kept);
        (result, log)
    }

    fn failure(error: &str, cause: &str) -> Failure {
        Failure { error: error.to_owned(), cause: cause.to_owned() }
    }

    fn unread() -> JanitorError {
        JanitorError::LedgerUnreadable(PortError::new(Class::Refused, "dynamodb:Query", "no"))
    }

    #[tokio::test]
    async fn an_answer_is_the_next_baton_and_one_line() {
        let payload = json!({ "run_id": "r", "verdict": "ready", "hold_seconds": 0, "notice": "" });

        let (result, log) = answered(payload, async |baton: Baton| Ok(Baton::new(baton.run_id, Word::Injected))).await;

        assert_eq!(result, Ok(json!({ "run_id": "r", "verdict": "injected", "hold_seconds": 0, "notice": "" })));
        let [mut line] = <[Value; 1]>::try_from(log.lines()).unwrap();
        assert!(line["timestamp"].take().is_string());
        let span = json!({ "name": "call", "phase": "janitor", "run_id": "r", "request_id": "request-1" });
        let expected = json!({
            "timestamp": null, "level": "INFO", "message": "answered", "verdict": "injected", "span": span,
        });
        assert_eq!(line, expected);
    }

    #[tokio::test]
    async fn an_error_has_its_name_its_whole_chain_and_one_line() {
        let (result, log) = answered(json!({}), async |_: Value| Err::<Swept, _>(unread())).await;

        let cause = "cannot look for runs past their deadline: dynamodb:Query: no. It tries again every minute; an alarm fires if \
                     that goes on.";
        assert_eq!(result, Err(failure("Janitor.LedgerUnreadable", cause)));
        let [line] = <[Value; 1]>::try_from(log.lines()).unwrap();
        assert_eq!(
            (&line["level"], &line["error"], &line["cause"]),
            (&json!("ERROR"), &json!("Janitor.LedgerUnreadable"), &json!(cause))
        );
    }

    #[tokio::test]
    async fn a_panic_has_a_name_and_the_next_call_is_answered() {
        let call = async |payload: Value| match payload.as_u64() {
            Some(turn) => Ok(turn),
            None => panic!("turn {payload} is not a number"),
        };

        let (first, _) = answered(json!("one"), call).await;
        let (second, _) = answered(json!(2), call).await;

        assert_eq!(first, Err(failure("Panic", "turn \"one\" is not a number")));
        assert_eq!(second, Ok(json!(2)));
    }

    #[tokio::test]
    async fn an_input_that_cannot_be_read_is_named_and_the_phase_is_not_called() {
        let call = async |_: Baton| -> Result<Value, _> { panic!("called") };

        let (result, _) = answered(json!({ "run_id": "no.run" }), call).await;

        let failure = result.unwrap_err();
        assert_eq!(failure.error, "Input");
        assert!(failure.cause.starts_with("the input cannot be read: "), "{failure}");
    }

    #[tokio::test]
    async fn a_task_token_is_in_no_line_and_in_no_cause() {
        let token = "AQCEAAAAKgAAAAMAAAAA";
        let payload = |run: &str| json!({ "run_id": run, "task_token": token });
        let failing = async |request: Request| -> Result<Value, JanitorError> {
            let said = format!("token {} is not known", request.task_token);
            Err(JanitorError::LedgerUnreadable(PortError::new(Class::Refused, "states:SendTaskSuccess", said)))
        };

        let (failed, log) = answered(payload("r"), failing).await;
        let (unread, other) = answered(json!({ "run_id": 1, "task_token": token }), failing).await;
        let (panicked, third) =
            answered(payload("r"), async |all: Value| -> Result<Value, _> { panic!("{all}") }).await;

        for (result, log) in [(failed, log), (unread, other), (panicked, third)] {
            let text = format!("{}{}", result.unwrap_err(), log.text());
            assert!(!text.contains(token), "{text}");
        }
    }
}
