//! An order to a host as the SSM agent gives it: variables, a script in a file, a process group of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::clock;

/// A document with the values for it.
#[derive(Clone)]
pub struct Order {
    pub document: &'static str,
    pub values: BTreeMap<String, String>,
    /// The validation of the document is skipped: what an attacker would do.
    pub forced: bool,
}

impl Order {
    /// An order that is good for a minute and ends after ten.
    pub fn new(document: &'static str, unit: &str) -> Self {
        let order = Self { document, values: BTreeMap::new(), forced: false }.with("Unit", unit);
        match document {
            "probe" => order,
            "revert" => order.with("Run", "ring-1"),
            _ => {
                let order = order.with("Run", "ring-1").with("NotAfter", (clock::now() + 60).to_string());
                order.with("Deadline", (clock::now() + 600).to_string()).with("MaxSeconds", "600")
            }
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// The same for a unit that no other order was about: a unit that was refused once does not start any more.
    pub fn anew(self) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0xf000_0000_0000_0000);
        self.with("Unit", format!("{:016x}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The dead man fires after so many seconds.
    pub fn for_seconds(self, seconds: u64) -> Self {
        self.with("Deadline", (clock::now() + seconds).to_string()).with("MaxSeconds", seconds.to_string())
    }

    pub fn forced(mut self) -> Self {
        self.forced = true;
        self
    }

    /// The variables that the agent sets.
    pub fn environment(&self) -> Vec<(String, String)> {
        if self.forced {
            return self.values.iter().map(|(name, value)| (format!("SSM_{name}"), value.clone())).collect();
        }
        let document = drill_documents::document(self.document).unwrap();
        document.environment(&self.values).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// What a document answered.
#[derive(Debug)]
pub struct Answer {
    /// Its one line.
    pub line: Option<Value>,
    /// Everything else, for people.
    pub noise: String,
}

impl Answer {
    /// Reads an answer and holds it to the contract: one line of less than 2000 characters, and a matching status.
    pub fn read(code: Option<i32>, stdout: &str, stderr: &str) -> Self {
        let noise = format!("stdout: {stdout}\nstderr: {stderr}");
        let mut lines = stdout.lines();
        let line = lines.next().map(|line| {
            assert!(line.len() < 2000, "the answer is too long\n{noise}");
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {error}\n{noise}"))
        });
        assert_eq!(lines.next(), None, "more than one line\n{noise}");
        let answer = Self { line, noise };
        if let Some(code) = code {
            let expected = match answer.outcome() {
                "landed" | "already" | "reverted" | "absent" | "alive" => 0,
                "refused" => 3,
                "failed" => 4,
                _ => 5,
            };
            assert_eq!(code, expected, "{answer:?}");
            assert_eq!(answer.line.as_ref().unwrap()["stormdrill"], 1, "{answer:?}");
        }
        answer
    }

    pub fn outcome(&self) -> &str {
        self.word("outcome")
    }

    pub fn reason(&self) -> &str {
        self.word("reason")
    }

    fn word(&self, name: &str) -> &str {
        self.line.as_ref().and_then(|line| line[name].as_str()).unwrap_or("")
    }

    /// Panics unless this is the outcome, and the reason where one is given.
    #[track_caller]
    pub fn must_be(&self, outcome: &str, reason: &str) -> &Self {
        assert_eq!((self.outcome(), self.reason()), (outcome, reason), "{self:#?}");
        self
    }
}

/// An order that would be good, with any value that its pattern takes.
pub fn valid(document: &'static drill_documents::Document, unit: &str) -> Order {
    let mut order = Order::new(document.name, unit);
    for parameter in &document.parameters {
        let known = ["any", "1", "10", "egress", "tcp", "api", "-"];
        order.values.entry(parameter.name.clone()).or_insert_with(|| {
            let default = parameter.default.clone();
            default.unwrap_or_else(|| {
                let fits = |value: &&str| regex_lite::Regex::new(&parameter.allowed_pattern).unwrap().is_match(value);
                known.into_iter().find(fits).unwrap().to_owned()
            })
        });
    }
    document.environment(&order.values).unwrap();
    order
}
