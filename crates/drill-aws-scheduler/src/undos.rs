//! The undo that the scheduler makes by itself: a schedule whose target is the healing call, with a role of its own.
//!
//! It is read back before the harm, field by field: a schedule that differs in anything is not armed. An undo that repeats
//! comes every minute for an hour, because whether the service tries a refused call again is not promised.

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    Target,
};
use drill_aws_config::{Adapter, SdkConfig, Unready, classify, variable};
use drill_model::ids::UnitId;
use drill_model::target::Home;
use drill_phases::ports::{Answer, ArmUndo, Class, DisarmUndo, PortError, TimedUndo};
use futures_util::StreamExt as _;
use jiff::Timestamp;

use crate::{CREATE, DELETE, FOR_SECONDS, GET, LIST, TRIES, expression};

/// How an undo that repeats does so, and for how many seconds.
const EVERY_MINUTE: &str = "rate(1 minutes)";
const REPEATS_FOR: i64 = 3_600;
/// One of a row of tries is given up when the next one comes: an old start must not reach who stops later.
const ONE_TRY_SECONDS: i32 = 60;
/// How many schedules are removed side by side.
const SIDE_BY_SIDE: usize = 8;
const UTC: &str = "UTC";

/// Whom the scheduler is when it makes the call, and where calls go that did not get through. Each is an ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoTarget {
    /// A role that can only heal.
    pub role: String,
    /// A queue, if there is one.
    pub lost: Option<String>,
}

/// The undos of a group of schedules, for Inject, which arms them.
#[derive(Debug, Clone)]
pub struct ArmedUndos {
    client: Client,
    group: String,
    /// `arn:aws:scheduler:::aws-sdk:`
    universal: String,
    target: UndoTarget,
}

/// The undos of a group of schedules, for the functions that take them away.
#[derive(Debug, Clone)]
pub struct Undos {
    client: Client,
    group: String,
}

impl ArmedUndos {
    /// The undos in this group.
    pub fn new(config: &SdkConfig, group: impl Into<String>, target: UndoTarget) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let partition = Home { account: String::new(), region }.partition();
        let universal = format!("arn:{partition}:scheduler:::aws-sdk:");
        Self { client: Client::new(config), group: group.into(), universal, target }
    }

    fn target(&self, undo: &TimedUndo) -> Result<Target, BuildError> {
        let age = if undo.repeats { ONE_TRY_SECONDS } else { FOR_SECONDS };
        let retries = RetryPolicy::builder().maximum_retry_attempts(TRIES).maximum_event_age_in_seconds(age);
        let lost = self.target.lost.as_ref().map(|queue| DeadLetterConfig::builder().arn(queue).build());
        Target::builder()
            .arn(format!("{}{}:{}", self.universal, undo.service, undo.action))
            .role_arn(&self.target.role)
            .set_dead_letter_config(lost)
            .retry_policy(retries.build())
            .input(undo.input.to_string())
            .build()
    }

    /// The undo that a schedule is, or in which way it is none.
    fn read(&self, name: &str, schedule: &GetScheduleOutput) -> Result<TimedUndo, String> {
        let target = schedule.target().ok_or("it has no target")?;
        let call = target.arn().strip_prefix(&*self.universal).and_then(|call| call.split_once(':'));
        let (service, action) = call.ok_or_else(|| format!("its target is {}", target.arn()))?;
        if target.role_arn() != self.target.role {
            return Err(format!("its role is {}", target.role_arn()));
        }
        if schedule.state() != Some(&ScheduleState::Enabled) {
            return Err("it is not enabled".to_owned());
        }
        if schedule.flexible_time_window().map(FlexibleTimeWindow::mode) != Some(&FlexibleTimeWindowMode::Off) {
            return Err("its time is flexible".to_owned());
        }
        let input = target.input().ok_or("it has no input")?;
        let input = serde_json::from_str(input).map_err(|error| format!("its input is no JSON: {error}"))?;
        let (at, repeats) = time(schedule)?;
        let (service, action) = (service.to_owned(), action.to_owned());
        Ok(TimedUndo { name: name.to_owned(), at, repeats, service, action, input })
    }
}

/// When a schedule fires first, and whether it repeats.
fn time(schedule: &GetScheduleOutput) -> Result<(Timestamp, bool), String> {
    let expression = schedule.schedule_expression().unwrap_or_default();
    if expression == EVERY_MINUTE {
        let from = schedule.start_date().map(DateTime::secs).ok_or("it has no start")?;
        if schedule.end_date().map(DateTime::secs) != Some(from + REPEATS_FOR) {
            return Err("it does not end an hour after it starts".to_owned());
        }
        return Ok((Timestamp::from_second(from).map_err(|error| error.to_string())?, true));
    }
    let at = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
    let at = at.filter(|_| schedule.schedule_expression_timezone() == Some(UTC));
    let at = at.and_then(|at| format!("{at}Z").parse().ok());
    Ok((at.ok_or_else(|| format!("its time is {expression}"))?, false))
}

impl Adapter for ArmedUndos {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        let target =
            UndoTarget { role: variable("STORMDRILL_UNDO_ROLE_ARN")?, lost: variable("STORMDRILL_UNDO_DLQ_ARN").ok() };
        Ok(Self::new(config, variable("STORMDRILL_UNDO_GROUP")?, target))
    }
}

impl ArmUndo for ArmedUndos {
    /// On the schedules of the group, and the role that they take on.
    const ACTIONS: &'static [&'static str] = &["iam:PassRole", "scheduler:CreateSchedule", "scheduler:GetSchedule"];

    /// One round trip. An undo of that name stays as it is: reading it back shows whether it is this one.
    async fn arm(&self, undo: &TimedUndo) -> Answer<()> {
        let refused = |what: String| PortError::new(Class::Refused, CREATE, what);
        let unbuilt = |error: BuildError| refused(error.to_string());
        let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(unbuilt)?;
        let create = self
            .client
            .create_schedule()
            .group_name(&self.group)
            .name(&undo.name)
            .description("The undo of a drill's fault: made when everything else has failed to.")
            .schedule_expression_timezone(UTC)
            .flexible_time_window(exactly)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(undo).map_err(unbuilt)?);
        let create = if undo.repeats {
            let from = undo.at.as_second();
            let create = create.start_date(DateTime::from_secs(from)).end_date(DateTime::from_secs(from + REPEATS_FOR));
            create.schedule_expression(EVERY_MINUTE)
        } else {
            create.schedule_expression(expression(undo.at).map_err(refused)?)
        };
        let Err(error) = create.send().await else { return Ok(()) };
        match error.as_service_error().and_then(|error| error.code()) {
            // It is there: this is the second time, or the reply to the first was lost.
            Some("ConflictException") => Ok(()),
            // The group is not there. `Missing` would be about the undo.
            Some("ResourceNotFoundException") => Err(PortError { class: Class::Refused, ..classify(CREATE, &error) }),
            Some(_) | None => Err(classify(CREATE, &error)),
        }
    }

    /// One round trip. A schedule that is no undo as `arm` makes them is refused: nobody may count on it.
    async fn armed(&self, name: &str) -> Answer<Option<TimedUndo>> {
        match self.client.get_schedule().group_name(&self.group).name(name).send().await {
            Ok(schedule) => match self.read(name, &schedule) {
                Ok(undo) => Ok(Some(undo)),
                Err(why) => {
                    Err(PortError::new(Class::Refused, GET, format!("schedule {name} is not as it was armed: {why}")))
                }
            },
            Err(error) => match error.as_service_error().and_then(|error| error.code()) {
                Some("ResourceNotFoundException") => Ok(None),
                Some(_) | None => Err(classify(GET, &error)),
            },
        }
    }
}

impl Undos {
    /// The undos in this group.
    pub fn new(config: &SdkConfig, group: impl Into<String>) -> Self {
        Self { client: Client::new(config), group: group.into() }
    }

    async fn remove(&self, name: String) -> Answer<()> {
        let Err(error) = self.client.delete_schedule().group_name(&self.group).name(name).send().await else {
            return Ok(());
        };
        match error.as_service_error().and_then(|error| error.code()) {
            Some("ResourceNotFoundException") => Ok(()),
            // It is being changed by somebody, perhaps because it fires: it did nothing and will soon do.
            Some("ConflictException") => Err(PortError { class: Class::Transient, ..classify(DELETE, &error) }),
            Some(_) | None => Err(classify(DELETE, &error)),
        }
    }
}

impl Adapter for Undos {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_UNDO_GROUP")?))
    }
}

impl DisarmUndo for Undos {
    const ACTIONS: &'static [&'static str] = &["scheduler:DeleteSchedule", "scheduler:ListSchedules"];

    /// One call for a page of schedules, and one for each of them. All are tried; the first error is told.
    async fn disarm(&self, unit: &UnitId) -> Answer<()> {
        let list = self.client.list_schedules().group_name(&self.group).name_prefix(format!("{unit}-"));
        let found = list.into_paginator().items().send().try_collect().await;
        let found = match found {
            Ok(found) => found,
            Err(error) => match error.as_service_error().and_then(|error| error.code()) {
                // Without the group there is no schedule in it.
                Some("ResourceNotFoundException") => return Ok(()),
                Some(_) | None => return Err(classify(LIST, &error)),
            },
        };
        let names = found.into_iter().filter_map(|schedule| schedule.name);
        let removed = names.map(|name| self.remove(name));
        let removed: Vec<Answer<()>> = futures_util::stream::iter(removed).buffered(SIDE_BY_SIDE).collect().await;
        removed.into_iter().collect()
    }
}

#[cfg(test)]
#[path = "undos/tests.rs"]
mod tests;
