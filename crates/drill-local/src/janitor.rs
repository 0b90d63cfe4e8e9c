//! What wakes the janitor here: the end of an execution, an alarm clock, the minute.

use std::time::Duration;

use drill_machine::Status;
use drill_model::ids::RunId;
use drill_phases::call::Failure;
use drill_phases::janitor::{self, Wake};
use drill_phases::ports::Clock;
use drill_phases::report;
use drill_world::{Invoked, World};

use crate::execution::Execution;

/// A janitor lives no longer than this.
const LIMIT: Duration = Duration::from_secs(300);
/// Between two sweeps.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60);
/// Between two tries after the end of an execution.
const BETWEEN_TRIES: Duration = Duration::from_secs(10);

/// Wakes the janitor once. What it could not clean is returned in words; so is its own death.
pub async fn sweep(world: &World, wake: Wake) -> Result<(), String> {
    let invoked = world.invoke("janitor", LIMIT, move |world| async move { janitor::sweep(&world, &wake).await }).await;
    match invoked {
        Invoked::Returned(Ok(_)) => Ok(()),
        Invoked::Returned(Err(error)) => Err(drill_phases::error_name(&error).1),
        Invoked::Killed => Err("the janitor died".to_owned()),
        Invoked::TimedOut => Err("the janitor ran out of time".to_owned()),
    }
}

/// Tells the janitor how an execution ended, as the event would, and tries again until it is clean or the tries are used
/// up. What is left then is returned in words.
pub async fn clean_after(world: &World, execution: &Execution, tries: u32) -> Result<(), String> {
    if execution.ended.status == Status::Succeeded {
        return Ok(());
    }
    let status = execution.ended.status.name().to_owned();
    let wake = Wake::ExecutionEnded { run: execution.run.clone(), status };
    let mut outcome = sweep(world, wake.clone()).await;
    for _ in 1..tries {
        if outcome.is_ok() {
            break;
        }
        world.pause(BETWEEN_TRIES).await;
        outcome = sweep(world, wake.clone()).await;
    }
    outcome
}

/// Wakes the janitor for every alarm clock that goes off, and every minute. Never ends: run it beside the rest.
pub async fn keep_watch(world: World) {
    let clocks = world.clone();
    world.spawn(async move {
        loop {
            let fired = clocks.next_clock().await;
            // What is left is found by the sweep.
            drop(sweep(&clocks, Wake::Clock { run: fired.run }).await);
        }
    });
    loop {
        world.pause(BETWEEN_SWEEPS).await;
        drop(sweep(&world, Wake::Sweep).await);
    }
}

/// A run that died has no report yet: it is judged and reported as any other. Repeating it changes nothing.
pub async fn report_after(world: &World, run: &RunId) -> Result<(), Failure> {
    let id = run.clone();
    match world.invoke("report", LIMIT, move |world| async move { report::report_dead(&world, &id).await }).await {
        Invoked::Returned(Ok(_)) => Ok(()),
        Invoked::Returned(Err(error)) => Err(Failure::of(&error)),
        Invoked::Killed | Invoked::TimedOut => {
            Err(Failure::new("Lambda.Unknown", format!("the report of run {run} died")))
        }
    }
}
