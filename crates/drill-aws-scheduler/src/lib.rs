//! Schedules that act whatever has died: the alarm clock of a run, which wakes the janitor, and the undo that makes the
//! healing call by itself and needs nothing of ours.
//!
//! Both come at their time or a little later, never before it, and remove themselves when they are over.

mod clocks;
mod undos;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

pub use self::clocks::{AlarmClocks, Ring};
pub use self::undos::{ArmedUndos, UndoTarget, Undos};

const CREATE: &str = "scheduler:CreateSchedule";
const DELETE: &str = "scheduler:DeleteSchedule";
const GET: &str = "scheduler:GetSchedule";
const LIST: &str = "scheduler:ListSchedules";

/// The scheduler's retry limit: this many attempts, for at most a day.
const TRIES: i32 = 185;
const FOR_SECONDS: i32 = 86_400;

/// The instant as a schedule has it, in whole seconds: later rather than earlier, because a janitor that comes before the
/// deadline goes away again.
fn expression(at: Timestamp) -> Result<String, String> {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    let at = at.round(up).map_err(|error| error.to_string())?;
    Ok(at.strftime("at(%Y-%m-%dT%H:%M:%S)").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_schedule_comes_before_its_time() {
        let check = |at: &str, expected: &str| assert_eq!(expression(at.parse().unwrap()).unwrap(), expected);

        check("2026-11-21T17:00:00Z", "at(2026-11-21T17:00:00)");
        check("2026-11-21T17:00:00.000000001Z", "at(2026-11-21T17:00:01)");
        check("2026-12-31T23:59:59.5Z", "at(2027-01-01T00:00:00)");
    }
}
