//! The host's service supervisor: what `Restart=always` with `RestartSec=` would do.
//!
//! A service that dies, by whatever signal, is started again after its delay; one that was stopped stays down.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::reap::Reaper;
use super::seal::PROGRAMS;
use crate::spec::ServiceSpec;
use crate::wire::{HostBoot, HostReply, ServiceAction};

/// How long a service has after SIGTERM.
const POLITE: Duration = Duration::from_secs(5);

/// How long `start` waits to see the service running, and `stop` to see it gone.
const SEEN: Duration = Duration::from_secs(10);

/// A log that reached this size is started over with the service.
const LOG_LIMIT: u64 = 1 << 20;

/// The search path of everything on a host.
pub(super) fn search_path() -> String {
    format!("{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}

/// All services of a host.
#[derive(Clone)]
pub(super) struct Supervisor {
    services: Arc<BTreeMap<String, Service>>,
}

struct Service {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    wanted: bool,
    running: Option<Pid>,
}

impl Supervisor {
    /// Starts every service and keeps it running.
    pub(super) fn start(boot: &HostBoot, reaper: &Reaper) -> Supervisor {
        let fresh = || Service { state: Mutex::new(State { wanted: true, running: None }), changed: Condvar::new() };
        let services = boot.services.iter().map(|service| (service.name.clone(), fresh())).collect();
        let supervisor = Supervisor { services: Arc::new(services) };
        for spec in boot.services.clone() {
            let (supervisor, reaper, lab) = (supervisor.clone(), reaper.clone(), boot.lab.clone());
            std::thread::spawn(move || supervisor.keep(&spec, &reaper, &lab));
        }
        supervisor
    }

    /// Does what `service NAME ACTION` says. Starting what runs and stopping what is down succeed.
    pub(super) fn act(&self, name: &str, action: ServiceAction) -> HostReply {
        let Some(service) = self.services.get(name) else {
            let known: Vec<&str> = self.services.keys().map(String::as_str).collect();
            return HostReply::Refused(format!("no service `{name}` on this host, which has: {}", known.join(", ")));
        };
        match action {
            ServiceAction::Status => {}
            ServiceAction::Start => service.want(true),
            ServiceAction::Stop => service.want(false),
            ServiceAction::Restart => {
                service.want(false);
                service.want(true);
            }
        }
        let state = service.lock();
        let text = match state.running {
            Some(pid) => format!("{name} is running (pid {pid})"),
            None if state.wanted => format!("{name} is about to be started again"),
            None => format!("{name} is stopped"),
        };
        HostReply::Service {
            running: state.running.is_some(),
            pid: state.running.map(|pid| pid.as_raw().cast_unsigned()),
            text,
        }
    }

    fn keep(&self, spec: &ServiceSpec, reaper: &Reaper, lab: &str) {
        let Some(service) = self.services.get(&spec.name) else { return };
        loop {
            let state = service.lock();
            drop(service.changed.wait_while(state, |state| !state.wanted).unwrap_or_else(PoisonError::into_inner));
            match reaper.spawn(&mut command(spec, lab)) {
                Ok(mut child) => {
                    service.note(Some(child.pid));
                    drop(child.wait());
                    service.note(None);
                }
                Err(error) => eprintln!("{}: could not be started: {error}", spec.name),
            }
            let state = service.lock();
            let delayed = service.changed.wait_timeout_while(state, spec.restart_delay, |state| state.wanted);
            drop(delayed);
        }
    }
}

impl Service {
    /// Wants the service up or down, and waits to see it so.
    fn want(&self, wanted: bool) {
        let mut state = self.lock();
        state.wanted = wanted;
        self.changed.notify_all();
        let unseen = |state: &mut State| state.running.is_some() != wanted;
        if !wanted {
            signal(state.running, Signal::SIGTERM);
            state = self.changed.wait_timeout_while(state, POLITE, unseen).unwrap_or_else(PoisonError::into_inner).0;
            signal(state.running, Signal::SIGKILL);
        }
        drop(self.changed.wait_timeout_while(state, SEEN, unseen));
    }

    fn note(&self, running: Option<Pid>) {
        self.lock().running = running;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signal(running: Option<Pid>, signal: Signal) {
    if let Some(pid) = running
        && let Err(errno) = killpg(pid, signal)
    {
        eprintln!("could not send {signal} to {pid}: {errno}");
    }
}

fn command(spec: &ServiceSpec, lab: &str) -> Command {
    let (program, arguments) =
        spec.command.split_first().map_or(("false", &[] as &[String]), |(program, rest)| (program.as_str(), rest));
    // By its whole path, so that the process is called what the service is called.
    let own = format!("{PROGRAMS}/{program}");
    let mut command = Command::new(if fs::exists(&own).unwrap_or(false) { &own } else { program });
    command.args(arguments).env_clear().env("PATH", search_path()).env("DRILL_LAB", lab);
    command.envs(&spec.environment).current_dir("/").stdin(Stdio::null());
    let log = format!("/var/log/{}.log", spec.name);
    if fs::metadata(&log).is_ok_and(|file| file.len() > LOG_LIMIT) {
        drop(fs::remove_file(&log));
    }
    // On a full disk the service runs without a log.
    let open =
        || fs::OpenOptions::new().create(true).append(true).open(&log).map_or_else(|_| Stdio::null(), Stdio::from);
    command.stdout(open()).stderr(open());
    command
}
