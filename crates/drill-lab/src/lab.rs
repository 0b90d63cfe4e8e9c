//! A lab: a switch, the hosts on it, and what keeps them as they should be.
//!
//! What is asked of a host happens to real processes before the call returns. The lab ends with the last [`Lab`], or
//! when its process dies: nothing of it can stay behind but folders that the next command removes.

mod agent;
mod group;
mod lifecycle;
mod measured;
mod meter;
mod switch;
mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::bounds::Bounding;
use crate::home::{self, Leftover, Leftovers, Process, Program, Record};
use crate::host::{Host, HostState, HostView};
use crate::spec::FleetSpec;
use crate::wire::{HttpReading, HttpRequest, SwitchReply, SwitchRequest};

pub use agent::Command;
pub(crate) use agent::exec_at;
pub use group::GroupView;
pub use measured::{Measured, Unit};
pub use meter::Glance;
pub(crate) use switch::{connect, line};

/// Where a lab stands on the machine.
#[derive(Clone)]
pub struct Site {
    /// The folder in which labs write down what they make.
    pub home: PathBuf,
    /// What is started for each part of the lab.
    pub program: Program,
    /// Told what is being done, for whoever waits.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Site {
    /// A site at `home`, whose parts are this program.
    pub fn at(home: impl Into<PathBuf>) -> Site {
        Site { home: home.into(), program: Program::This, progress: Arc::new(|_| {}) }
    }
}

impl Default for Site {
    fn default() -> Self {
        Site::at(home::default_home())
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Site").field("home", &self.home).field("program", &self.program).finish_non_exhaustive()
    }
}

/// A running lab. Clones are the same lab.
#[derive(Clone)]
pub struct Lab {
    shared: Arc<Shared>,
}

/// A lab that may have ended.
#[derive(Clone)]
pub(crate) struct WeakLab(Weak<Shared>);

impl WeakLab {
    pub(crate) fn upgrade(&self) -> Option<Lab> {
        self.0.upgrade().map(|shared| Lab { shared })
    }
}

struct Shared {
    record: Record,
    folder: PathBuf,
    program: PathBuf,
    bounding: Bounding,
    found: Leftovers,
    switch: Mutex<Option<switch::Process>>,
    state: Mutex<State>,
    meter: Mutex<meter::Meter>,
}

#[derive(Default)]
struct State {
    hosts: BTreeMap<String, Host>,
    groups: Vec<group::Group>,
    /// How many hosts were ever launched.
    launched: u16,
    /// How many network links were ever made.
    links: u32,
}

/// What a lab could not do.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The home cannot be used.
    #[error("could not use {} as the lab's home", .home.display())]
    Home {
        /// The folder.
        home: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The lab's own program cannot be started.
    #[error("could not start {} as a part of the lab", .program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The switch, which everything hangs on, did not come up.
    #[error("the lab's switch did not start: {reason}")]
    Switch {
        /// What it said.
        reason: String,
    },
    /// There is no such host.
    #[error("no host `{host}` in this lab, which has {known}")]
    UnknownHost {
        /// The name or instance id that was asked for.
        host: String,
        /// The names there are.
        known: String,
    },
    /// There is no such group.
    #[error("no group `{group}` in this lab")]
    UnknownGroup {
        /// The name that was asked for.
        group: String,
    },
    /// A group was to be set to a size outside its limits.
    #[error("group `{group}` keeps between {min} and {max} hosts, not {desired}")]
    GroupSize {
        /// The group.
        group: String,
        /// What was asked for.
        desired: usize,
        /// Its fewest.
        min: usize,
        /// Its most.
        max: usize,
    },
    /// The host is in a state in which this cannot be done.
    #[error("could not {action} {host}: it is {state}")]
    NotNow {
        /// What was asked for.
        action: &'static str,
        /// The host.
        host: String,
        /// Its state.
        state: HostState,
    },
    /// The switch was asked and said no.
    #[error("could not {action} {host}: {reason}")]
    Refused {
        /// What was asked for.
        action: &'static str,
        /// The host.
        host: String,
        /// Why not.
        reason: String,
    },
    /// The switch or a host hung up.
    #[error("the connection to {peer} broke")]
    Broken {
        /// Who hung up.
        peer: String,
        /// How.
        #[source]
        source: std::io::Error,
    },
    /// An HTTP request from inside the lab got no answer.
    #[error("no answer: {reason}")]
    Http {
        /// Why not.
        reason: String,
    },
}

impl Lab {
    /// Raises the fleet: removes what dead labs left, starts the switch and boots every host of `spec`.
    ///
    /// Needs a tokio runtime with timers and I/O, on which the lab's own tasks run until it ends.
    pub async fn up(spec: &FleetSpec, site: &Site) -> Result<Lab, LabError> {
        let at_home = |source| LabError::Home { home: site.home.clone(), source };
        let found = home::sweep(&site.home);
        let bounding = Bounding::find();
        let id =
            format!("{}-{:x}-{:x}", spec.name, std::process::id(), crate::clock::now().as_millisecond() & 0xff_ffff);
        let record = Record { id, name: spec.name.clone(), owner: Process::this(), cgroup_roots: bounding.roots() };
        let folder = record.write(&site.home).map_err(at_home)?;
        let program = match &site.program {
            Program::This => std::env::current_exe()
                .map_err(|source| LabError::Program { program: "/proc/self/exe".into(), source })?,
            Program::At(path) => path.clone(),
        };
        let lab = Lab {
            shared: Arc::new(Shared {
                record,
                program,
                bounding,
                found,
                switch: Mutex::new(None),
                state: Mutex::new(State::default()),
                meter: Mutex::new(meter::Meter::reading(spec.meter.as_deref())),
                folder,
            }),
        };
        (site.progress)("starting the switch");
        let switch = switch::Process::start(&lab.shared.program, &lab.shared.record.id, &lab.shared.folder).await?;
        *lab.shared.switch.lock().unwrap_or_else(PoisonError::into_inner) = Some(switch);
        lab.populate(spec, &site.progress).await?;
        lab.keep();
        lab.measure_for_ever();
        Ok(lab)
    }

    /// Every host there is or was, by launch.
    pub fn hosts(&self) -> Vec<HostView> {
        let state = self.state();
        let mut hosts: Vec<&Host> = state.hosts.values().collect();
        hosts.sort_by_key(|host| host.number);
        hosts.into_iter().map(Host::view).collect()
    }

    /// One host, by instance id or by the name of a host that is not terminated.
    pub fn host(&self, host: &str) -> Result<HostView, LabError> {
        self.find(host).map(|host| host.view())
    }

    /// The lab's id, which every process and folder of it carries.
    pub fn id(&self) -> &str {
        &self.shared.record.id
    }

    /// The folder that holds the lab's sockets and logs.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// What dead labs had left in the home, removed before this one was raised.
    pub fn found(&self) -> &Leftovers {
        &self.shared.found
    }

    /// Speaks HTTP from inside the lab's network.
    pub async fn http(&self, request: HttpRequest) -> Result<HttpReading, LabError> {
        match self.ask(SwitchRequest::Http(request)).await? {
            SwitchReply::Http(read) => read.map_err(|reason| LabError::Http { reason }),
            reply @ (SwitchReply::Done | SwitchReply::Running(_) | SwitchReply::Refused(_)) => {
                Err(LabError::Http { reason: format!("the switch answered {reply:?}") })
            }
        }
    }

    /// Gets `url` from inside the lab's network.
    pub async fn http_get(&self, url: &str, timeout: Duration) -> Result<HttpReading, LabError> {
        self.http(HttpRequest { method: "GET".into(), url: url.into(), body: String::new(), timeout }).await
    }

    /// Ends when the switch dies, and with it every host: from then on the lab can do nothing but go down.
    pub async fn lost(&self) {
        let death =
            self.shared.switch.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(switch::Process::death);
        if let Some(death) = death {
            death.await;
        }
    }

    /// Ends the lab: every process of it is dead and every folder gone when this returns, or listed as remaining.
    pub async fn down(self) -> Leftover {
        let shared = Arc::clone(&self.shared);
        drop(self);
        let ended = tokio::task::spawn_blocking(move || shared.end()).await;
        ended.unwrap_or_else(|panicked| Leftover { remaining: vec![panicked.to_string()], ..Leftover::default() })
    }

    pub(crate) fn downgrade(&self) -> WeakLab {
        WeakLab(Arc::downgrade(&self.shared))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, wanted: &str) -> Result<Host, LabError> {
        let state = self.state();
        let named =
            || state.hosts.values().find(|host| host.view.name == wanted && host.view.state != HostState::Terminated);
        state.hosts.get(wanted).or_else(named).cloned().ok_or_else(|| LabError::UnknownHost {
            host: wanted.to_owned(),
            known: state.hosts.values().map(|host| host.view.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    fn change(&self, instance_id: &str, change: impl FnOnce(&mut Host)) {
        if let Some(host) = self.state().hosts.get_mut(instance_id) {
            change(host);
        }
    }

    async fn ask(&self, request: SwitchRequest) -> Result<SwitchReply, LabError> {
        switch::ask(&self.shared.folder, &request).await
    }
}

impl Shared {
    fn end(&self) -> Leftover {
        if let Some(switch) = self.switch.lock().unwrap_or_else(PoisonError::into_inner).take() {
            switch.end();
        }
        home::remove(&self.record, &self.folder)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for remaining in self.end().remaining {
            eprintln!("drill-lab: left behind: {remaining}");
        }
    }
}
