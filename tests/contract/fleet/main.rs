//! The contract ring for what a run is done to: instances, groups, metrics, alarms.
//!
//! One suite runs against the in-memory world and against the adapters in front of moto, so that the world in which the
//! journeys are tested cannot drift from the services. Without moto its half counts as ignored, and the reason is printed.

#![expect(
    clippy::unwrap_used,
    reason = "a trial fails by a panic; this target has no harness to say that it is a test"
)]

mod moto;
mod suite;
mod world;

use std::io::Write as _;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    // Every trial on moto starts a server of its own.
    arguments.test_threads.get_or_insert(2);
    let missing = moto::missing();
    let mut trials = Vec::new();
    for (name, case) in suite::Case::ALL {
        trials.push(trial(format!("world: {name}"), move || world::play(*case)));
        trials.push(trial(format!("moto: {name}"), move || moto::play(*case)).with_ignored_flag(missing.is_some()));
    }
    say(missing.as_deref());
    let conclusion = libtest_mimic::run(&arguments, trials);
    say(missing.as_deref());
    conclusion.exit_code()
}

/// Straight to the terminal: it must not be lost in captured output.
fn say(missing: Option<&str>) {
    let Some(why) = missing else { return };
    writeln!(std::io::stderr(), "skipped: the adapters of instances and metrics on moto: {why}").unwrap_or_default();
}

/// A trial whose panic is its failure.
fn trial(name: String, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok::<(), Failed>(())
    })
}
