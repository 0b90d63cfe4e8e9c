//! The command `drill-lab`, and under hidden words every part of a lab.

use std::process::ExitCode;

fn main() -> ExitCode {
    drill_lab::enter(&drill_shop::PROGRAMS);
    drill_lab::cli::main()
}
