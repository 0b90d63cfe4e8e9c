//! Alarm clocks.

use drill_phases::ports::{AlarmClock as _, ClearClock as _};

use crate::fixtures::{at, id};
use crate::ground::Ground;

pub async fn a_clock_is_set_once(ground: &impl Ground) {
    let clocks = ground.clocks();

    clocks.set_clock(&id("r"), at(3_600)).await.unwrap();
    clocks.set_clock(&id("r"), at(5_400)).await.unwrap();

    assert_eq!(ground.clock(&id("r")).await, Some(at(3_600)));
}

pub async fn a_clock_is_cleared_and_may_not_be_there(ground: &impl Ground) {
    let clocks = ground.clocks();

    clocks.clear_clock(&id("r")).await.unwrap();
    clocks.set_clock(&id("r"), at(3_600)).await.unwrap();
    clocks.clear_clock(&id("r")).await.unwrap();
    clocks.clear_clock(&id("r")).await.unwrap();

    assert_eq!(ground.clock(&id("r")).await, None);
}
