//! Where packets really go: past a container's bridge, through a published port, by IPv6, to a name server. A fault
//! meets what it names, or is refused; and it never cuts off whoever puts it back.

use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::dark;
use crate::clock;
use crate::order::{Answer, Order};
use crate::sandbox::{HOST, PEER, Sandbox};
use crate::trial;

const SOON: Duration = Duration::from_secs(20);
const UNIT: &str = "00000000000000a1";
const OTHER: &str = "00000000000000b2";
const PEER_6: &str = "fd77::2";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("reach::a_container_behind_a_bridge_does_not_reach_the_peer", container),
        trial("reach::a_published_port_is_dark_from_outside_and_only_that", published),
        trial("reach::an_address_that_stands_for_another_is_met_where_it_is_dialled", rewritten),
        trial("reach::where_nothing_is_tracked_no_rule_starts_it", untracked),
        trial("reach::a_family_without_a_table_is_refused", no_table),
        trial("reach::an_ipv6_network_goes_dark_and_ipv4_does_not", ipv6),
        trial("reach::a_thousandth_is_a_loss", thousandth),
        trial("reach::packets_that_met_the_rules_are_counted", counted),
        trial("reach::the_agent_resolves_and_calls_home_under_every_fault", agent),
        trial("reach::what_keeps_the_host_reachable_cannot_be_named", protected),
        trial("reach::interfaces_have_the_names_that_the_kernel_gives", interfaces),
    ]
}

/// A container behind a bridge of the host: `box`, which is 172.31.0.2 and fd31::2, and speaks through the host.
pub fn with_container() -> Sandbox {
    let host = with_ipv6();
    let made = host.shell(
        "set -e
        ip netns add box
        ip link add docker0 type bridge
        ip addr add 172.31.0.1/24 dev docker0
        ip addr add fd31::1/64 dev docker0 nodad
        ip link set docker0 up
        ip link add port0 type veth peer name eth0 netns box
        ip link set port0 master docker0 up
        ip -n box addr add 172.31.0.2/24 dev eth0
        ip -n box addr add fd31::2/64 dev eth0 nodad
        ip -n box link set eth0 up
        ip -n box link set lo up
        ip -n box route add default via 172.31.0.1
        ip -n box -6 route add default via fd31::1
        ip -n peer route add default via 10.77.0.1
        ip -n peer -6 route add default via fd77::1
        echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
        iptables -t nat -A POSTROUTING -s 172.31.0.0/24 ! -o docker0 -j MASQUERADE
        iptables -t nat -A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to 172.31.0.2:80
        iptables -I FORWARD -d 203.0.113.1 -j DROP
        ip6tables -I FORWARD -d 2001:db8::9 -j DROP",
    );
    assert!(made.status.success(), "{made:?}");
    assert!(clock::eventually(SOON, || !dark(&host, BOX, PEER, 5432)));
    host
}

/// How something is called from the container.
pub const BOX: &str = "ip netns exec box";
/// And from the peer.
const AWAY: &str = "ip netns exec peer";

/// A host that also has a global IPv6 address.
pub fn with_ipv6() -> Sandbox {
    let host = Sandbox::new();
    assert!(host.holds(
        "ip addr add fd77::1/64 dev eth0 nodad && ip -n peer addr add fd77::2/64 dev eth0 nodad &&
        ip6tables -A OUTPUT -d 2001:db8::1 -j DROP && iptables -A OUTPUT -d 192.0.2.1 -j DROP"
    ));
    assert!(clock::eventually(SOON, || host.holds("ping -6 -c 1 -W 1 fd77::2")));
    host
}

pub fn blackhole(unit: &str, direction: &str, protocol: &str, port: &str, to: &str) -> Order {
    let order = Order::new("network-blackhole", unit).with("Direction", direction).with("Protocol", protocol);
    order.with("Port", port).with("To", to)
}

fn loss(unit: &str, direction: &str, percent: &str, to: &str) -> Order {
    Order::new("network-loss", unit).with("Percent", percent).with("Direction", direction).with("To", to)
}

pub fn revert(host: &Sandbox, unit: &str) {
    host.order(&Order::new("revert", unit)).must_be("reverted", "");
}

fn container() {
    let host = with_container();
    let before = host.state();

    host.order(&blackhole(UNIT, "egress", "tcp", "5432", &format!("{PEER}/32,{PEER_6}/128"))).must_be("landed", "");

    for from in ["", BOX] {
        for address in [PEER, PEER_6] {
            assert!(dark(&host, from, address, 5432), "{from} {address}");
            assert!(!dark(&host, from, address, 5433), "{from} {address}");
        }
    }
    revert(&host, UNIT);
    assert!(!dark(&host, BOX, PEER, 5432));
    assert!(!dark(&host, BOX, PEER_6, 5432));
    host.must_become(&before, SOON);

    // Everybody's packets, and the port is not named: nothing of it passes.
    host.order(&loss(OTHER, "egress", "100", &format!("{PEER}/32"))).must_be("landed", "");
    assert!(!host.holds(&format!("{BOX} ping -c 1 -W 2 {PEER}")));
    revert(&host, OTHER);
    host.must_become(&before, SOON);
}

fn published() {
    let host = with_container();
    let before = host.state();
    assert!(!dark(&host, AWAY, HOST, 8080));

    host.order(&blackhole(UNIT, "ingress", "tcp", "8080", "any")).must_be("landed", "");

    assert!(dark(&host, AWAY, HOST, 8080), "the packets come in by 8080 and go on to port 80 of the container");
    assert!(!dark(&host, AWAY, HOST, 8081));
    assert!(!dark(&host, BOX, PEER, 8080), "what the container sends does not arrive here from outside");
    revert(&host, UNIT);
    assert!(!dark(&host, AWAY, HOST, 8080));

    // And the other way: port 80 of others is dark, and customers still reach port 80 of the container.
    host.order(&blackhole(OTHER, "egress", "tcp", "80", "any")).must_be("landed", "");
    assert!(dark(&host, BOX, PEER, 80));
    assert!(!dark(&host, AWAY, HOST, 8080));
    revert(&host, OTHER);
    host.must_become(&before, SOON);
}

fn rewritten() {
    let host = with_container();
    let made = host.shell(
        "ip route add 10.96.0.0/16 dev eth0 && ip -n peer addr add 10.96.0.10/32 dev lo &&
        for chain in OUTPUT PREROUTING; do
          iptables -t nat -A $chain -d 10.96.0.10 -p tcp --dport 5432 -j DNAT --to 10.77.0.2:6432 || exit 1
        done",
    );
    assert!(made.status.success(), "{made:?}");

    host.order(&blackhole(UNIT, "egress", "tcp", "5432", "10.96.0.10/32")).must_be("landed", "");

    for from in ["", BOX] {
        assert!(dark(&host, from, "10.96.0.10", 5432), "{from}");
        assert!(!dark(&host, from, PEER, 6432), "{from}: whoever dials the other address is not meant");
    }
    revert(&host, UNIT);

    host.order(&blackhole(OTHER, "egress", "tcp", "6432", &format!("{PEER}/32"))).must_be("landed", "");
    assert!(dark(&host, BOX, "10.96.0.10", 5432), "the packets go to that peer's port, whatever was dialled");
}

fn untracked() {
    let host = Sandbox::new();
    let tracked = "cat /proc/sys/net/netfilter/nf_conntrack_count";
    assert_eq!(host.text(tracked).trim(), "0");

    host.order(&blackhole(UNIT, "egress", "tcp", "5432", "any")).must_be("landed", "");

    assert!(!host.text("iptables -S").contains("conntrack"));
    assert!(!dark(&host, "", PEER, 80));
    assert_eq!(host.text(tracked).trim(), "0");
}

fn no_table() {
    let host = with_ipv6();
    let before = host.state();
    let hosts = host.folder.join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{PEER} db.ring\n{PEER_6} db.ring\n{PEER} old.ring\n"))
        .unwrap();
    assert!(host.holds(&format!("mount --bind {} /etc/hosts", hosts.display())));
    host.install("ip6tables", "#!/bin/sh\necho 'Table does not exist' >&2\nexit 3\n");
    let named = |unit, name| blackhole(unit, "egress", "tcp", "5432", "any").with("Name", name);

    for order in [
        named(UNIT, "db.ring"),
        blackhole(UNIT, "egress", "tcp", "5432", "any"),
        blackhole(UNIT, "egress", "tcp", "5432", "fd77::/64"),
        loss(UNIT, "egress", "90", "any"),
    ] {
        host.order(&order.anew()).must_be("refused", "no-ip6tables");
    }

    host.must_become(&before, SOON);
    // Peers that are reached by the other family only are none of its business.
    host.order(&named(UNIT, "old.ring")).must_be("landed", "");
    assert!(dark(&host, "", PEER, 5432));
    revert(&host, UNIT);
    host.order(&blackhole(OTHER, "egress", "tcp", "5432", "10.77.0.0/24")).must_be("landed", "");
}

fn ipv6() {
    let host = with_ipv6();
    let before = host.state();

    host.order(&blackhole(UNIT, "egress", "all", "0", "fd77::/64")).must_be("landed", "");

    assert!(dark(&host, "", PEER_6, 5432));
    assert!(!dark(&host, "", PEER, 5432));
    revert(&host, UNIT);
    host.order(&loss(OTHER, "ingress", "100", &format!("{PEER_6}/128"))).must_be("landed", "");
    assert!(dark(&host, "", PEER_6, 5432));
    revert(&host, OTHER);
    host.must_become(&before, SOON);
    for wide in ["::/0", "2000::/3", "10.77.0.0/24,fd00::/8"] {
        host.order(&loss("00000000000000c3", "egress", "100", wide).anew()).must_be("refused", "too-wide");
    }
}

fn thousandth() {
    let host = Sandbox::new();

    host.order(&loss(UNIT, "egress", "0.1", "any")).must_be("landed", "");

    // The kernel keeps 31 bits of it.
    let rules = host.text("iptables -S");
    assert!(rules.contains("--probability 0.0010000"), "{rules}");
}

/// What the unit's rules have met, by the document's own words.
fn met(host: &Sandbox, document: &str, unit: &str) -> u64 {
    let script = drill_documents::document(document).unwrap().script.replace("main \"$@\"", "");
    let asked = host.folder.join("counters.sh");
    std::fs::write(&asked, format!("{script}\nname_unit {unit}\nfault_counters >&3\n")).unwrap();
    let said = host.text(&format!("sh {}", asked.display()));
    let line: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    line["packets"].as_u64().unwrap()
}

fn counted() {
    let host = with_ipv6();
    for order in [
        blackhole(UNIT, "egress", "tcp", "5432", &format!("{PEER}/32,{PEER_6}/128")),
        loss(OTHER, "egress", "50", "10.77.0.0/24"),
    ] {
        let unit = order.values["Unit"].clone();
        let answer = host.order(&order);
        answer.must_be("landed", "");
        assert_eq!(answer.line.as_ref().unwrap()["evidence"]["met"]["packets"], 0, "{answer:?}");
        assert_eq!(met(&host, order.document, &unit), 0, "nobody has met it");

        // Others, and those that are spared, do not count.
        assert!(!dark(&host, "", PEER_6, 80));
        let sent = if unit == UNIT {
            assert!(dark(&host, "", PEER_6, 5432));
            1
        } else {
            host.shell(&format!("ping -c 5 -i 0.01 -W 1 {PEER}"));
            5
        };

        assert!(met(&host, order.document, &unit) >= sent);
        revert(&host, &unit);
    }
}

/// A name server on the peer that knows one address for every name, and what answers at that address.
const HOME: &str = include_str!("reach/home.pl");

/// The agent: it keeps a connection to its proxy, and calls home by name. Each round is a word in /run/calls.
const AGENT: &str = include_str!("reach/agent.sh");

/// A host with the agent on it, which calls home.
pub fn with_agent() -> Sandbox {
    let host = with_ipv6();
    for (name, text) in [("home.pl", HOME), ("agent.sh", AGENT)] {
        std::fs::write(host.folder.join(name), text).unwrap();
    }
    std::fs::copy("/bin/bash", host.folder.join("amazon-ssm-agent")).unwrap();
    let folder = host.folder.display();
    assert!(host.holds(&format!(
        "for last in 3 4 5; do ip -n peer addr add 10.77.0.$last/32 dev eth0; done
        echo 10.77.0.3 >/run/home-is
        rm -f /etc/resolv.conf; echo nameserver 10.77.0.2 >/etc/resolv.conf
        setsid ip netns exec peer perl {folder}/home.pl </dev/null >/run/home 2>&1 &
        while ! timeout 1 bash -c '</dev/tcp/10.77.0.4/3128'; do :; done
        setsid {folder}/amazon-ssm-agent {folder}/agent.sh </dev/null >/run/agent 2>&1 &"
    )));
    let said = || host.text("cat /run/home /run/agent");
    assert!(clock::eventually(SOON, || rounds(&host).len() > 1), "{}", said());
    assert!(rounds(&host).iter().all(|word| word == "good"), "{:?} {}", rounds(&host), said());
    host
}

/// What the agent said of each of its calls.
pub fn rounds(host: &Sandbox) -> Vec<String> {
    host.text("cat /run/calls").lines().map(str::to_owned).collect()
}

fn agent() {
    let host = with_agent();

    let wide = "10.0.0.0/8";
    for (index, order) in [
        blackhole(UNIT, "egress", "all", "0", wide),
        blackhole(UNIT, "ingress", "all", "0", wide),
        blackhole(UNIT, "egress", "tcp", "443", "any"),
        blackhole(UNIT, "egress", "udp", "53", "any"),
        loss(UNIT, "egress", "100", wide),
        loss(UNIT, "ingress", "100", wide),
        loss(UNIT, "egress", "90", "any"),
        loss(UNIT, "ingress", "90", "any"),
    ]
    .into_iter()
    .enumerate()
    {
        let unit = format!("{:016x}", 0xa0 + index);
        let order = order.with("Unit", &unit).with("NotAfter", (clock::now() + 60).to_string());
        let child = host.start_with(&order, &[("AWS_SSM_REGION_NAME", "eu-west-1")], Stdio::piped);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer::read(output.status.code(), &text(output.stdout), &text(output.stderr)).must_be("landed", "");
        let during = rounds(&host).len();

        assert!(clock::eventually(SOON, || rounds(&host).len() > during + 4));
        let said = rounds(&host).split_off(during);
        assert!(said.iter().all(|word| word == "good"), "{:?}: {said:?}\n{}", order.values, host.text("iptables -nvL"));
        if order.values["To"] == wide {
            assert!(dark(&host, "", PEER, 5432));
        }
        revert(&host, &unit);
    }
}

fn protected() {
    let host = with_ipv6();
    assert!(host.holds("rm -f /etc/resolv.conf; echo nameserver 10.77.0.2 >/etc/resolv.conf"));
    let before = host.state();

    for order in [
        blackhole(UNIT, "egress", "all", "0", "10.77.0.2/32"),
        blackhole(UNIT, "egress", "udp", "53", "10.77.0.2/32"),
        blackhole(UNIT, "egress", "tcp", "80", "169.254.169.254/32"),
        blackhole(UNIT, "egress", "all", "0", "fd00:ec2::254/128"),
        blackhole(UNIT, "egress", "udp", "123", "any"),
        blackhole(UNIT, "ingress", "all", "67", "any"),
        loss(UNIT, "egress", "50", "10.77.0.2/32"),
    ] {
        host.order(&order.anew()).must_be("refused", "protected");
    }

    assert_eq!(host.state(), before);
    // A resolver on this host asks whom it likes, whatever another one's file says.
    assert!(host.holds(
        "echo nameserver 127.0.0.1 >/etc/resolv.conf; mkdir -p /run/systemd/resolve; \
         echo nameserver 10.77.0.2 >/run/systemd/resolve/resolv.conf"
    ));
    host.order(&blackhole(UNIT, "egress", "udp", "53", "any").anew()).must_be("refused", "protected");
    // Another port of the same machine is a dependency like any other.
    host.order(&blackhole(UNIT, "egress", "tcp", "5432", "10.77.0.2/32")).must_be("landed", "");
    assert!(dark(&host, "", PEER, 5432));
}

fn interfaces() {
    let host = Sandbox::new();
    let made = host.shell(
        "set -e
        ip link add enX0 type veth peer name other
        ip link add br-1a2b3c type bridge
        ip link add eth0.100 type veth peer name other.100
        for interface in enX0 br-1a2b3c eth0.100; do ip link set $interface up; done
        ip addr add 10.88.0.1/24 dev enX0",
    );
    assert!(made.status.success(), "{made:?}");
    let late = |interface: &str, to: &str| {
        Order::new("network-latency", UNIT).with("DelayMs", "100").with("Interface", interface).with("To", to)
    };
    let netem = host.order(&Order::new("probe", "-")).noise.contains("netem");

    for interface in ["enX0", "br-1a2b3c", "eth0.100"] {
        let order = late(interface, "any").anew();
        let answer = host.order(&order);
        if netem {
            answer.must_be("landed", "");
            revert(&host, &order.values["Unit"]);
        } else {
            answer.must_be("refused", "no-netem");
        }
    }

    host.order(&late("enX1", "any").anew()).must_be("refused", "no-interface");
    // The interface is where the peers are, or the fault would meet nobody.
    host.order(&late("enX0", "10.77.0.2/32").anew()).must_be("refused", "other-interface");
    host.order(&late("default", "10.99.0.0/24").anew()).must_be("refused", "no-route");
}
