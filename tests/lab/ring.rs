//! What the lab's tests share: a lab of their own, patience with a deadline, and the machine's state before and after.

use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use drill_lab::{AgentOutcome, Bounds, FleetSpec, Lab, LabError, Site};
use libtest_mimic::{Failed, Trial};

/// Set for the command line under test, which is this same program.
pub const AS_COMMAND: &str = "STORMDRILL_TEST_AS_COMMAND";

/// The longest that anything real may take on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub type Outcome = Result<(), Failed>;

/// `drill-lab`, for a test that starts it.
pub fn command() -> i32 {
    match drill_lab::cli::main() {
        code if code == ExitCode::SUCCESS => 0,
        code => format!("{code:?}").chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(1),
    }
}

/// A test that runs where namespaces can be made, and is listed as ignored, with the reason, where they cannot.
pub fn trial<F: Future<Output = Outcome>>(name: &str, test: impl Fn() -> F + Send + Sync + 'static) -> Trial {
    either(name, probe().as_ref().err(), test)
}

/// The same for a test that needs hosts to be bounded.
pub fn bounded_trial<F: Future<Output = Outcome>>(name: &str, test: impl Fn() -> F + Send + Sync + 'static) -> Trial {
    let unbounded = "this machine hands out no cgroups for processor, memory and processes".to_owned();
    let missing = match probe() {
        Ok(Bounds { cpu_percent: Some(_), memory_mib: Some(_), processes: Some(_) }) => None,
        Ok(_) => Some(&unbounded),
        Err(missing) => Some(missing),
    };
    either(name, missing, test)
}

/// The same for a test that becomes somebody else, which only root can.
pub fn rooted_trial<F: Future<Output = Outcome>>(name: &str, test: impl Fn() -> F + Send + Sync + 'static) -> Trial {
    let user = "only root can become somebody else".to_owned();
    let root = std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
    either(name, probe().as_ref().err().or((!root).then_some(&user)), test)
}

fn either<F: Future<Output = Outcome>>(
    name: &str,
    missing: Option<&String>,
    test: impl Fn() -> F + Send + Sync + 'static,
) -> Trial {
    if let Some(missing) = missing {
        eprintln!("skipped: {name}: {missing}");
    }
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(test())
    };
    Trial::test(name, run).with_ignored_flag(missing.is_some())
}

/// The bounds that a host gets here, or why no lab can be raised.
fn probe() -> &'static Result<Bounds, String> {
    static PROBE: OnceLock<Result<Bounds, String>> = OnceLock::new();
    PROBE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let home = home("probe");
        let raised = runtime.map_err(|error| error.to_string())?.block_on(async {
            let lab = Lab::up(&FleetSpec::bare("probe", &["one"]), &Site::at(&home)).await?;
            let bounds = lab.host("one")?.bounds;
            lab.down().await;
            Ok::<_, LabError>(bounds)
        });
        std::fs::remove_dir_all(&home).ok();
        raised.map_err(|error| error.to_string())
    })
}

/// A home of its own for each test of each process.
pub fn home(test: &str) -> PathBuf {
    std::env::temp_dir().join(format!("stormdrill-ring-{}-{test}", std::process::id()))
}

/// Raises a lab in a home of its own, and takes both away after the test.
pub async fn with_lab<F: Future<Output = Outcome>>(
    test: &str,
    fleet: FleetSpec,
    body: impl FnOnce(Lab) -> F,
) -> Outcome {
    let home = home(test);
    let lab = Lab::up(&fleet, &Site::at(&home)).await?;
    let ended = body(lab.clone()).await;
    let left = lab.down().await;
    std::fs::remove_dir_all(&home)?;
    ended?;
    expect(left.remaining.is_empty(), || format!("left behind: {:?}", left.remaining))
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// `drill-lab`: this same program, told to be it.
fn drill_lab(home: &Path, arguments: &[&str]) -> Result<Command, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).env(AS_COMMAND, "1").env("DRILL_LAB_HOME", home);
    Ok(command)
}

/// Starts `drill-lab`.
pub fn start_command(home: &Path, arguments: &[&str]) -> Result<Child, Failed> {
    let mut command = drill_lab(home, arguments)?;
    Ok(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
}

/// A run of an experiment that has just broken something, and what it has still to say.
pub async fn broken_run(
    home: &Path,
    experiment: &str,
    order_hosts: &str,
) -> Result<(Child, BufReader<ChildStdout>), Failed> {
    let reports = home.with_extension("runs");
    let text = reports.to_string_lossy();
    let mut run = start_command(home, &["run", experiment, "--order-hosts", order_hosts, "--reports", &text])?;
    let said = run.stdout.take().ok_or("it says nothing")?;
    let said = tokio::task::spawn_blocking(move || {
        let (mut said, mut heard) = (BufReader::new(said), String::new());
        while !heard.ends_with(": landed\n") {
            if said.read_line(&mut heard)? == 0 {
                return Err(Failed::from(format!("nothing was broken: {heard}")));
            }
        }
        Ok(said)
    });
    Ok((run, said.await??))
}

/// Runs `drill-lab` to its end.
pub async fn run_command(home: &Path, arguments: &[&str]) -> Result<Said, Failed> {
    finish(&mut drill_lab(home, arguments)?).await
}

/// Runs any command to its end.
pub async fn finish(command: &mut Command) -> Result<Said, Failed> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await??;
    Ok(Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}

/// Waits until the lab in `home` answers; its id.
pub async fn wait_for_lab(home: &Path) -> Result<String, Failed> {
    until("the lab is up", async || Ok(run_command(home, &["status"]).await?.code == Some(0))).await?;
    lab_in(home)
}

/// The id of the lab in `home`.
pub fn lab_in(home: &Path) -> Result<String, Failed> {
    let mut folders = std::fs::read_dir(home)?.flatten().filter(|entry| entry.path().join("lab.json").exists());
    let folder = folders.next().ok_or("the lab has no folder")?;
    Ok(folder.file_name().to_string_lossy().into_owned())
}

/// Runs a script as a document on a host.
pub async fn script(lab: &Lab, host: &str, text: &str) -> Result<AgentOutcome, Failed> {
    Ok(lab.run_document(host, text, &[], PATIENCE).await?)
}

/// The standard output of a script that must succeed.
pub async fn output(lab: &Lab, host: &str, text: &str) -> Result<String, Failed> {
    let outcome = script(lab, host, text).await?;
    match outcome.exit_code {
        Some(0) => Ok(outcome.stdout.trim().to_owned()),
        _ => Err(format!("`{text}` on {host}: {outcome:?}").into()),
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "real hosts compare their own clock with the order's")]
pub fn now() -> Result<u64, Failed> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "real hosts live in real time")]
pub fn instant() -> Instant {
    Instant::now()
}

/// Asks again until the answer is yes, and gives up at the deadline.
pub async fn until<F: Future<Output = Result<bool, Failed>>>(what: &str, mut ask: impl FnMut() -> F) -> Outcome {
    let mut turns = tokio::time::interval(Duration::from_millis(50));
    let asked = async {
        loop {
            turns.tick().await;
            if ask().await? {
                return Ok(());
            }
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(ended) => ended,
        Err(_) => Err(format!("not within {PATIENCE:?}: {what}").into()),
    }
}

pub fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

pub fn same<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T) -> Outcome {
    expect(found == wanted, || format!("found {found:?}, wanted {wanted:?}"))
}
