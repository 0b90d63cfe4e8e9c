//! The command line: `run`, `check`, `up`, `status`, `exec`, `host` and `down`.
//!
//! The exit codes are in `exit`; `exec` ends with the code of its command. Every command but `check` first removes what
//! crashed labs left behind, and says so.

mod raise;
mod reach;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::control::HostAction;
use crate::exit::{DONE, FAILED, Failure, LEFT, USAGE};
use crate::home::{self, Leftovers};
use crate::paint::paint;

/// Real hosts for drills, without an AWS account.
///
/// A lab is a small fleet of real processes. Each host has its own namespaces and limits on CPU and memory, and cannot
/// reach this machine. Nothing is installed, and nothing is left when the lab stops.
#[derive(Debug, Parser)]
#[command(
    name = "drill-lab",
    bin_name = "drill-lab",
    version,
    after_help = "Exit codes: 0 done, 3 something is left behind, 64 wrong arguments, an unknown name or no lab to ask, 65 an experiment that is missing or has mistakes, 70 the lab could not do its work.\n`run` has one for each verdict, see its help. `exec` ends with the exit code of its command."
)]
struct Arguments {
    /// The folder for the labs' records and sockets; without it, that of `DRILL_LAB_HOME`.
    #[arg(long, global = true, value_name = "FOLDER")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run one experiment on the demo fleet, with real faults, and print the verdict.
    ///
    /// Starts the fleet, runs the experiment with the same state machine as on AWS, and stops the fleet. Ctrl-C stops
    /// the run: every fault is reverted before the command ends.
    #[command(
        after_help = "Exit codes: 0 supported or planned, 1 aborted and put back, 2 refused, 3 something is left behind, 4 refuted, 5 inconclusive, 6 invalid; without a verdict: 64 wrong arguments, 65 an experiment that is missing or has mistakes, 70 the lab could not do its work."
    )]
    Run(crate::run::RunExperiment),
    /// Check experiments for mistakes, without running anything.
    Check {
        /// Files, folders with an `experiment.yaml`, or names under `experiments/`.
        #[arg(required = true)]
        experiments: Vec<PathBuf>,
    },
    /// Start the demo fleet and keep it until Ctrl-C.
    ///
    /// Order hosts behind a load balancer, a database, a risk engine, and a client that sends orders and measures.
    Up(raise::Up),
    /// Show the running lab's hosts and its latest measurements.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a command on a host of the running lab, without standard input.
    #[command(after_help = "Example: drill-lab exec orders-1 -- service order-service status")]
    Exec {
        /// The host's name or instance id.
        host: String,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Start, stop, reboot or terminate a host, as EC2 does an instance.
    Host {
        /// What to do.
        action: HostAction,
        /// The host's name or instance id.
        host: String,
    },
    /// Stop the running lab and remove what crashed labs left behind.
    Down,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            let code = if told.use_stderr() { USAGE } else { DONE };
            return told.print().map_or(ExitCode::from(FAILED), |()| ExitCode::from(code));
        }
    };
    let home = arguments.home.unwrap_or_else(home::default_home);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("drill-lab: could not start the async runtime: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let found = match arguments.verb {
        Verb::Check { .. } => Leftovers::default(),
        _ => home::sweep(&home),
    };
    eprint!("{found}");
    let code = runtime.block_on(async {
        match arguments.verb {
            Verb::Run(run) => run.run(&home).await,
            Verb::Check { experiments } => crate::run::check(&experiments),
            Verb::Up(up) => up.run(&home).await,
            Verb::Status { json } => reach::status(&home, json).await,
            Verb::Exec { host, command } => reach::exec(&home, &host, &command).await,
            Verb::Host { action, host } => reach::host(&home, action, host).await,
            Verb::Down => reach::down(&home, &found).await,
        }
    });
    match code {
        Ok(DONE) if !found.is_clean() => ExitCode::from(LEFT),
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, message }) => {
            eprintln!("{} {message}", paint("drill-lab:", "31"));
            ExitCode::from(code)
        }
    }
}
