//! `drill-lab run`: raise the fleet, run one experiment on it by the shipped machine and phases, take the fleet down.
//!
//! What a person sees while it runs is in `narrate`. Ctrl-C is a StopExecution: the janitor puts everything back before
//! the fleet is taken down, and the prompt comes after that.

mod narrate;
mod supply;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use drill_local::{Controls, Execution, Started, clean_after, execute, keep_watch, machine, report_after};
use drill_model::experiment::Experiment;
use drill_model::ids::RunId;
use drill_model::read::Unreadable;
use drill_phases::ports::{Clock, Runs};
use drill_world::World;
use drill_world::time::WallTime;
use serde_json::json;

use crate::exit::{self, ABORTED, DONE, Failure, LEFT};
use crate::home::Leftovers;
use crate::lab::{Lab, Site};
use crate::paint::paint;
use crate::plane::LabPlane;
use crate::spec::FleetSpec;

/// In the lab everything runs in this environment.
const ENVIRONMENT: &str = "lab";
/// How long the fleet may take until it serves and is measured.
const SETTLING: Duration = Duration::from_secs(60);
/// How many times the janitor tries after the end of an execution, ten seconds apart.
const TRIES: u32 = 12;

#[derive(Debug, Args)]
pub(crate) struct RunExperiment {
    /// A file, a folder with an `experiment.yaml`, or the name of one under `experiments/`.
    experiment: PathBuf,
    /// Plan everything and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Number of order hosts in the group.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=20))]
    order_hosts: u16,
    /// Orders per second that the client sends, whatever the answers.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// The folder for the reports.
    #[arg(long, default_value = "target/runs", value_name = "FOLDER")]
    reports: PathBuf,
}

impl RunExperiment {
    pub(crate) async fn run(self, home: &Path) -> Result<u8, Failure> {
        let file = find(&self.experiment).map_err(Failure::experiment)?;
        let experiment = read(&file).map_err(Failure::experiment)?;
        if let Some((record, _)) = crate::home::living(home).into_iter().next() {
            return Err(Failure::usage(format!(
                "lab {} is already running and would compete for the CPU: stop it with `drill-lab down`",
                record.id
            )));
        }
        tokio::task::LocalSet::new().run_until(self.conduct(home, experiment)).await
    }

    async fn conduct(self, home: &Path, experiment: Experiment) -> Result<u8, Failure> {
        let mut interrupted = Interrupts::listen()?;
        let fleet = FleetSpec::orders("lab", usize::from(self.order_hosts), self.rate);
        let site = Site { progress: Arc::new(|step| eprintln!("  {step}")), ..Site::at(home) };
        eprintln!("starting {} hosts", usize::from(self.order_hosts) + fleet.hosts.len());
        // Given up half-way, the lab's own end takes down what was raised so far.
        let lab = tokio::select! {
            raised = Lab::up(&fleet, &site) => raised?,
            () = interrupted.next() => return Ok(ABORTED),
        };
        let outcome = tokio::select! {
            biased;
            // No host is left that could be asked, measured or put back.
            () = lab.lost() => Err(Failure::failed(
                "the lab's switch died, and every host and fault with it: this run has no verdict and no report",
            )),
            outcome = self.rehearse(&lab, experiment, &mut interrupted) => outcome,
        };
        let left = Leftovers { labs: vec![lab.down().await] };
        if left.is_clean() { outcome } else { Err(Failure::left(&left)) }
    }

    async fn rehearse(self, lab: &Lab, experiment: Experiment, interrupted: &mut Interrupts) -> Result<u8, Failure> {
        let world = World::new(Rc::new(WallTime), Rc::new(LabPlane::new(lab.clone())), 1);
        world.place("lab", "local");
        world.keep_reports_in(self.reports.clone());
        supply::connect(lab, &world);
        eprintln!("waiting for the order service");
        tokio::select! {
            served = supply::serving(lab, SETTLING) => served.map_err(Failure::failed)?,
            () = interrupted.next() => return Ok(ABORTED),
        }
        supply::forget_the_start(&world);
        let machine = machine()?;
        let run = run_id(&experiment, &world);
        let document = serde_json::to_value(&experiment)?;
        let input = json!({
            "experiment": document,
            "environment": ENVIRONMENT,
            "dry_run": self.dry_run,
            "requested_by": std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned()),
        });
        let started = Started { run: run.clone(), input };
        world.spawn(keep_watch(world.clone()));
        let controls = Rc::new(Controls::default());
        let over = Rc::new(Cell::new(false));
        let narrator = narrate::narrate(world.clone(), run.clone(), Rc::clone(&controls), Rc::clone(&over));
        let narrator = tokio::task::spawn_local(narrator);
        let execution = self.play(&world, &machine, &started, &controls, interrupted).await?;
        let cleaned = clean_after(&world, &execution, TRIES).await;
        report_after(&world, &run).await.map_err(|failure| Failure::failed(failure.to_string()))?;
        over.set(true);
        narrator.await?;
        let record = world.run(&run).await?;
        narrate::conclude(&record, &self.reports);
        match cleaned {
            Ok(()) => match record.judgement {
                Some(judgement) => Ok(exit::of(judgement.verdict)),
                None => Err(Failure::failed("the run ended without a verdict")),
            },
            Err(left) => Err(Failure { code: LEFT, message: format!("something is left behind: {left}") }),
        }
    }

    /// Plays the execution to its end; the first Ctrl-C stops it.
    async fn play(
        &self,
        world: &World,
        machine: &drill_machine::Machine,
        started: &Started,
        controls: &Controls,
        interrupted: &mut Interrupts,
    ) -> Result<Execution, Failure> {
        let playing = execute(world, machine, started, controls);
        tokio::pin!(playing);
        loop {
            tokio::select! {
                ended = &mut playing => return ended.map_err(Failure::from),
                () = interrupted.next() => {
                    eprintln!("{}", paint("stopping the run; every fault is reverted first", "33"));
                    world.stop_execution(false);
                    world.let_zombies_go();
                }
            }
        }
    }
}

/// `drill-lab check`: reads experiments and prints their mistakes.
pub(crate) fn check(files: &[PathBuf]) -> Result<u8, Failure> {
    let mut wrong = 0;
    for file in files {
        let experiment = find(file).and_then(|file| read(&file));
        match experiment {
            Ok(experiment) => println!("{}: {} is valid", file.display(), experiment.id),
            Err(message) => {
                eprintln!("{message}");
                wrong += 1;
            }
        }
    }
    if wrong == 0 {
        return Ok(DONE);
    }
    let of = files.len();
    Err(Failure::experiment(format!("{wrong} of {of} experiments cannot be used")))
}

/// The file of an experiment: itself, the one in its folder, or the one of that name among the ready-made.
fn find(asked: &Path) -> Result<PathBuf, String> {
    let candidates = [
        asked.to_path_buf(),
        asked.join("experiment.yaml"),
        Path::new("experiments").join(asked).join("experiment.yaml"),
    ];
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        format!(
            "{}: no such file, no folder with an experiment.yaml, and no experiment of that name under experiments/",
            asked.display()
        )
    })
}

fn read(file: &Path) -> Result<Experiment, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let told = |error: Unreadable| error.in_file(file.display().to_string()).to_string();
    let text = drill_model::read::text(bytes).map_err(told)?;
    drill_model::read::experiment(&text).map_err(told)
}

/// A run's id: the experiment and the second in which it was started.
fn run_id(experiment: &Experiment, world: &World) -> RunId {
    let instant = world.now().strftime("%Y%m%dT%H%M%S").to_string();
    RunId::try_from(format!("{}-{instant}", experiment.id)).unwrap_or_else(|_| unreachable!("an id and a date"))
}

/// What asks a run to stop: Ctrl-C, and whoever ends the terminal or the session.
struct Interrupts {
    signals: [tokio::signal::unix::Signal; 3],
}

impl Interrupts {
    fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind);
        Ok(Self {
            signals: [
                listen(SignalKind::interrupt())?,
                listen(SignalKind::terminate())?,
                listen(SignalKind::hangup())?,
            ],
        })
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
