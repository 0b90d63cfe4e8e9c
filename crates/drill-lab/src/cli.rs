//! The command line: `run`, `check`, `up`, `status`, `exec`, `host` and `down`.
//!
//! The exit codes are in `exit`; `exec` ends with the code of its command. Every command first removes what dead labs
//! left, and says so.

mod raise;
mod reach;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::control::HostAction;
use crate::exit::{DONE, FAILED, Failure, LEFT, USAGE};
use crate::home;
use crate::paint::paint;

/// Real hosts for drills, without an AWS account.
///
/// A lab is a small fleet of real processes: each host in namespaces of its own, on a network of its own, bounded in
/// processor and memory, and sealed from this machine. Nothing is installed, and nothing stays when it ends.
#[derive(Debug, Parser)]
#[command(
    name = "drill-lab",
    bin_name = "drill-lab",
    version,
    after_help = "Exit codes: 0 done, 3 something is left behind, 64 wrong arguments, an unknown name or no lab to ask, 65 an experiment that is missing or has mistakes, 70 the lab could not do its work.\n`run` has one for each verdict, see its help. `exec` ends with the exit code of its command."
)]
struct Arguments {
    /// The folder in which labs write down what they make.
    #[arg(long, global = true, env = "DRILL_LAB_HOME", value_name = "FOLDER")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run one experiment on the demo fleet, with real faults, and say what was learned.
    ///
    /// Raises the fleet, runs the experiment by the shipped state machine, takes the fleet down. Ctrl-C stops the
    /// execution: what is broken is put back before the prompt is.
    #[command(
        after_help = "Exit codes: 0 supported or planned, 1 aborted and put back, 2 refused, 3 something is left behind, 4 refuted, 5 inconclusive, 6 invalid; without a verdict: 64 wrong arguments, 65 an experiment that is missing or has mistakes, 70 the lab could not do its work."
    )]
    Run(crate::run::RunExperiment),
    /// Read experiments and say what is wrong with them, without running anything.
    Check {
        /// Files, folders with an `experiment.yaml`, or names under `experiments/`.
        #[arg(required = true)]
        experiments: Vec<PathBuf>,
    },
    /// Raise the demo fleet and keep it until Ctrl-C.
    ///
    /// Order hosts behind a load balancer, a database, a risk engine, and a client that sends orders and measures.
    Up(raise::Up),
    /// Show the running lab's hosts and what its client measures.
    Status {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Run a command on a host of the running lab, with nothing on its standard input.
    #[command(after_help = "Example: drill-lab exec orders-1 -- service order-service status")]
    Exec {
        /// The host's name or instance id.
        host: String,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Do to a host what EC2 could do to an instance.
    Host {
        /// What to do.
        action: HostAction,
        /// The host's name or instance id.
        host: String,
    },
    /// End the running lab and remove what dead ones left.
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
            eprintln!("drill-lab: this machine lacks what every program needs: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let found = home::sweep(&home);
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
