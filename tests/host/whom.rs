//! Whom a fault means: one of two that run the same program, one user's, one unit's, one container's; how many there
//! are; and what a signal did that is not over yet.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::clock;
use crate::order::{Answer, Order};
use crate::sandbox::Sandbox;
use crate::trial;

const SOON: Duration = Duration::from_secs(20);
/// The document waits that long for a process to end, and then answers.
const PATIENCE: Duration = Duration::from_secs(60);
const UNIT: &str = "00000000000000a1";
const OTHER: &str = "00000000000000b2";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("whom::a_script_is_known_by_its_name_however_long", script),
        trial("whom::a_script_is_known_behind_its_interpreter", behind),
        trial("whom::a_command_line_tells_two_of_one_program_apart", command_line),
        trial("whom::a_text_is_no_pattern", fixed_text),
        trial("whom::one_users_processes_are_not_anothers", user),
        trial("whom::a_unit_and_a_container_are_their_control_groups", groups),
        trial("whom::all_that_is_named_has_to_be_so", together),
        trial("whom::more_than_are_allowed_are_not_touched", at_most),
        trial("whom::the_agent_and_the_ways_in_are_never_meant", protected),
        trial("whom::an_order_that_names_nobody_is_refused", nobody),
        trial("whom::a_signal_to_a_program_that_drains_was_made", drains),
        trial("whom::a_signal_that_is_ignored_is_never_said_to_be_unmade", ignored),
    ]
}

fn pause(unit: &str, named: &[(&str, &str)]) -> Order {
    named.iter().fold(Order::new("process-pause", unit), |order, (name, value)| order.with(name, *value))
}

/// Starts a command line of `sh` in a session of its own.
fn start(host: &Sandbox, line: &str) {
    assert!(host.holds(&format!("setsid {line} </dev/null >/dev/null 2>&1 &")), "{line}");
}

/// A program that waits for ever, whatever its arguments: `name` is what its file is called.
fn program(host: &Sandbox, name: &str) -> String {
    let path = host.folder.join(name);
    std::fs::copy("/bin/bash", &path).unwrap();
    format!("{} -c 'exec 3<> <(:); while :; do read -r -t 1 <&3; done'", path.display())
}

/// The state letters of the processes whose command line has this in it, once there are so many.
#[track_caller]
fn letters(host: &Sandbox, text: &str, count: usize) -> String {
    let read = || -> String {
        let processes = host.processes().into_iter();
        let found = processes.filter(|process| process.line.contains(text) && !process.line.starts_with("setsid "));
        found.map(|process| if process.state == 'T' { 'T' } else { 'r' }).collect()
    };
    assert!(clock::eventually(SOON, || read().len() == count), "{text}: {}", host.text("ps axo pid,stat,user,args"));
    read()
}

fn matched(answer: &Answer) -> u64 {
    answer.line.as_ref().unwrap()["evidence"]["matched"].as_u64().unwrap_or_else(|| panic!("{answer:?}"))
}

fn revert(host: &Sandbox, unit: &str) {
    host.order(&Order::new("revert", unit)).must_be("reverted", "");
}

fn script() {
    let host = Sandbox::new();
    host.install("payment-reconciler.py", "#!/bin/bash\nexec 3<> <(:); while :; do read -r -t 1 <&3; done\n");
    start(&host, &format!("{}/bin/payment-reconciler.py", host.folder.display()));
    assert_eq!(letters(&host, "payment-reconciler.py", 1), "r");

    for stump in ["payment-reconci", "payment-reconciler", "reconciler.py"] {
        host.order(&pause(OTHER, &[("Process", stump)]).anew()).must_be("refused", "no-match");
    }
    let answer = host.order(&pause(UNIT, &[("Process", "payment-reconciler.py")]));

    answer.must_be("landed", "");
    assert_eq!((matched(&answer), letters(&host, "payment-reconciler.py", 1).as_str()), (1, "T"));
    revert(&host, UNIT);
    assert_eq!(letters(&host, "payment-reconciler.py", 1), "r");
}

/// However it was started; what only stands in the command line of another is not meant.
fn behind() {
    let host = Sandbox::new();
    let waits = "exec 3<> <(:); while :; do read -r -t 1 <&3; done\n";
    host.install("ledger.sh", waits);
    host.install("by-env.sh", &format!("#!/usr/bin/env -S bash\n{waits}"));
    let folder = format!("{}/bin", host.folder.display());
    start(&host, &format!("bash --norc -o pipefail {folder}/ledger.sh first"));
    start(&host, &format!("{folder}/by-env.sh second"));
    start(&host, &format!("bash {folder}/by-env.sh ledger.sh"));
    start(&host, "bash -c \"exec 3<> <(:); while :; do read -r -t 1 <&3; done\" ledger.sh");
    assert_eq!((letters(&host, "ledger.sh first", 1), letters(&host, "by-env.sh", 2)), ("r".into(), "rr".into()));

    let answer = host.order(&pause(UNIT, &[("Process", "ledger.sh")]));
    answer.must_be("landed", "");
    assert_eq!((matched(&answer), letters(&host, "ledger.sh first", 1).as_str()), (1, "T"));
    let answer = host.order(&pause(OTHER, &[("Process", "by-env.sh")]));
    answer.must_be("landed", "");
    assert_eq!((matched(&answer), letters(&host, "by-env.sh", 2).as_str()), (2, "TT"));

    revert(&host, UNIT);
    revert(&host, OTHER);
    assert_eq!((letters(&host, "ledger.sh first", 1), letters(&host, "by-env.sh", 2)), ("r".into(), "rr".into()));
}

fn command_line() {
    let host = Sandbox::new();
    let java = program(&host, "java");
    start(&host, &format!("{java} java -Dapp=ledger -jar ledger.jar"));
    start(&host, &format!("{java} java -Dapp=search -jar search.jar"));
    for role in ["master", "worker"] {
        start(&host, &format!("bash -c 'exec -a \"gunicorn: {role} [shop]\" sleep 1000'"));
    }
    for text in ["ledger.jar", "search.jar", "gunicorn: master", "gunicorn: worker"] {
        assert_eq!(letters(&host, text, 1), "r");
    }

    let answer = host.order(&pause(UNIT, &[("CommandLine", "Dapp=ledger -jar"), ("AtMost", "1")]));
    answer.must_be("landed", "");
    assert_eq!(matched(&answer), 1);
    host.order(&pause(OTHER, &[("CommandLine", "gunicorn: master"), ("AtMost", "1")])).must_be("landed", "");

    assert_eq!((letters(&host, "ledger.jar", 1), letters(&host, "search.jar", 1)), ("T".into(), "r".into()));
    assert_eq!(
        (letters(&host, "gunicorn: master", 1), letters(&host, "gunicorn: worker", 1)),
        ("T".into(), "r".into())
    );
    revert(&host, UNIT);
    revert(&host, OTHER);
    assert_eq!((letters(&host, "ledger.jar", 1), letters(&host, "gunicorn: master", 1)), ("r".into(), "r".into()));
}

fn fixed_text() {
    let host = Sandbox::new();
    let java = program(&host, "java");
    start(&host, &format!("{java} java a.b"));
    start(&host, &format!("{java} java axb"));
    assert_eq!((letters(&host, "a.b", 1), letters(&host, "axb", 1)), ("r".into(), "r".into()));

    host.order(&pause(UNIT, &[("CommandLine", "a.b")])).must_be("landed", "");

    assert_eq!((letters(&host, "a.b", 1), letters(&host, "axb", 1)), ("T".into(), "r".into()));
}

fn user() {
    let host = Sandbox::new();
    host.victims("api");
    start(&host, "setpriv --reuid=65534 --clear-groups sleep 1234");
    let named = |name: &'static str| [("User", name), ("AtMost", "1")];
    assert_eq!(letters(&host, "sleep 1234", 1), "r");
    assert!(clock::eventually(SOON, || host.holds("grep -q '^Uid:.65534' /proc/[0-9]*/status")));

    host.order(&pause(OTHER, &named("no-such-user")).anew()).must_be("refused", "no-user");
    let answer = host.order(&pause(UNIT, &named("nobody")));

    answer.must_be("landed", "");
    assert_eq!((matched(&answer), letters(&host, "sleep 1234", 1), host.states("api")), (1, "T".into(), "SS".into()));
    revert(&host, UNIT);
    host.order(&pause("00000000000000c3", &named("65534"))).must_be("landed", "");
    assert_eq!(letters(&host, "sleep 1234", 1), "T");
}

/// A container's id, and the path that some container runtime gives it.
const ID: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn groups() {
    let host = Sandbox::new();
    let top = format!("stormdrill-ring-{}", std::process::id());
    let root = format!("/run/groups/{top}");
    assert!(host.holds("mkdir /run/groups && mount -t cgroup2 groups /run/groups"), "there is no cgroup v2 here");
    for (path, seconds) in [
        ("system.slice/ledger.service", "2001".to_owned()),
        ("system.slice/ledger.service.d", "2002".to_owned()),
        (&*format!("system.slice/docker-{ID}.scope"), "2003".to_owned()),
    ] {
        assert!(host.holds(&format!("mkdir -p {root}/{path}")));
        start(&host, &format!("sh -c 'echo $$ >{root}/{path}/cgroup.procs && exec sleep {seconds}'"));
    }
    for seconds in ["sleep 2001", "sleep 2002", "sleep 2003"] {
        assert!(clock::eventually(SOON, || letters(&host, seconds, 1) == "r"));
    }
    let read = || ["sleep 2001", "sleep 2002", "sleep 2003"].map(|text| letters(&host, text, 1)).concat();

    host.order(&pause(UNIT, &[("SystemdUnit", "ledger.service")])).must_be("landed", "");
    let unit = read();
    revert(&host, UNIT);
    host.order(&pause(OTHER, &[("Container", &ID[..12])])).must_be("landed", "");
    let container = read();
    revert(&host, OTHER);
    host.order(&pause(UNIT, &[("Container", "ffffffffffff")])).must_be("refused", "tombstone");
    host.order(&pause("00000000000000c3", &[("Container", "ffffffffffff")]).anew()).must_be("refused", "no-match");

    // The kernel keeps a group for as long as something runs in it.
    assert!(host.holds("kill -9 $(cat $(find /run/groups/stormdrill-ring-* -name cgroup.procs))"));
    assert!(clock::eventually(SOON, || {
        host.shell(&format!("find {root} -depth -type d -exec rmdir {{}} \\;"));
        !host.holds(&format!("test -e {root}"))
    }));
    assert_eq!((unit.as_str(), container.as_str()), ("Trr", "rrT"));
}

fn together() {
    let host = Sandbox::new();
    let java = program(&host, "java");
    start(&host, &format!("{java} java ledger.jar"));
    start(&host, &format!("{java} java search.jar"));
    start(&host, "bash -c 'exec -a ledger.jar sleep 1000'");
    assert_eq!((letters(&host, "ledger.jar", 2), letters(&host, "search.jar", 1)), ("rr".into(), "r".into()));

    let answer = host.order(&pause(UNIT, &[("Process", "java"), ("CommandLine", "ledger.jar"), ("User", "root")]));

    answer.must_be("landed", "");
    assert_eq!(matched(&answer), 1);
    assert_eq!((letters(&host, "java ledger.jar", 1), letters(&host, "search.jar", 1)), ("T".into(), "r".into()));
    host.order(&pause(OTHER, &[("Process", "java"), ("User", "nobody")]).anew()).must_be("refused", "no-match");
}

fn at_most() {
    let host = Sandbox::new();
    host.victims("api");
    let named = |most: &'static str| [("Process", "api"), ("AtMost", most)];

    let answer = host.order(&pause(OTHER, &named("1")));
    answer.must_be("refused", "too-many");
    assert!(answer.noise.contains("2 processes called api, and at most 1"), "{answer:?}");
    assert_eq!(host.states("api"), "SS");

    let answer = host.order(&pause(UNIT, &named("2")));
    answer.must_be("landed", "");
    assert_eq!(matched(&answer), 2);
}

fn protected() {
    let host = Sandbox::new();
    for name in ["amazon-ssm-agent", "ssm-agent-worker", "sshd", "systemd-resolved"] {
        std::fs::copy("/bin/sleep", host.folder.join(name)).unwrap();
        start(&host, &format!("{}/{name} 4321", host.folder.display()));
    }
    assert_eq!(letters(&host, "4321", 4), "rrrr");

    // The command, its supervisors and process 1 say `ready` or `SSM` somewhere, too; so does nobody else.
    for named in
        [[("CommandLine", "4321")], [("Process", "sshd")], [("Process", "amazon-ssm-agent")], [("Process", "sh")]]
    {
        host.order(&pause(UNIT, &named).anew()).must_be("refused", "no-match");
    }

    // What an order runs is the agent's.
    std::fs::copy("/bin/bash", host.folder.join("ssm-document-worker")).unwrap();
    start(&host, &format!("{}/ssm-document-worker -c 'sleep 5432; :'", host.folder.display()));
    assert_eq!(letters(&host, "sleep 5432", 2), "rr");
    host.order(&pause(UNIT, &[("CommandLine", "sleep 5432")]).anew()).must_be("refused", "no-match");
    assert_eq!(letters(&host, "sleep 5432", 2), "rr");
}

fn nobody() {
    let host = Sandbox::new();

    host.order(&pause(UNIT, &[]).anew()).must_be("refused", "nobody-named");
    host.order(&Order::new("process-kill", UNIT).anew()).must_be("refused", "nobody-named");
}

/// A program that ends when `/run/drained` is there, once it was asked to.
const DRAINS: &str = "#!/bin/bash\ntrap 'until test -e /run/drained; do read -r -t 0.1 <&3; done; exit 0' TERM\n\
    exec 3<> <(:)\necho >/run/serves; while :; do read -r -t 1 <&3; done\n";

fn drains() {
    let host = Sandbox::new();
    let before = host.state();
    host.install("slow-to-drain", DRAINS);
    start(&host, &format!("{}/bin/slow-to-drain", host.folder.display()));
    assert!(clock::eventually(SOON, || host.holds("test -e /run/serves")));
    let kill = Order::new("process-kill", UNIT).with("Process", "slow-to-drain").with("Signal", "TERM");

    let answer = host.order(&kill);

    answer.must_be("landed", "unseen");
    let line = answer.line.as_ref().unwrap();
    assert_eq!(line["evidence"], serde_json::json!({ "matched": 1, "gone": 0, "remaining": 1 }), "{answer:?}");
    host.order(&kill).must_be("already", "unseen");
    // It is looked at for as long as the fault lasts.
    assert!(host.holds("touch /run/drained"));
    let mut last = None;
    assert!(clock::eventually(PATIENCE, || {
        let answer = host.order(&kill);
        let seen = answer.must_be("already", answer.reason()).reason().is_empty();
        last = Some(answer);
        seen
    }));
    assert_eq!(last.unwrap().line.unwrap()["evidence"]["gone"], 1);
    revert(&host, UNIT);
    host.must_become(&before, SOON);
}

fn ignored() {
    let host = Sandbox::new();
    let stubborn = program(&host, "stubborn").replace("exec 3", "trap \"\" TERM; exec 3");
    start(&host, &stubborn);
    assert_eq!(letters(&host, "stubborn", 1), "r");
    let before = host.state();
    let order = Order::new("process-kill", UNIT).with("Process", "stubborn").with("Signal", "TERM");

    host.order(&order).must_be("landed", "unseen");

    revert(&host, UNIT);
    assert_eq!(letters(&host, "stubborn", 1), "r");
    host.must_become(&before, SOON);
}
