//! What a document refuses before it touches anything, and what repeating it does.

use libtest_mimic::Trial;

use crate::cases::{FAULTS, case};
use crate::clock;
use crate::order::{self, Order};
use crate::sandbox::Sandbox;
use crate::trial;

const UNIT: &str = "00000000000000a1";
const LATE: &str = "00000000000000e1";
const PASSED: &str = "00000000000000e2";

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = FAULTS
        .iter()
        .map(|fault| trial(format!("guard::{fault}_refuses_late_and_repeats_safely"), || guarded(fault)))
        .collect();
    trials.extend([
        trial("guard::each_variable_is_needed_by_each_document", variables_are_needed),
        trial("guard::a_revert_of_what_never_started_bars_it_for_ever", revert_first),
        trial("guard::two_starts_at_once_are_one_fault", two_starts),
        trial("guard::an_agent_without_its_tools_is_refused", tools_are_needed),
        trial("guard::too_wide_a_network_is_refused", too_wide),
    ]);
    trials
}

fn guarded(fault: &'static str) {
    let case = case(fault);
    let before = case.host.state();
    let order = || case.order(UNIT);

    let late = case.order(LATE).with("NotAfter", (clock::now() - 1).to_string());
    case.host.order(&late).must_be("refused", "too-late");
    // What was refused once is not there, and never will be.
    case.host.order(&case.order(LATE)).must_be("refused", "tombstone");
    let passed = case.order(PASSED).with("Deadline", (clock::now() - 60).to_string());
    case.host.order(&passed).must_be("refused", "deadline-passed");
    assert_eq!(case.host.state(), before);

    case.host.order(&order()).must_be("landed", "");
    let during = case.host.state();
    // However late a copy is, and whatever the clock: what is there is the answer.
    for copy in [
        order(),
        order().with("NotAfter", (clock::now() - 1).to_string()),
        order().with("Deadline", (clock::now() - 3600).to_string()),
    ] {
        let answer = case.host.order(&copy);
        answer.must_be("already", "");
        let line = answer.line.as_ref().unwrap();
        let at = |name: &str| line[name].as_u64().unwrap();
        assert!(at("since") <= at("time") && at("time") < at("until") && line["holds"] == true, "{line}");
    }
    case.host.order(&order().with("Run", "another-run")).must_be("residue", "other-order");
    assert_eq!(case.host.state(), during);
    case.must_be_harmed();

    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    case.must_be_whole();
}

fn variables_are_needed() {
    let host = Sandbox::new();
    let before = host.state();
    for document in drill_documents::documents() {
        for absent in &document.parameters {
            let mut order = order::valid(document, UNIT);
            order.values.remove(&absent.name);

            host.order(&order.forced()).must_be("refused", "no-env-var");
        }
    }
    assert_eq!(host.state(), before);
}

fn revert_first() {
    let host = Sandbox::new();
    host.victims("api");

    host.order(&Order::new("revert", UNIT)).must_be("absent", "never-started");

    host.order(&Order::new("process-pause", UNIT).with("Process", "api")).must_be("refused", "tombstone");
    assert_eq!(host.states("api"), "SS");
    host.order(&Order::new("revert", UNIT)).must_be("absent", "revert");
}

fn two_starts() {
    let host = Sandbox::new();
    let before = host.state();
    let order = Order::new("network-blackhole", UNIT).with("Direction", "egress").with("Protocol", "tcp");
    let order = order.with("Port", "5432").with("To", "any");

    let children: Vec<_> = (0..4).map(|_| host.start(&order)).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();

    let said: Vec<_> = outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).collect();
    assert!(said.iter().any(|said| said.contains("\"landed\"")), "{said:?}");
    for said in &said {
        assert!(said.contains("\"landed\"") || said.contains("\"already\""), "{said}");
    }
    assert_eq!(host.text("iptables -S OUTPUT | grep -c stormdrill").trim(), "1");
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    host.must_become(&before, std::time::Duration::from_secs(20));
}

fn tools_are_needed() {
    let host = Sandbox::new();
    let before = host.state();
    host.install("iptables", "#!/bin/sh\nexit 3\n");

    let order = Order::new("network-loss", UNIT).with("Percent", "10").with("Direction", "egress").with("To", "any");
    host.order(&order).must_be("refused", "no-iptables");

    assert_eq!(host.state(), before);
}

fn too_wide() {
    let host = Sandbox::new();
    let before = host.state();
    let loss = |unit: &str, to: &str| {
        Order::new("network-loss", unit).with("Percent", "100").with("Direction", "egress").with("To", to)
    };
    let dark = |unit: &str, to: &str| {
        let order = Order::new("network-blackhole", unit).with("Direction", "ingress").with("Protocol", "all");
        order.with("Port", "0").with("To", to)
    };

    for (index, to) in ["any", "0.0.0.0/0", "10.0.0.0/8,0.0.0.0/1"].into_iter().enumerate() {
        host.order(&loss(&format!("{:016x}", 2 * index), to)).must_be("refused", "too-wide");
        host.order(&dark(&format!("{:016x}", 2 * index + 1), to)).must_be("refused", "too-wide");
    }

    assert_eq!(host.state(), before);
}
