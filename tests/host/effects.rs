//! What each fault does, seen from outside; that it ends; that what was there before is there again.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{self, Case, FAULTS, case, dark};
use crate::order::Order;
use crate::sandbox::{HOST, PEER, Sandbox};
use crate::trial;

const SOON: Duration = Duration::from_secs(20);
const UNIT: &str = "00000000000000a1";
const OTHER: &str = "00000000000000b2";

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = FAULTS
        .iter()
        .map(|fault| trial(format!("effect::{fault}_is_felt_and_taken_back"), || felt(&case(fault))))
        .collect();
    trials.extend([
        trial("effect::latency_is_refused_where_the_kernel_has_no_netem", latency_is_refused),
        trial("effect::kill_spares_a_longer_name_and_the_shell_that_asks", kill_is_exact),
        trial("effect::pause_leaves_alone_what_stood_still_before", already_paused),
        trial("effect::blackhole_of_arriving_packets_spares_the_other_ports", ingress),
        trial("effect::blackhole_of_a_name_takes_its_addresses_of_now", by_name),
        trial("effect::half_the_loss_is_between_none_and_all", half_loss),
        trial("effect::spared_networks_are_spared", spared),
        trial("effect::two_faults_on_one_host_do_not_disarm_each_other", two_faults),
        trial("effect::a_full_disk_is_not_filled_further", full_disk),
        trial("effect::a_filled_disk_is_free_again_while_somebody_reads_the_file", file_held_open),
        trial("effect::a_volume_is_filled_by_its_mount_point", volume),
        trial("effect::the_probe_says_what_is_alive_and_changes_nothing", probe),
    ]);
    trials
}

/// A fault lands and is felt, is reverted, twice, and does not start again.
pub fn felt(case: &Case) {
    let before = case.host.state();
    case.must_be_whole();

    let landed = case.host.order(&case.order(UNIT));
    landed.must_be("landed", "");
    assert!(landed.line.as_ref().unwrap()["evidence"].is_object(), "{landed:?}");
    assert!(landed.line.as_ref().unwrap()["saved"].is_object(), "{landed:?}");
    case.must_be_harmed();

    let reverted = case.host.order(&Order::new("revert", UNIT));
    reverted.must_be("reverted", "");
    case.must_be_whole();
    if case.reversible {
        case.host.must_become(&before, SOON);
    }

    case.host.order(&Order::new("revert", UNIT)).must_be("absent", "revert");
    case.host.order(&case.order(UNIT)).must_be("refused", "tombstone");
    case.must_be_whole();
}

fn latency_is_refused() {
    let host = Sandbox::new();
    let before = host.state();
    let order = Order::new("network-latency", UNIT).with("DelayMs", "100").with("To", "any");

    let answer = host.order(&order);

    // A kernel that can delay packets would land it; the microVM is where that is tried for certain.
    if host.order(&Order::new("probe", "-")).noise.contains("netem") {
        answer.must_be("landed", "");
        host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    } else {
        answer.must_be("refused", "no-netem");
    }
    host.must_become(&before, SOON);
}

fn kill_is_exact() {
    let host = Sandbox::new();
    host.victims("api");
    host.victims("api-two");
    host.victims("an-api-with-a-long-name");
    let kill = |unit: &str, name: &str| Order::new("process-kill", unit).with("Process", name).with("Signal", "KILL");

    host.order(&kill(UNIT, "api")).must_be("landed", "");
    assert_eq!((host.states("api").len(), host.states("api-two").len()), (0, 2));

    // The kernel keeps 15 characters of it: the whole name is found all the same, and the stump is not.
    host.order(&kill("00000000000000c3", "an-api-with-a-l")).must_be("refused", "no-match");
    assert_eq!(host.states("an-api-with-a-l").len(), 2);
    host.order(&kill(OTHER, "an-api-with-a-long-name")).must_be("landed", "");
    assert_eq!(host.states("an-api-with-a-l").len(), 0);

    // The command, its supervisors and process 1 are all called sh.
    host.order(&kill("00000000000000d4", "sh")).must_be("refused", "no-match");
}

fn already_paused() {
    let host = Sandbox::new();
    host.victims("api");
    let first = host.text("cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/ (api) .*//p' | head -n 1");
    assert!(host.holds(&format!("kill -STOP {first}")));
    let order = |unit| Order::new("process-pause", unit).with("Process", "api");

    host.order(&order(UNIT)).must_be("landed", "");
    assert_eq!(host.states("api"), "TT");
    host.order(&order(OTHER)).must_be("refused", "already-paused");
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    let after = host.states("api");
    assert!(after == "TS" || after == "ST", "the one that stood still before stands still again: {after}");
}

fn blackhole(unit: &str, direction: &str, protocol: &str, port: &str, to: &str) -> Order {
    let order = Order::new("network-blackhole", unit).with("Direction", direction).with("Protocol", protocol);
    order.with("Port", port).with("To", to)
}

fn ingress() {
    let host = Sandbox::new();
    let before = host.state();
    let from_peer = "ip netns exec peer";
    assert!(!dark(&host, from_peer, HOST, 8080));

    host.order(&blackhole(UNIT, "ingress", "all", "8080", "any")).must_be("landed", "");

    assert!(dark(&host, from_peer, HOST, 8080));
    assert!(!dark(&host, from_peer, HOST, 8081));
    assert!(!dark(&host, "", "127.0.0.1", 8080), "everybody does not mean oneself");
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    assert!(!dark(&host, from_peer, HOST, 8080));
    host.must_become(&before, SOON);
}

fn by_name() {
    let host = Sandbox::new();
    let hosts = host.folder.join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{PEER} db.ring.internal\n")).unwrap();
    assert!(host.holds(&format!("mount --bind {} /etc/hosts", hosts.display())));

    let named = |unit: &str, name: &str| blackhole(unit, "egress", "all", "0", "any").with("Name", name);
    let answer = host.order(&named(UNIT, "db.ring.internal"));

    answer.must_be("landed", "");
    assert_eq!(answer.line.as_ref().unwrap()["saved"]["peers"], format!("{PEER}/32"));
    assert!(dark(&host, "", PEER, 80));
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    assert!(!dark(&host, "", PEER, 80));
    host.order(&named(OTHER, "nobody.ring.internal")).must_be("refused", "no-address");
}

fn half_loss() {
    let host = Sandbox::new();
    let order = Order::new("network-loss", UNIT).with("Percent", "50").with("Direction", "egress").with("To", "any");

    host.order(&order).must_be("landed", "");

    // That all of 60 packets share one fate has a chance of 2 in 2^60.
    let said = host.text(&format!("ping -q -c 60 -i 0.002 -W 1 {PEER}"));
    let received: u32 =
        said.split(" received").next().and_then(|head| head.rsplit(' ').next()).unwrap().parse().unwrap();
    assert!((1..60).contains(&received), "{said}");
    assert!(host.holds("ping -c 3 -W 1 127.0.0.1"));
}

fn spared() {
    let host = Sandbox::new();
    assert!(host.holds("ip -n peer addr add 169.254.169.254/32 dev eth0 && ip route add 169.254.169.254/32 dev eth0"));
    assert!(host.holds("ip -n peer addr add 10.77.0.3/32 dev eth0"));
    let order = blackhole(UNIT, "egress", "all", "80", "any").with("Spare", "10.77.0.3/32");

    host.order(&order).must_be("landed", "");

    assert!(dark(&host, "", PEER, 80));
    assert!(!dark(&host, "", "10.77.0.3", 80));
    assert!(!dark(&host, "", "169.254.169.254", 80), "instance metadata is never touched");
}

fn two_faults() {
    let host = Sandbox::new();
    let before = host.state();
    host.order(&blackhole(UNIT, "egress", "tcp", "5432", "any")).must_be("landed", "");
    host.order(&blackhole(OTHER, "egress", "tcp", "6379", "any").for_seconds(8)).must_be("landed", "");

    // The second one's dead man takes back the second one.
    assert!(crate::clock::eventually(SOON, || !dark(&host, "", PEER, 6379)));
    assert!(dark(&host, "", PEER, 5432));
    // So does the revert of one that was refused.
    host.order(&blackhole("00000000000000c3", "egress", "all", "0", "any")).must_be("refused", "too-wide");
    host.order(&Order::new("revert", "00000000000000c3")).must_be("absent", "never-started");
    assert!(dark(&host, "", PEER, 5432));

    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    host.must_become(&before, SOON);
}

fn full_disk() {
    let host = Sandbox::new();
    assert!(host.holds("fallocate -l 100M /var/lib/stormdrill/somebody"));
    let fill = |unit: &str, percent: &str| Order::new("disk-fill", unit).with("Percent", percent);

    host.order(&fill("00000000000000c3", "40")).must_be("refused", "already-above");
    host.order(&fill("00000000000000d4", "97")).must_be("refused", "no-reserve");
    host.order(&fill(UNIT, "90")).must_be("landed", "");

    assert!(cases::disk_percent(&host) >= 90);
    // Somebody takes the reserve as well: the way back works on a disk that is full to the last byte.
    host.shell("cat /dev/zero >/var/lib/stormdrill/greedy");
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    assert!(
        host.holds("test -s /var/lib/stormdrill/tombstones/00000000000000a1"),
        "the tombstone is written after all"
    );
    assert!(host.holds("test -e /var/lib/stormdrill/somebody"));
}

fn file_held_open() {
    let case = case("disk-fill");
    case.host.order(&case.order(UNIT)).must_be("landed", "");
    let file = format!("/var/lib/stormdrill/units/{UNIT}/fill");
    assert!(case.host.holds(&format!("setsid sleep 1000 <{file} >/dev/null 2>&1 &")));
    let held = || case.host.holds(&format!("ls -l /proc/[0-9]*/fd | grep -q {file}"));
    assert!(crate::clock::eventually(SOON, held), "nobody holds the file");

    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    case.must_be_whole();
}

fn volume() {
    let host = Sandbox::new();
    assert!(host.holds("mkdir /run/data /run/bare && mount -t tmpfs -o size=150m data /run/data"));
    let before = host.state();
    let order = |unit: &str, volume: &str| Order::new("disk-fill", unit).with("Percent", "80").with("Volume", volume);
    let percent =
        |at: &str| host.text(&format!("df -Pk {at} | sed -n '2s/.* \\([0-9]*\\)%.*/\\1/p'")).trim().to_owned();

    let answer = host.order(&order(UNIT, "/run/data"));
    answer.must_be("landed", "");
    assert_eq!(answer.line.as_ref().unwrap()["evidence"]["file_system"], "/run/data");
    assert_eq!((percent("/run/data").as_str(), percent("/var/lib/stormdrill").as_str()), ("80", "1"));
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    assert_eq!(percent("/run/data"), "0");
    host.must_become(&before, SOON);

    // It is known by its name when nothing else is left of it.
    host.order(&order(OTHER, "/run/data")).must_be("landed", "");
    let folder = format!("/var/lib/stormdrill/units/{OTHER}");
    assert!(
        host.holds(&format!(
            "kill -9 $(cut -d: -f1 {folder}/watchdog) $(cut -d: -f1 {folder}/holder) && rm -rf {folder}"
        ))
    );
    assert_eq!(percent("/run/data"), "80");
    host.order(&Order::new("revert", OTHER)).must_be("reverted", "");
    assert_eq!(percent("/run/data"), "0");
    host.must_become(&before, SOON);

    // A volume that somebody takes away has our file on it: that is said until it is mounted again.
    let away = "00000000000000d4";
    host.order(&order(away, "/run/data")).must_be("landed", "");
    assert!(host.holds("mkdir /run/aside && mount --bind /run/data /run/aside && umount /run/data"));
    host.order(&Order::new("revert", away)).must_be("residue", "not-gone");
    assert!(host.holds("mount --bind /run/aside /run/data"));
    // Its own dead man may be quicker.
    let back = host.order(&Order::new("revert", away));
    assert!(["absent", "reverted"].contains(&back.outcome()), "{back:?}");
    assert_eq!(percent("/run/data"), "0");
    assert!(host.holds("umount /run/data && mount --move /run/aside /run/data"));

    host.order(&order(UNIT, "/run/bare").anew()).must_be("refused", "no-volume");
    host.order(&order(UNIT, "/proc").anew()).must_be("refused", "no-volume");
    host.order(&order(UNIT, "/run/data/deeper").anew()).must_be("refused", "no-volume");
    assert!(host.holds("ln -s /run/bare/theirs /run/data/.stormdrill-fill-00000000000000c3"));
    host.order(&order("00000000000000c3", "/run/data")).must_be("refused", "leftover");
    assert!(host.holds("mount -o remount,ro /run/data"));
    host.order(&order(UNIT, "/run/data").anew()).must_be("refused", "no-volume");
    assert!(!host.holds("test -e /run/bare/theirs"));
}

fn probe() {
    let host = Sandbox::new();
    host.victims("api");
    host.order(&Order::new("process-pause", UNIT).with("Process", "api")).must_be("landed", "");
    let before = host.state();

    let answer = host.order(&Order::new("probe", UNIT));

    answer.must_be("alive", "");
    let line = answer.line.as_ref().unwrap();
    assert_eq!((&line["unit"], &line["present"]), (&UNIT.into(), &true.into()));
    assert_eq!(line["units"], serde_json::json!([UNIT]));
    assert_eq!(
        (&line["interface"], &line["root_qdisc"], &line["supervision"]),
        (&"eth0".into(), &"default".into(), &"watchdog".into())
    );
    assert!(line["time"].as_u64().unwrap().abs_diff(crate::clock::now()) < 10);
    assert!(line["booted"].as_u64().unwrap() < line["time"].as_u64().unwrap());
    for capability in ["iptables", "stress-ng", "fallocate"] {
        assert!(line["capabilities"].as_array().unwrap().contains(&capability.into()), "{answer:?}");
    }
    assert_eq!(host.state(), before);
    let other = host.order(&Order::new("probe", OTHER));
    assert_eq!(other.line.as_ref().unwrap()["present"], false);
}
