//! The adapters in front of moto: a server of its own for every trial, on loopback, made as the suite wants it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::region::Region;
use drill_aws_autoscaling::AutoScaling;
use drill_aws_cloudwatch::CloudWatch;
use drill_aws_config::{SdkConfig, SystemClock, load};
use drill_aws_ec2::Ec2;
use drill_model::experiment::{CloudWatchProbe, Selector};
use drill_model::faults::{Harm, Heal, Kind, Seen};
use drill_model::ids::{AlarmName, GroupName, InstanceId};
use drill_model::observation::AlarmReading;
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{Answer, Clock, Datapoint, Group, Groups, Harms, Heals, Metrics, Rehearsal, Rehearse, Sees};
use jiff::Timestamp;
use serde::Deserialize;

use crate::suite::{ALARMS, Case, Facts};

const REGION: &str = "eu-west-1";

/// The Python that has moto: what `tests/asl/setup.sh` made, or what a variable names.
fn python() -> PathBuf {
    let made = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/venv-asl/bin/python");
    std::env::var_os("STORMDRILL_MOTO_PYTHON").map_or_else(made, PathBuf::from)
}

/// Why this half cannot run here; `None` when it can.
pub fn missing() -> Option<String> {
    let python = python();
    let tried = Command::new(&python)
        .args(["-c", "import boto3, moto.moto_server.werkzeug_app"])
        .stderr(Stdio::null())
        .status();
    match tried {
        Ok(status) if status.success() => None,
        _ => Some(format!("{} has no moto: run tests/asl/setup.sh", python.display())),
    }
}

/// Plays a case to its end, in real time.
pub fn play(case: Case) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_server, url, facts) = Server::start();
    runtime.block_on(async {
        let ports = OnMoto::at(&url).await;
        case.run(&ports, &facts).await;
    });
}

/// A server, as long as this lives.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).map(drop).unwrap_or_default();
    }
}

/// What the script says when the world is made.
#[derive(Deserialize)]
struct Made {
    orders: BTreeSet<InstanceId>,
    group: GroupName,
    subnets: [String; 2],
    inside: InstanceId,
    minute: i64,
}

impl Server {
    /// Starts a server on a free port, makes the world in it, and waits for the script to say so.
    fn start() -> (Self, String, Facts) {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap().port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("stage.py");
        let mut child = Command::new(python())
            .arg(script)
            .args([port.to_string(), REGION.to_owned()])
            .args(ALARMS.map(|(name, state)| format!("{name}={state}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let server = Self(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        let made: Made = serde_json::from_str(&line).unwrap();
        let home = Home { account: "123456789012".into(), region: REGION.into() };
        let facts = Facts {
            orders: made.orders,
            group: made.group,
            subnets: made.subnets.map(|id| home.resource("ec2", &format!("subnet/{id}"))),
            inside: home.instance(&made.inside),
            home,
            minute: Timestamp::from_second(made.minute).unwrap(),
        };
        (server, format!("http://127.0.0.1:{port}"), facts)
    }
}

/// The adapters, together as a function has them.
struct OnMoto {
    ec2: Ec2,
    autoscaling: AutoScaling,
    cloudwatch: CloudWatch,
}

impl OnMoto {
    async fn at(url: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config: SdkConfig = load(Duration::from_secs(120))
            .await
            .into_builder()
            .endpoint_url(url)
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self { ec2: Ec2::new(&config), autoscaling: AutoScaling::new(&config), cloudwatch: CloudWatch::new(&config) }
    }
}

impl Clock for OnMoto {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn pause(&self, time: Duration) {
        SystemClock.pause(time).await;
    }
}

impl Sees for OnMoto {
    async fn find(&self, selector: &Selector) -> Answer<Vec<Seen>> {
        self.ec2.find(selector).await
    }

    async fn see(&self, kind: Kind, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        self.ec2.see(kind, ids).await
    }
}

impl Groups for OnMoto {
    async fn group(&self, name: &GroupName) -> Answer<Group> {
        self.autoscaling.group(name).await
    }
}

impl Harms for OnMoto {
    async fn harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.ec2.harm(call, on).await
    }
}

impl Heals for OnMoto {
    async fn heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.ec2.heal(call, on).await
    }
}

impl Rehearse for OnMoto {
    async fn rehearse(&self, call: &Rehearsal, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.ec2.rehearse(call, on).await
    }
}

impl Metrics for OnMoto {
    async fn metrics(&self, probes: &[CloudWatchProbe], from: Timestamp, to: Timestamp) -> Answer<Vec<Vec<Datapoint>>> {
        self.cloudwatch.metrics(probes, from, to).await
    }

    async fn alarms(&self, names: &[AlarmName]) -> Answer<Vec<AlarmReading>> {
        self.cloudwatch.alarms(names).await
    }
}
