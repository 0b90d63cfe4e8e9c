//! Which calls there are, and the log of those that were made.
//!
//! Every port method that reaches a service is one [`Method`]; the log numbers its calls from 1, and the sweep goes
//! through the numbers. A method that no test ever hit is found by comparing with [`Method::ALL`].

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;

macro_rules! methods {
    ($($port:literal { $($method:ident = $name:literal, $api:literal, $effect:ident;)* })*) => {
        /// One method of one port that reaches a service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is the port method of the same name")]
        pub enum Method {
            $($($method,)*)*
        }

        impl Method {
            /// Every method there is.
            pub const ALL: &[Self] = &[$($(Self::$method,)*)*];

            /// Its port and its name: `Ledger::intend`.
            pub const fn name(self) -> &'static str {
                match self {
                    $($(Self::$method => concat!($port, "::", $name),)*)*
                }
            }

            /// The API call that it stands for.
            pub const fn api(self) -> &'static str {
                match self {
                    $($(Self::$method => $api,)*)*
                }
            }

            /// True when it changes something, so that a lost reply leaves a doubt.
            pub const fn writes(self) -> bool {
                match self {
                    $($(Self::$method => methods!(@ $effect),)*)*
                }
            }
        }
    };
    (@ reads) => { false };
    (@ writes) => { true };
}

methods! {
    "Experiments" {
        Experiment = "experiment", "dynamodb:GetItem", reads;
    }
    "Runs" {
        CreateRun = "create_run", "dynamodb:PutItem", writes;
        Run = "run", "dynamodb:GetItem", reads;
        SaveRun = "save_run", "dynamodb:PutItem", writes;
        PutPlan = "put_plan", "dynamodb:PutItem", writes;
        Plan = "plan", "dynamodb:GetItem", reads;
        RecordSamples = "record_samples", "dynamodb:BatchWriteItem", writes;
        Samples = "samples", "dynamodb:Query", reads;
        LatestSamples = "latest_samples", "dynamodb:Query", reads;
    }
    "Ledger" {
        Intend = "intend", "dynamodb:TransactWriteItems", writes;
        Advance = "advance", "dynamodb:UpdateItem", writes;
        Rows = "rows", "dynamodb:Query", reads;
        Overdue = "overdue", "dynamodb:Query", reads;
    }
    "Leases" {
        Lease = "lease", "dynamodb:TransactWriteItems", writes;
        Holders = "holders", "dynamodb:BatchGetItem", reads;
        Release = "release", "dynamodb:TransactWriteItems", writes;
    }
    "EmergencyStop" {
        Lever = "lever", "dynamodb:GetItem", reads;
    }
    "UndoProof" {
        UndoProven = "undo_proven", "dynamodb:GetItem", reads;
    }
    "AlarmClock" {
        SetClock = "set_clock", "scheduler:CreateSchedule", writes;
    }
    "ClearClock" {
        ClearClock = "clear_clock", "scheduler:DeleteSchedule", writes;
    }
    "ArmUndo" {
        Arm = "arm", "scheduler:CreateSchedule", writes;
        Armed = "armed", "scheduler:GetSchedule", reads;
    }
    "DisarmUndo" {
        Disarm = "disarm", "scheduler:DeleteSchedule", writes;
    }
    "Sees" {
        Find = "find", "ec2:DescribeInstances", reads;
        See = "see", "ec2:DescribeInstances", reads;
    }
    "Groups" {
        Group = "group", "autoscaling:DescribeAutoScalingGroups", reads;
    }
    "Harms" {
        Harm = "harm", "the call itself", writes;
    }
    "Heals" {
        Heal = "heal", "the call itself", writes;
    }
    "Rehearse" {
        Rehearse = "rehearse", "ec2:DryRun", reads;
    }
    "HostHarm" {
        HarmHosts = "harm_hosts", "ssm:SendCommand", writes;
    }
    "HostHeal" {
        Revert = "revert", "ssm:SendCommand", writes;
    }
    "HostProbe" {
        Probe = "probe", "ssm:SendCommand", writes;
    }
    "HostAnswers" {
        Answers = "answers", "ssm:ListCommandInvocations", reads;
    }
    "Metrics" {
        Metrics = "metrics", "cloudwatch:GetMetricData", reads;
        Alarms = "alarms", "cloudwatch:DescribeAlarms", reads;
    }
    "Prometheus" {
        Prometheus = "prometheus", "prometheus:Query", reads;
    }
    "Http" {
        Http = "http", "http:Get", reads;
    }
    "Notices" {
        Publish = "publish", "sns:Publish", writes;
    }
    "Reports" {
        Store = "store", "s3:PutObject", writes;
    }
    "TaskTokens" {
        KeepToken = "keep_token", "dynamodb:PutItem", writes;
        Token = "token", "dynamodb:GetItem", reads;
    }
    "Callback" {
        Resume = "resume", "states:SendTaskSuccess", writes;
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Which call of the world this was, from 1.
    pub number: u64,
    /// Whose: the name given to [`World::start`](crate::World::start).
    pub actor: Rc<str>,
    /// What was called.
    pub method: Method,
    /// When.
    pub at: Timestamp,
}

/// The calls that were made.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) log: Vec<Called>,
    requests: BTreeMap<&'static str, u64>,
    hits: BTreeMap<Method, u64>,
}

impl Calls {
    /// Notes a call and returns its number, and how many of its method there were with it.
    pub(crate) fn note(&mut self, actor: Rc<str>, method: Method, api: &'static str, at: Timestamp) -> (u64, u64) {
        let number = self.log.len() as u64 + 1;
        self.log.push(Called { number, actor, method, at });
        self.request(api, 1);
        let nth = self.hits.entry(method).or_default();
        *nth += 1;
        (number, *nth)
    }

    /// Notes more requests of the same call: pages and batches.
    pub(crate) fn request(&mut self, api: &'static str, more: u64) {
        *self.requests.entry(api).or_default() += more;
    }

    pub(crate) fn requests(&self) -> BTreeMap<&'static str, u64> {
        self.requests.clone()
    }

    /// How often each method was called, those that never were included.
    pub(crate) fn coverage(&self) -> BTreeMap<Method, u64> {
        Method::ALL.iter().map(|method| (*method, self.hits.get(method).copied().unwrap_or(0))).collect()
    }
}
