//! What moves while a fault lasts: rules that somebody puts above it or changes, names and endpoints with new addresses.
//! And what passes by this host's rules: it is refused, since a fault would not meet it.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::dark;
use crate::clock;
use crate::order::Order;
use crate::reach::{BOX, blackhole, revert, rounds, with_agent, with_container, with_ipv6};
use crate::sandbox::{PEER, Sandbox};
use crate::trial;

const SOON: Duration = Duration::from_secs(20);
const UNIT: &str = "00000000000000a1";
const OTHER: &str = "00000000000000b2";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("moves::a_rule_above_that_lets_packets_pass_is_an_end_and_told", rule_above),
        trial("moves::a_rule_above_that_lets_nothing_pass_is_none", harmless_above),
        trial("moves::a_rule_put_into_our_chain_is_an_end_and_told", rule_inside),
        trial("moves::a_name_that_moves_is_followed", name),
        trial("moves::an_endpoint_of_the_agent_that_moves_is_spared", endpoint),
        trial("moves::a_container_with_a_way_out_of_its_own_is_refused", macvlan),
        trial("moves::containers_whose_bridge_passes_the_rules_by_are_refused", bridged),
        trial("moves::a_host_that_had_no_table_has_none_after", tables),
    ]
}

/// The fault ends within a moment of `script`, and tells when.
fn ended_by(host: &Sandbox, script: &str) {
    host.order(&blackhole(UNIT, "egress", "tcp", "5432", &format!("{PEER}/32"))).must_be("landed", "");
    assert!(dark(host, "", PEER, 5432));

    let at = clock::now();
    assert!(host.holds(script));

    assert!(!dark(host, "", PEER, 5432));
    assert!(clock::eventually(SOON, || host.units().is_empty()), "nobody noticed");
    let answer = host.order(&Order::new("revert", UNIT));
    answer.must_be("absent", "ended-early");
    let line = answer.line.as_ref().unwrap();
    assert!(line["ended_at"].as_u64().unwrap().abs_diff(at) <= 5, "{line}, ended at {at}");
}

fn rule_above() {
    let host = with_ipv6();
    ended_by(&host, "iptables -I OUTPUT -p tcp -j ACCEPT");

    let host = with_ipv6();
    ended_by(&host, "iptables -N THEIRS && iptables -A THEIRS -p tcp -j ACCEPT && iptables -I OUTPUT -j THEIRS");
}

fn harmless_above() {
    let host = with_ipv6();
    host.order(&blackhole(UNIT, "egress", "tcp", "5432", &format!("{PEER}/32"))).must_be("landed", "");

    assert!(host.holds(
        "iptables -N THEIRS && iptables -A THEIRS -j RETURN && iptables -I OUTPUT -j THEIRS && \
         iptables -I OUTPUT -d 192.0.2.9 -j DROP && iptables -I OUTPUT"
    ));
    host.order(&blackhole(OTHER, "egress", "tcp", "5433", "any")).must_be("landed", "");

    for unit in [UNIT, OTHER] {
        let answer = host.order(&Order::new("probe", unit));
        assert_eq!(answer.line.as_ref().unwrap()["holds"], true, "{answer:?}");
    }
    revert(&host, OTHER);
    revert(&host, UNIT);
}

fn rule_inside() {
    ended_by(&with_ipv6(), &format!("iptables -I SD-{UNIT} -j RETURN"));
}

fn name() {
    let host = with_ipv6();
    assert!(host.holds("ip -n peer addr add 10.77.0.12/32 dev eth0"));
    let hosts = host.folder.join("hosts");
    let moves_to = |addresses: &[&str]| {
        let lines: String = addresses.iter().map(|address| format!("{address} db.ring\n")).collect();
        std::fs::write(&hosts, format!("127.0.0.1 localhost\n{lines}")).unwrap();
    };
    moves_to(&[PEER, "fd77::2"]);
    assert!(host.holds(&format!("mount --bind {} /etc/hosts", hosts.display())));
    let order = blackhole(UNIT, "egress", "tcp", "5432", "any").with("Name", "db.ring");
    host.order(&order).must_be("landed", "");
    assert!(!dark(&host, "", "10.77.0.12", 5432));

    moves_to(&["10.77.0.12", "fd77::2"]);

    assert!(clock::eventually(SOON, || dark(&host, "", "10.77.0.12", 5432)), "the name is not followed");
    for at in ["10.77.0.12", PEER, "fd77::2"] {
        assert!(dark(&host, "", at, 5432), "{at}");
        assert!(!dark(&host, "", at, 5433), "{at}");
    }
    host.order(&order).must_be("already", "");
    revert(&host, UNIT);
    assert!(!dark(&host, "", "10.77.0.12", 5432));
}

fn endpoint() {
    let host = with_agent();
    let order = blackhole(UNIT, "egress", "tcp", "443", "any");
    let child = host.start_with(&order, &[("AWS_SSM_REGION_NAME", "eu-west-1")], std::process::Stdio::piped);
    assert!(child.wait_with_output().unwrap().status.success());

    // The name server gives another address from now on.
    host.write("run/home-is", "10.77.0.5");

    let good = |rounds: &[String]| rounds.len() >= 5 && rounds.iter().rev().take(5).all(|word| word == "good");
    assert!(clock::eventually(SOON, || host.text("cat /run/dialled").trim() == "10.77.0.5"), "it did not move");
    // Rounds from before it moved say nothing of the new address.
    let moved = rounds(&host).len();
    let follows = |rounds: &[String]| rounds.len() >= moved + 5 && good(rounds);
    assert!(clock::eventually(SOON, || follows(&rounds(&host))), "{:?}", rounds(&host));
    let during = rounds(&host).len();
    assert!(clock::eventually(SOON, || rounds(&host).len() > during + 10));
    assert!(rounds(&host)[during..].iter().all(|word| word == "good"), "{:?}", rounds(&host));
    assert!(dark(&host, "", PEER, 443));
    revert(&host, UNIT);
}

fn macvlan() {
    let host = with_ipv6();
    let made = host.shell(
        "set -e
        ip netns add box
        ip link add link eth0 name own0 type macvlan mode bridge
        ip link set own0 netns box
        ip -n box addr add 10.77.0.9/24 dev own0
        ip -n box link set own0 up
        ip netns exec box setsid sleep 1000 </dev/null >/dev/null 2>&1 &",
    );
    assert!(made.status.success(), "{made:?}");
    assert!(clock::eventually(SOON, || host.holds("test -n \"$(ip netns pids box)\"")));
    let before = host.state();

    let answer = host.order(&blackhole(UNIT, "egress", "tcp", "5432", &format!("{PEER}/32")));

    answer.must_be("refused", "bypassed");
    assert!(answer.noise.contains("own0"), "{answer:?}");
    host.must_become(&before, SOON);
}

fn bridged() {
    let host = with_container();
    let made = host.shell(
        "set -e
        ip netns add two
        ip link add port1 type veth peer name eth0 netns two
        ip link set port1 master docker0 up
        ip -n two addr add 172.31.0.3/24 dev eth0
        ip -n two link set eth0 up",
    );
    assert!(made.status.success(), "{made:?}");
    let order = |unit| blackhole(unit, "egress", "tcp", "5432", "172.31.0.3/32");
    assert!(!dark(&host, BOX, "172.31.0.3", 5432));
    // Where the kernel has no such switch, nothing that is bridged passes the rules.
    if host.holds("echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables") {
        host.order(&order(UNIT)).must_be("landed", "");
        assert!(dark(&host, BOX, "172.31.0.3", 5432));
        revert(&host, UNIT);
        assert!(host.holds("echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables"));
    }

    host.order(&order(OTHER)).must_be("refused", "bypassed");
}

fn tables() {
    let host = Sandbox::new();
    assert!(host.holds("nft flush ruleset"));

    host.order(&blackhole(UNIT, "egress", "tcp", "5432", "any")).must_be("landed", "");
    assert!(host.text("nft list tables").contains("filter"));
    revert(&host, UNIT);
    assert_eq!(host.text("nft list tables"), "");

    // What somebody else put into the table meanwhile keeps it.
    host.order(&blackhole(OTHER, "egress", "tcp", "5432", "any")).must_be("landed", "");
    assert!(host.holds("iptables -A OUTPUT -d 192.0.2.1 -j DROP"));
    revert(&host, OTHER);
    assert!(host.text("iptables -S").contains("192.0.2.1"));
}
