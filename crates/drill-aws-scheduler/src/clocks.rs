//! The alarm clock of a run: a one-time schedule that wakes the janitor, whatever has died.
//!
//! It rings at its time or a little later, never before it; it is tried for a day, and what is not delivered then goes to
//! a queue that somebody is called for. It removes itself when it has rung. Next: the janitor.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use drill_aws_config::{Adapter, SdkConfig, Unready, classify, variable};
use drill_model::ids::RunId;
use drill_phases::ports::{AlarmClock, Answer, Class, ClearClock, PortError};
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{CREATE, DELETE, FOR_SECONDS, TRIES, expression};

/// The longest name of a schedule. A run's may be longer.
const LONGEST_NAME: usize = 64;

/// The group of schedules that are alarm clocks.
#[derive(Debug, Clone)]
pub struct AlarmClocks {
    client: Client,
    group: String,
    ring: Ring,
}

/// What happens when a clock rings. Each is an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// The janitor's function.
    pub janitor: String,
    /// The role that lets the service call it.
    pub role: String,
    /// The queue for calls that did not get through.
    pub lost: String,
}

impl AlarmClocks {
    /// The clocks in this group.
    pub fn new(config: &SdkConfig, group: impl Into<String>, ring: Ring) -> Self {
        Self { client: Client::new(config), group: group.into(), ring }
    }

    fn target(&self, run: &RunId) -> Result<Target, BuildError> {
        let retries = RetryPolicy::builder().maximum_retry_attempts(TRIES).maximum_event_age_in_seconds(FOR_SECONDS);
        Target::builder()
            .arn(&self.ring.janitor)
            .role_arn(&self.ring.role)
            .dead_letter_config(DeadLetterConfig::builder().arn(&self.ring.lost).build())
            .retry_policy(retries.build())
            .input(json!({ "wake": "clock", "run_id": run }).to_string())
            .build()
    }
}

impl Adapter for AlarmClocks {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        let ring = Ring {
            janitor: variable("STORMDRILL_JANITOR_ARN")?,
            role: variable("STORMDRILL_SCHEDULER_ROLE_ARN")?,
            lost: variable("STORMDRILL_SCHEDULER_DLQ_ARN")?,
        };
        Ok(Self::new(config, variable("STORMDRILL_SCHEDULE_GROUP")?, ring))
    }
}

impl AlarmClock for AlarmClocks {
    /// On the schedules of the group, and the role that they take on.
    const ACTIONS: &'static [&'static str] = &["iam:PassRole", "scheduler:CreateSchedule"];

    /// One round trip. A clock that is set already stays as it is.
    async fn set_clock(&self, run: &RunId, at: Timestamp) -> Answer<()> {
        let unbuilt = |error: BuildError| PortError::new(Class::Refused, CREATE, error.to_string());
        let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(unbuilt)?;
        let create = self
            .client
            .create_schedule()
            .group_name(&self.group)
            .name(name(run))
            .description("The alarm clock of a drill: it wakes the janitor when the drill should long be over.")
            .schedule_expression(expression(at).map_err(|error| PortError::new(Class::Refused, CREATE, error))?)
            .schedule_expression_timezone("UTC")
            .flexible_time_window(exactly)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(run).map_err(unbuilt)?);
        let Err(error) = create.send().await else { return Ok(()) };
        match error.as_service_error().and_then(|error| error.code()) {
            // It is there: this is the second time, or the reply to the first was lost.
            Some("ConflictException") => Ok(()),
            // The group is not there. `Missing` would be about the clock.
            Some("ResourceNotFoundException") => Err(PortError { class: Class::Refused, ..classify(CREATE, &error) }),
            Some(_) | None => Err(classify(CREATE, &error)),
        }
    }
}

impl ClearClock for AlarmClocks {
    const ACTIONS: &'static [&'static str] = &["scheduler:DeleteSchedule"];

    /// One round trip. There may be none, or none any more.
    async fn clear_clock(&self, run: &RunId) -> Answer<()> {
        let delete = self.client.delete_schedule().group_name(&self.group).name(name(run));
        let Err(error) = delete.send().await else { return Ok(()) };
        match error.as_service_error().and_then(|error| error.code()) {
            Some("ResourceNotFoundException") => Ok(()),
            // It is being changed by somebody, perhaps because it rings: it did nothing and will soon do.
            Some("ConflictException") => Err(PortError { class: Class::Transient, ..classify(DELETE, &error) }),
            Some(_) | None => Err(classify(DELETE, &error)),
        }
    }
}

/// The name of a run's schedule: the run's own, or as much of it as fits and what makes it the only one.
fn name(run: &RunId) -> String {
    let run = run.as_str();
    if run.len() <= LONGEST_NAME {
        return run.to_owned();
    }
    let digest: String = Sha256::digest(run.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // A run's id is ASCII.
    format!("{}-{digest}", &run[..LONGEST_NAME - 1 - digest.len()])
}

#[cfg(test)]
mod tests {
    use drill_aws_config::script::{Answer, Script};
    use serde_json::Value;

    use super::*;

    fn clocks<const N: usize>(answers: [(u16, String); N]) -> (Script, AlarmClocks) {
        let script = Script::new(answers);
        let ring = Ring { janitor: "arn:janitor".into(), role: "arn:role".into(), lost: "arn:lost".into() };
        let clocks = AlarmClocks::new(&script.config(), "clocks", ring);
        (script, clocks)
    }

    fn run() -> RunId {
        "run-1".parse().unwrap()
    }

    fn at() -> Timestamp {
        "2026-11-21T17:00:00.25Z".parse().unwrap()
    }

    fn error(status: u16, code: &str) -> (u16, String) {
        (status, json!({ "__type": code, "Message": "so it is" }).to_string())
    }

    #[tokio::test]
    async fn a_clock_is_a_schedule_that_rings_once_and_is_gone() {
        let (script, clocks) = clocks([(200, json!({ "ScheduleArn": "arn:schedule" }).to_string())]);

        clocks.set_clock(&run(), at()).await.unwrap();

        let [request] = script.requests().try_into().unwrap();
        assert_eq!(request.operation, "POST /schedules/run-1");
        let mut body: Value = serde_json::from_str(&request.body).unwrap();
        assert!(body["ClientToken"].take().is_string());
        let input: Value = serde_json::from_str(body["Target"]["Input"].take().as_str().unwrap()).unwrap();
        assert_eq!(input, json!({ "wake": "clock", "run_id": "run-1" }));
        let expected = json!({
            "ActionAfterCompletion": "DELETE",
            "ClientToken": null,
            "Description": "The alarm clock of a drill: it wakes the janitor when the drill should long be over.",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "GroupName": "clocks",
            "ScheduleExpression": "at(2026-11-21T17:00:01)",
            "ScheduleExpressionTimezone": "UTC",
            "Target": {
                "Arn": "arn:janitor",
                "RoleArn": "arn:role",
                "DeadLetterConfig": { "Arn": "arn:lost" },
                "RetryPolicy": { "MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400 },
                "Input": null,
            },
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_stays_as_it_is() {
        let (_, clocks) = clocks([error(409, "ConflictException")]);

        assert_eq!(clocks.set_clock(&run(), at()).await, Ok(()));
    }

    #[tokio::test]
    async fn a_clock_is_cleared_and_may_not_be_there() {
        let (script, clocks) = clocks([(200, "{}".into()), error(404, "ResourceNotFoundException")]);

        clocks.clear_clock(&run()).await.unwrap();
        clocks.clear_clock(&run()).await.unwrap();

        let operation = &script.operations()[0];
        assert!(operation.starts_with("DELETE /schedules/run-1?groupName=clocks"), "{operation}");
    }

    #[tokio::test]
    async fn every_error_has_its_class() {
        let cases = [
            (error(429, "ThrottlingException"), Class::Transient, Class::Transient),
            (error(400, "ValidationException"), Class::Refused, Class::Refused),
            (error(403, "AccessDeniedException"), Class::Refused, Class::Refused),
            (error(402, "ServiceQuotaExceededException"), Class::Refused, Class::Refused),
            (error(500, "InternalServerException"), Class::Ambiguous, Class::Ambiguous),
        ];
        for (answer, on_setting, on_clearing) in cases {
            let (_, clocks) = clocks([answer.clone(), answer.clone()]);

            assert_eq!(clocks.set_clock(&run(), at()).await.unwrap_err().class, on_setting, "{answer:?}");
            assert_eq!(clocks.clear_clock(&run()).await.unwrap_err().class, on_clearing, "{answer:?}");
        }
    }

    #[tokio::test]
    async fn a_group_that_is_not_there_is_no_clock() {
        let (_, clocks) = clocks([error(404, "ResourceNotFoundException")]);

        assert_eq!(clocks.set_clock(&run(), at()).await.unwrap_err().class, Class::Refused);
    }

    #[tokio::test]
    async fn a_clock_that_just_rings_is_cleared_by_the_next_try() {
        let (_, clocks) = clocks([error(409, "ConflictException")]);

        assert_eq!(clocks.clear_clock(&run()).await.unwrap_err().class, Class::Transient);
    }

    #[tokio::test]
    async fn a_reply_that_is_lost_may_have_been_a_clock() {
        let (script, clocks) = clocks([]);
        script.then(Answer::Silence);

        assert_eq!(clocks.set_clock(&run(), at()).await.unwrap_err().class, Class::Ambiguous);
    }

    #[test]
    fn every_run_has_a_name_of_its_own_that_the_service_takes() {
        let long = |last: char| name(&RunId::try_from(format!("{}{last}", "r".repeat(79))).unwrap());

        assert_eq!(name(&run()), "run-1");
        assert_eq!(long('a').len(), LONGEST_NAME);
        assert_ne!(long('a'), long('b'));
    }

    #[test]
    fn a_clock_never_rings_before_its_time() {
        let check = |at: &str, expected: &str| assert_eq!(crate::expression(at.parse().unwrap()).unwrap(), expected);

        check("2026-11-21T17:00:00Z", "at(2026-11-21T17:00:00)");
        check("2026-11-21T17:00:00.000000001Z", "at(2026-11-21T17:00:01)");
        check("2026-12-31T23:59:59.5Z", "at(2027-01-01T00:00:00)");
    }
}
