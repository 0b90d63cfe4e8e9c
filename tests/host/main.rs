//! The host ring: every document, executed for real.
//!
//! Each trial has a host of its own, made of namespaces, and looks at the harm from outside the document. Process 1 of it
//! is a shell, or the machine's own systemd. Where something is missing, its trials count as ignored and the reason is
//! printed. Next: `vm` has netem and boots.

#![expect(
    clippy::unwrap_used,
    reason = "a trial fails by a panic; this target has no harness to say that it is a test"
)]

mod cases;
mod clock;
mod copies;
mod deadman;
mod disks;
mod effects;
mod groups;
mod guards;
mod hostile;
mod kills;
mod lint;
mod moves;
mod order;
mod reach;
mod sandbox;
mod services;
mod state;
mod systemd;
mod vm;
mod whom;

use std::io::Write as _;

use libtest_mimic::{Arguments, Failed, Trial};

/// Why a trial cannot run here; `None` when it can.
type Missing = Option<String>;

fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    // The trials wait for dead men more than they work.
    arguments.test_threads.get_or_insert(12);
    let namespaces = sandbox::missing();
    let mut trials = Vec::new();
    trials.extend(lint::trials());
    for group in [
        effects::trials,
        guards::trials,
        deadman::trials,
        hostile::trials,
        kills::trials,
        reach::trials,
        moves::trials,
        whom::trials,
        services::plain_trials,
        state::trials,
        disks::trials,
        copies::trials,
    ] {
        trials.extend(group().into_iter().map(|trial| trial.with_ignored_flag(namespaces.is_some())));
    }
    let init = namespaces.clone().or_else(sandbox::missing_systemd);
    for group in [systemd::trials, services::trials, disks::systemd_trials, copies::systemd_trials] {
        trials.extend(group().into_iter().map(|trial| trial.with_ignored_flag(init.is_some())));
    }
    let ext4 = namespaces.clone().or_else(disks::missing_ext4);
    trials.extend(disks::ext4_trials().into_iter().map(|trial| trial.with_ignored_flag(ext4.is_some())));
    let machine = vm::missing();
    trials.extend(vm::trials().into_iter().map(|trial| trial.with_ignored_flag(machine.is_some())));

    let skipped = [
        ("the namespaces of a host", namespaces),
        ("hosts with systemd", init),
        ("disks of ext4", ext4),
        ("the microVM", machine),
    ];
    say(&skipped);
    let conclusion = libtest_mimic::run(&arguments, trials);
    disks::say();
    say(&skipped);
    conclusion.exit_code()
}

/// Straight to the terminal: it must not be lost in captured output.
fn note(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}

/// What was not tried, and why.
fn say(skipped: &[(&str, Missing)]) {
    for (what, why) in skipped {
        if let Some(why) = why {
            note(&format!("skipped: {what}: {why}"));
        }
    }
}

/// A trial whose panic is its failure.
fn trial(name: impl Into<String>, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok::<(), Failed>(())
    })
}

/// True when a program of that name can be started.
fn have(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
