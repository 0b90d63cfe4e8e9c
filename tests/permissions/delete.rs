//! `scripts/delete.sh` against an `aws` of our own on the path, which writes down what it is asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::root;

/// Answers like a stack with one table of each kind; what a query finds is given by the test.
const AWS: &str = r#"#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*list-stack-resources*)
  [ "$STACK_EXISTS" = yes ] || exit 254
  for id in ExperimentMachine ExperimentsTable FunctionLogs LostUndos MachineLogs ReportBucket RunsTable ScheduledUndos UndoRole; do printf '%s\tphysical-%s\n' $id $id; done ;;
*"$BROKEN"*) echo "$BROKEN_SAYS" >&2; exit 255 ;;
*list-executions*) echo "$UNDER_WAY" ;;
*"dynamodb query"*) echo "$OPEN_ROWS"; [ ! -e "$CALLS.pulled" ] || echo "$LATE_ROWS" ;;
*put-item*) [ -z "$PULL_FAILS" ] || { echo "An error occurred ($PULL_FAILS)" >&2; exit 254; }; touch "$CALLS.pulled" ;;
*list-object-versions*) if [ -e "$CALLS.emptied" ]; then echo '{"Objects": null}'; else echo '{"Objects": [{"Key": "a", "VersionId": "1"}], "Quiet": true}'; fi ;;
*delete-objects*) touch "$CALLS.emptied" ;;
esac
"#;

struct Asked {
    output: Output,
    calls: Vec<String>,
}

fn delete(name: &str, arguments: &[&str], world: &[(&str, &str)]) -> Asked {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("delete-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let aws = folder.join("aws");
    std::fs::write(&aws, AWS).unwrap();
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).unwrap();
    let calls = folder.join("calls");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg(root().join("scripts/delete.sh")).args(arguments).env("PATH", path).env("CALLS", &calls);
    command.env("STACK_EXISTS", "yes").env("UNDER_WAY", "None").env("OPEN_ROWS", "");
    command.env("LATE_ROWS", "").env("PULL_FAILS", "").env("BROKEN", "nothing");
    command.env("BROKEN_SAYS", "it does not answer");
    let output = command.envs(world.iter().copied()).output().unwrap();
    let calls = std::fs::read_to_string(calls).unwrap_or_default().lines().map(str::to_owned).collect();
    std::fs::remove_dir_all(folder).unwrap();
    Asked { output, calls }
}

impl Asked {
    fn deleted(&self) -> Vec<&str> {
        let deletes = |call: &&str| call.contains("delete-") && !call.contains("delete-item");
        self.calls.iter().map(String::as_str).filter(deletes).collect()
    }

    /// How often the emergency stop was pulled, and released.
    fn lever(&self) -> [usize; 2] {
        ["put-item", "delete-item"].map(|what| self.calls.iter().filter(|call| call.contains(what)).count())
    }

    /// It ended with this code and these words, and nothing is gone.
    #[track_caller]
    fn must_refuse(&self, code: i32, because: &str) {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.said());
        assert!(self.said().contains(because), "{}", self.said());
        assert_eq!(self.deleted(), Vec::<&str>::new());
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

#[test]
fn nothing_is_deleted_while_a_row_is_open() {
    let asked = delete("open", &["--with-data"], &[("OPEN_ROWS", "RUN#a-run\tROW#slow-network#i-0123456789abcdef0")]);

    asked.must_refuse(3, "RUN#a-run");
}

#[test]
fn nothing_is_deleted_while_a_run_is_under_way() {
    let asked = delete("under-way", &[], &[("UNDER_WAY", "order-service-latency-202611242300")]);

    asked.must_refuse(3, "order-service-latency-202611242300");
}

#[test]
fn a_run_under_way_is_not_ended_by_the_emergency_stop() {
    assert_eq!(delete("spared", &[], &[("UNDER_WAY", "a-run")]).lever(), [0, 0]);
    assert_eq!(delete("spared-row", &[], &[("OPEN_ROWS", "RUN#a-run")]).lever(), [0, 0]);
}

#[test]
fn what_a_run_that_began_meanwhile_has_broken_is_seen() {
    let asked = delete("late", &[], &[("LATE_ROWS", "RUN#late\tROW#crash#i-0123456789abcdef0")]);

    asked.must_refuse(3, "RUN#late");
    assert_eq!(asked.lever(), [1, 1], "it is as it was");
}

#[test]
fn nothing_is_deleted_when_it_cannot_be_seen_what_is_broken() {
    for call in ["list-executions", "dynamodb query"] {
        delete("unseen", &[], &[("BROKEN", call)]).must_refuse(3, "it cannot be seen");
    }
}

#[test]
fn half_a_stack_breaks_nothing() {
    let asked = delete("half", &["--with-data"], &[("BROKEN", "stack-delete-complete")]);

    assert_eq!(asked.output.status.code(), Some(1));
    assert!(asked.said().contains("LEVER"), "{}", asked.said());
    assert_eq!(asked.lever(), [1, 0]);
    assert!(!asked.deleted().iter().any(|call| call.contains("delete-table")), "{:?}", asked.calls);
}

#[test]
fn what_is_left_of_half_a_stack_is_deleted() {
    let gone = [("BROKEN", "list-executions"), ("BROKEN_SAYS", "An error occurred (StateMachineDoesNotExist)")];

    let asked = delete("rest", &[], &gone);

    assert_eq!(asked.output.status.code(), Some(0), "{}", asked.said());
}

#[test]
fn an_emergency_stop_that_somebody_else_has_pulled_stays_pulled() {
    let asked = delete("theirs", &[], &[("PULL_FAILS", "ConditionalCheckFailedException")]);

    assert_eq!(asked.output.status.code(), Some(0), "{}", asked.said());
    assert_eq!(asked.lever(), [1, 0]);
}

#[test]
fn nothing_is_deleted_when_the_emergency_stop_cannot_be_pulled() {
    delete("unpulled", &[], &[("PULL_FAILS", "AccessDeniedException")]).must_refuse(2, "AccessDenied");
}

#[test]
fn nothing_is_deleted_when_there_is_no_such_stack() {
    delete("no-stack", &["--stack", "another"], &[("STACK_EXISTS", "no")]).must_refuse(2, "there is no stack another");
}

#[test]
fn a_stack_is_deleted_and_its_data_stays() {
    let asked = delete("keep", &[], &[]);

    assert_eq!(asked.output.status.code(), Some(0), "{}", asked.said());
    let expected = [
        "cloudformation delete-stack --stack-name stormdrill",
        "cloudformation wait stack-delete-complete --stack-name stormdrill",
    ];
    assert_eq!(asked.deleted(), expected);
    assert_eq!(asked.lever(), [1, 1], "the table stays, and the emergency stop does not stay in it");
    assert!(String::from_utf8_lossy(&asked.output.stdout).contains("physical-RunsTable"));
}

#[test]
fn the_data_goes_too_when_that_is_asked_for() {
    let asked = delete("with-data", &["--with-data"], &[]);

    assert_eq!(asked.output.status.code(), Some(0), "{}", asked.said());
    let deleted = asked.deleted().join("\n");
    for wanted in [
        "dynamodb delete-table --table-name physical-RunsTable",
        "dynamodb delete-table --table-name physical-ExperimentsTable",
        "s3api delete-bucket --bucket physical-ReportBucket",
        "logs delete-log-group --log-group-name physical-FunctionLogs",
        "logs delete-log-group --log-group-name physical-MachineLogs",
        "scheduler delete-schedule-group --name physical-ScheduledUndos",
        "sqs delete-queue --queue-url physical-LostUndos",
        "iam delete-role --role-name physical-UndoRole",
    ] {
        assert!(deleted.contains(wanted), "{wanted} was not asked for:\n{deleted}");
    }
    let objects = asked.calls.iter().filter(|call| call.contains("delete-objects")).count();
    assert_eq!(objects, 1, "a bucket is emptied before it is deleted, and not for ever");
}
