//! The adapters on moto as a ground: real requests, to tables of this trial's own.
//!
//! The server listens on loopback, on a port that is free, and ends when this process does, however it does.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use drill_aws_config::SdkConfig;
use drill_aws_dynamodb::{ExperimentTable, OPEN_INDEX, RunTable};
use drill_aws_s3::ReportBucket;
use drill_aws_scheduler::{AlarmClocks, ArmedUndos, Ring, UndoTarget, Undos};
use drill_aws_sfn::Executions;
use drill_aws_sns::Topics;
use drill_model::ids::{ExperimentId, RunId};
use drill_phases::ports::{AlarmClock, ArmUndo, Callback, ClearClock, DisarmUndo, Experiments, Notices, Reports};
use jiff::Timestamp;

use crate::ground::Ground;

/// Ends with its standard input, which closes with this process. Says on which port it listens. It answers one request
/// after the other, because its transactions are not isolated from one another as DynamoDB's are; and it looks at task
/// tokens only where it is to run state machines. Schedules are those of the local AWS, which refuses what Scheduler does;
/// its clock stands still, so none fires.
const SERVE: &str = "
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
sys.path.insert(0, sys.argv[1])
os.environ |= {'AWS_REGION': 'eu-central-1', 'MOTO_PORT': '1', 'TZ': 'UTC'}
from localaws import schedules
schedules.install()
from moto.core import config
config.default_user_config['stepfunctions'] = {'execute_state_machine': True}
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
run_simple('127.0.0.1', 0, DomainDispatcherApplication(create_backend_app), threaded=False)
";

/// Where the local AWS is.
const LOCAL_AWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../local-aws");

/// A moto server.
pub struct Server {
    endpoint: String,
    process: Child,
    _alive: Option<ChildStdin>,
}

impl Server {
    /// Starts one, or says what is missing.
    pub fn start() -> Result<Self, String> {
        let python = python().ok_or("no Python with moto under target/: tests/asl/setup.sh makes one")?;
        let command = || Command::new(&python);
        let has = command().args(["-c", "import moto.server, flask"]).stderr(Stdio::null()).status();
        if !has.is_ok_and(|status| status.success()) {
            return Err(format!("{} cannot import moto's server", python.display()));
        }
        let started = command()
            .args(["-c", SERVE, LOCAL_AWS])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = started.map_err(|error| format!("moto does not start: {error}"))?;
        let alive = process.stdin.take();
        let said = BufReader::new(process.stderr.take().ok_or("moto has no standard error")?);
        let mut lines = said.lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.rsplit_once("http://127.0.0.1:").map(|(_, port)| port.trim().to_owned()));
        let port = port.ok_or("moto ended before it listened")?;
        // It logs every request: somebody has to read, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        // By name: moto takes an address for the name of a bucket.
        Ok(Self { endpoint: format!("http://localhost:{port}"), process, _alive: alive })
    }

    fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "contract");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&self.endpoint)
            .build()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            self.process.wait().map(drop).unwrap_or_default();
        }
    }
}

fn python() -> Option<PathBuf> {
    let target = std::env::var_os("ASL_TARGET").map(PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    Some(target.join("venv-asl/bin/python")).filter(|python| python.exists())
}

/// Tables, a topic, a bucket and a group of schedules that no other trial has.
pub struct Moto {
    own: String,
    config: SdkConfig,
    store: RunTable,
    experiments: ExperimentTable,
    clocks: AlarmClocks,
    arms: ArmedUndos,
    disarms: Undos,
    topics: Topics,
    reports: ReportBucket,
    executions: Executions,
}

/// Plays a fact on new tables.
pub fn play(server: &Server, fact: impl AsyncFnOnce(&Moto)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ground = Moto::new(server).await;
        fact(&ground).await;
    });
}

impl Moto {
    async fn new(server: &Server) -> Self {
        static TRIALS: AtomicU32 = AtomicU32::new(0);
        let own = format!("trial-{}", TRIALS.fetch_add(1, Ordering::Relaxed));
        let config = server.config();
        create_tables(&config, &own).await;
        let topic = aws_sdk_sns::Client::new(&config).create_topic().name(&own).send().await.unwrap();
        let buckets = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
            .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuCentral1)
            .build();
        let buckets = aws_sdk_s3::Client::from_conf(buckets);
        buckets.create_bucket().bucket(&own).create_bucket_configuration(place).send().await.unwrap();
        aws_sdk_scheduler::Client::new(&config).create_schedule_group().name(&own).send().await.unwrap();
        let arn = |service: &str, what: &str| format!("arn:aws:{service}:eu-central-1:123456789012:{what}");
        let ring = Ring {
            janitor: arn("lambda", "function:janitor"),
            role: "arn:aws:iam::123456789012:role/clock".to_owned(),
            lost: arn("sqs", "lost"),
        };
        let undo =
            UndoTarget { role: "arn:aws:iam::123456789012:role/undo".to_owned(), lost: Some(arn("sqs", "lost")) };
        Self {
            store: RunTable::new(&config, format!("{own}-runs")),
            experiments: ExperimentTable::new(&config, format!("{own}-experiments")),
            clocks: AlarmClocks::new(&config, &own, ring),
            arms: ArmedUndos::new(&config, &own, undo),
            disarms: Undos::new(&config, &own),
            topics: Topics::new(&config, topic.topic_arn.unwrap()),
            reports: ReportBucket::new(&config, &own),
            executions: Executions::new(&config),
            own,
            config,
        }
    }

    fn tables(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }
}

async fn create_tables(config: &SdkConfig, own: &str) {
    let client = aws_sdk_dynamodb::Client::new(config);
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key =
        |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let index = GlobalSecondaryIndex::builder()
        .index_name(OPEN_INDEX)
        .key_schema(key("open", KeyType::Hash))
        .key_schema(key("deadline", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    let runs = client
        .create_table()
        .table_name(format!("{own}-runs"))
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "open", "deadline"].map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index);
    runs.send().await.unwrap();
    let experiments = client
        .create_table()
        .table_name(format!("{own}-experiments"))
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("id"))
        .key_schema(key("id", KeyType::Hash));
    experiments.send().await.unwrap();
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl Ground for Moto {
    type Store = RunTable;

    fn store(&self) -> &RunTable {
        &self.store
    }

    fn experiments(&self) -> &impl Experiments {
        &self.experiments
    }

    fn clocks(&self) -> &(impl AlarmClock + ClearClock) {
        &self.clocks
    }

    fn arms(&self) -> &impl ArmUndo {
        &self.arms
    }

    fn disarms(&self) -> &impl DisarmUndo {
        &self.disarms
    }

    fn notices(&self) -> &impl Notices {
        &self.topics
    }

    fn reports(&self) -> &impl Reports {
        &self.reports
    }

    fn callback(&self) -> &impl Callback {
        &self.executions
    }

    async fn put_experiment(&self, id: &ExperimentId, text: &str) {
        let put = self.tables().put_item().table_name(format!("{}-experiments", self.own));
        put.item("id", string(id.as_str())).item("text", string(text)).send().await.unwrap();
    }

    async fn pull_lever(&self, reason: &str) {
        let put = self.tables().put_item().table_name(format!("{}-runs", self.own));
        let put = put.item("pk", string("LEVER")).item("sk", string("LEVER")).item("reason", string(reason));
        put.send().await.unwrap();
    }

    async fn prove_undo(&self, at: Timestamp) {
        let put = self.tables().put_item().table_name(format!("{}-runs", self.own));
        let put = put.item("pk", string("UNDO")).item("sk", string("PROOF")).item("at", string(&format!("{at:.0}")));
        put.send().await.unwrap();
    }

    async fn release_lever(&self) {
        let delete = self.tables().delete_item().table_name(format!("{}-runs", self.own));
        delete.key("pk", string("LEVER")).key("sk", string("LEVER")).send().await.unwrap();
    }

    async fn clock(&self, run: &RunId) -> Option<Timestamp> {
        let client = aws_sdk_scheduler::Client::new(&self.config);
        let schedules = client.list_schedules().group_name(&self.own).send().await.unwrap().schedules;
        let name = schedules.into_iter().find(|schedule| schedule.name() == Some(run.as_str()))?.name?;
        let schedule = client.get_schedule().group_name(&self.own).name(name).send().await.unwrap();
        let expression = schedule.schedule_expression.unwrap();
        let at = expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        Some(format!("{at}Z").parse().unwrap())
    }

    async fn report(&self, run: &RunId, name: &str) -> Option<String> {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        let get = aws_sdk_s3::Client::from_conf(config).get_object().bucket(&self.own).key(format!("{run}/{name}"));
        let content = get.send().await.ok()?.body.collect().await.unwrap();
        Some(String::from_utf8(content.to_vec()).unwrap())
    }

    async fn settle(&self) {}
}
