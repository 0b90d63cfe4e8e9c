//! `drill-lab up`: raise the fleet, keep it, and take it down in order whatever asks for it.

use std::fs;
use std::io::IsTerminal;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::reach;
use crate::clock;
use crate::control;
use crate::exit::{DONE, Failure};
use crate::home::{self, Leftovers};
use crate::lab::{Lab, Site};
use crate::paint::paint;
use crate::spec::FleetSpec;

/// How long a lab in the background may take to come up.
const RAISING: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct Up {
    /// Number of order hosts in the group.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=20))]
    order_hosts: u16,
    /// Orders per second that the client sends, whatever the answers.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Name of the lab; the same name gives the same instance ids.
    #[arg(long, default_value = "lab", value_parser = name)]
    name: String,
    /// Run in the background until `drill-lab down`.
    #[arg(long)]
    detach: bool,
    /// Be that background.
    #[arg(long, hide = true)]
    detached: bool,
}

fn name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match !text.is_empty() && text.len() <= 32 && text.bytes().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("1 to 32 lower-case letters, digits and hyphens".to_owned()),
    }
}

impl Up {
    pub(super) async fn run(self, home: &Path) -> Result<u8, Failure> {
        if let Some((record, _)) = home::living(home).into_iter().next() {
            return Err(Failure::usage(format!(
                "lab {} is already running in {}: see `drill-lab status`, stop it with `drill-lab down`",
                record.id,
                home.display()
            )));
        }
        if self.detach {
            return self.in_background(home).await;
        }
        if self.detached {
            nix::unistd::setsid()?;
        }
        let down = Arc::new(Notify::new());
        let asked = stop_asked(Arc::clone(&down))?;
        let fleet = FleetSpec::orders(&self.name, usize::from(self.order_hosts), self.rate);
        let site = Site { progress: Arc::new(|step| eprintln!("{step}")), ..Site::at(home) };
        eprintln!("starting {} hosts", usize::from(self.order_hosts) + fleet.hosts.len());
        tokio::pin!(asked);
        // Given up half-way, the lab's own end takes down what was raised so far.
        let lab = tokio::select! {
            raised = Lab::up(&fleet, &site) => raised?,
            () = &mut asked => return Ok(DONE),
        };
        control::serve(&lab, down)?;
        print!("{}", reach::table(&control::status(&lab)));
        if std::io::stdout().is_terminal() {
            println!("{}", paint("Ctrl-C stops the lab.", "2"));
        }
        let lost = tokio::select! {
            () = asked => false,
            () = watch(&lab) => false,
            () = lab.lost() => true,
        };
        eprintln!("stopping the lab");
        let left = Leftovers { labs: vec![lab.down().await] };
        match (left.is_clean(), lost) {
            (true, false) => Ok(DONE),
            (true, true) => Err(Failure::failed("the lab's switch died, and every host with it")),
            (false, _) => Err(Failure::left(&left)),
        }
    }

    /// Starts this same command in a session of its own and waits until its lab answers.
    async fn in_background(&self, home: &Path) -> Result<u8, Failure> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
        let log = home.join("up.log");
        let out = fs::File::create(&log)?;
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .args(["up", "--detached", "--name", &self.name])
            .args(["--order-hosts", &self.order_hosts.to_string(), "--rate", &self.rate.to_string()])
            .arg("--home")
            .arg(home)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()?;
        let (patience, mut told) = (clock::instant() + RAISING, 0);
        while clock::instant() < patience {
            let said = fs::read_to_string(&log).unwrap_or_default();
            eprint!("{}", said.get(told..).unwrap_or_default());
            told = said.len();
            if let Some((_, folder)) = home::living(home).into_iter().next()
                && reach::look(&folder).await.is_ok()
            {
                println!("the lab is running in the background: see `drill-lab status`, stop it with `drill-lab down`");
                return Ok(DONE);
            }
            if let Ok(Some(ended)) = child.try_wait() {
                return Err(Failure::failed(format!("the lab did not start ({ended})")));
            }
            clock::pause(Duration::from_millis(100)).await;
        }
        Err(Failure::failed(format!("the lab did not start in time: see {}", log.display())))
    }
}

/// Shows on a terminal how the fleet does, for ever.
async fn watch(lab: &Lab) {
    let shown = std::io::stderr().is_terminal();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        if let Some(lately) = lab.glance().filter(|_| shown) {
            eprint!("\r\x1b[K{}", reach::glance(&lately));
        }
    }
}

/// Ends when a person, the system or another command asks the lab to go.
fn stop_asked(down: Arc<Notify>) -> Result<impl Future<Output = ()>, Failure> {
    let listen = |kind| signal(kind);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = down.notified() => {}
        }
    })
}
