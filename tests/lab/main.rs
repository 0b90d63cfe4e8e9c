//! The lab ring: real hosts, sealed from the machine, under the names by which drills know them.
//!
//! This program is also every part of the labs it raises, so the ring needs nothing built beside it. What cannot run
//! here is listed as ignored, with the reason on standard error.

mod command;
mod documents;
mod fleet;
mod hosts;
mod ring;
mod sealing;

use libtest_mimic::Arguments;

fn main() {
    drill_lab::enter(&drill_shop::PROGRAMS);
    if std::env::var_os(ring::AS_COMMAND).is_some() {
        std::process::exit(ring::command());
    }
    let arguments = Arguments::from_args();
    let trials = [hosts::trials(), sealing::trials(), documents::trials(), fleet::trials(), command::trials()]
        .into_iter()
        .flatten()
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
