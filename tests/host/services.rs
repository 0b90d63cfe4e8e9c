//! A service is stopped, and everything that its stop moved is back: the same units, run in the same way, or it is refused.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::case;
use crate::order::Order;
use crate::sandbox::Sandbox;
use crate::{clock, trial};

const UNIT: &str = "00000000000000a1";
const SOON: Duration = Duration::from_secs(20);
const GONE: Duration = Duration::from_secs(30);

/// Units by file, those to start, and the one that is stopped.
struct Set {
    name: &'static str,
    units: &'static [(&'static str, &'static str, &'static str)],
    started: &'static str,
    stopped: &'static str,
}

/// What a stop takes along, each in its own way. A unit is its name, its `[Unit]` lines and its own section.
const SETS: [Set; 8] = [
    Set {
        name: "requires_and_binds_to",
        units: &[
            ("db.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
            (
                "app.service",
                "Requires=db.service\nAfter=db.service",
                "[Service]\nRestart=always\nExecStart=/bin/sleep 1000",
            ),
            ("ui.service", "BindsTo=app.service\nAfter=app.service", "[Service]\nExecStart=/bin/sleep 1000"),
            ("off.service", "Requires=db.service", "[Service]\nExecStart=/bin/sleep 1000"),
        ],
        started: "db app ui",
        stopped: "db",
    },
    Set {
        name: "part_of_and_wants_what_is_off",
        units: &[
            ("db.service", "Wants=off.service", "[Service]\nExecStart=/bin/sleep 1000"),
            ("off.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
            ("agent.service", "PartOf=db.service", "[Service]\nWatchdogSec=300\nExecStart=/bin/sleep 1000"),
        ],
        started: "db agent; systemctl stop off",
        stopped: "db.service",
    },
    Set {
        name: "its_socket",
        units: &[
            ("db.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
            ("db.socket", "", "[Socket]\nListenStream=/run/db.sock"),
        ],
        started: "db.socket db.service",
        stopped: "db",
    },
    Set {
        name: "an_instance",
        units: &[
            ("db@.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
            ("app.service", "Requires=db@one.service", "[Service]\nExecStart=/bin/sleep 1000"),
        ],
        started: "db@one db@two app",
        stopped: "db@one",
    },
    Set {
        name: "an_alias",
        units: &[("db.service", "", "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nAlias=store.service")],
        started: "db; systemctl enable db",
        stopped: "store",
    },
    Set {
        name: "a_slow_stop",
        units: &[(
            "db.service",
            "",
            "[Service]\nTimeoutStopSec=3\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'",
        )],
        started: "db",
        stopped: "db",
    },
    Set {
        name: "and_ends_what_its_end_started",
        units: &[
            ("db.service", "OnSuccess=stand-in.service", "[Service]\nExecStart=/bin/sleep 1000"),
            ("stand-in.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
        ],
        started: "db",
        stopped: "db",
    },
    Set {
        name: "and_ends_what_its_failure_started",
        units: &[
            (
                "db.service",
                "OnFailure=stand-in.service",
                "[Service]\nExecStart=/bin/sh -c 'trap \"exit 143\" TERM; while :; do sleep 0.2; done'",
            ),
            ("stand-in.service", "", "[Service]\nExecStart=/bin/sleep 1000"),
        ],
        started: "db",
        stopped: "db",
    },
];

/// What is refused: why, units, what to start and do, and what is asked for.
const REFUSED: [(&str, &str, &str, &str); 19] = [
    ("not-startable", "", "systemctl start db; rm /etc/systemd/system/db.service; systemctl daemon-reload", "db"),
    ("not-startable", "", "systemctl start db; rm /etc/systemd/system/db.service", "db"),
    ("not-startable", "", "systemctl start db; ln -sf /dev/null /etc/systemd/system/db.service", "db"),
    ("not-startable", "RefuseManualStop=yes\n", "systemctl start db", "db"),
    ("not-startable", "", "systemd-run --quiet --unit=passing /bin/sleep 1000", "passing"),
    (
        "not-as-before",
        "",
        "systemctl start db; echo '#' >>/etc/systemd/system/db.service; touch -d +2min /etc/systemd/system/db.service",
        "db",
    ),
    (
        "takes-along",
        "RequiredBy=\n",
        "printf '[Unit]\\nDefaultDependencies=no\\nRequires=db.service\\n' >/etc/systemd/system/all.target; systemctl daemon-reload; systemctl start db all.target",
        "db",
    ),
    (
        "upheld",
        "",
        "printf '[Unit]\\nDefaultDependencies=no\\nUpholds=db.service\\n[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/up.service; systemctl daemon-reload; systemctl start up",
        "db",
    ),
    (
        "protected",
        "",
        "printf '[Unit]\\nDefaultDependencies=no\\nRequires=db.service\\n[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/amazon-ssm-agent.service; systemctl daemon-reload; systemctl start amazon-ssm-agent",
        "db",
    ),
    ("protected", "", "true", "sshd"),
    ("protected", "", "true", "systemd-resolved.service"),
    ("no-service", "", "true", "multi-user.target"),
    (
        "not-startable",
        "",
        "cp /bin/sleep /run/app; echo Type=exec >>/etc/systemd/system/db.service; sed -i s,/bin/sleep,/run/app, /etc/systemd/system/db.service; systemctl daemon-reload; systemctl start db; rm /run/app",
        "db",
    ),
    ("not-startable", "ConditionPathExists=/run/ready\n", "touch /run/ready; systemctl start db; rm /run/ready", "db"),
    (
        "not-startable",
        "",
        "touch /run/env; printf 'Type=exec\\nEnvironmentFile=/run/env\\n' >>/etc/systemd/system/db.service; systemctl daemon-reload; systemctl start db; rm /run/env",
        "db",
    ),
    (
        "not-startable",
        "",
        "mkdir /run/work; printf 'Type=exec\\nWorkingDirectory=/run/work\\n' >>/etc/systemd/system/db.service; systemctl daemon-reload; systemctl start db; rmdir /run/work",
        "db",
    ),
    (
        "not-startable",
        "",
        "printf '[Unit]\\nDefaultDependencies=no\\n[Socket]\\nAccept=yes\\nListenStream=/run/each\\n' >/etc/systemd/system/each.socket; \
         printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\nStandardInput=socket\\nExecStart=/bin/cat\\n' >/etc/systemd/system/each@.service; \
         systemctl daemon-reload; systemctl start each.socket; \
         setsid perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(q(/run/each)); sleep 1000' </dev/null >/dev/null 2>&1 & \
         until systemctl list-units --plain --no-legend 'each@*' | grep -q .; do sleep 0.1; done; \
         ln -s \"$(systemctl list-units --plain --no-legend 'each@*' | cut -d' ' -f1)\" /run/name",
        "",
    ),
    (
        "not-stopped",
        "",
        "echo KillMode=none >>/etc/systemd/system/db.service; systemctl daemon-reload; systemctl start db",
        "db",
    ),
    (
        "not-steady",
        "",
        "printf '[Unit]\\nDefaultDependencies=no\\nRequires=db.service\\nStartLimitIntervalSec=0\\n[Service]\\nRestart=always\\nRestartSec=2\\nExecStart=/bin/false\\n' >/etc/systemd/system/loop.service; systemctl daemon-reload; systemctl start db; systemctl start --no-block loop; until systemctl show --property=SubState loop | grep -q auto-restart; do :; done",
        "db",
    ),
];

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = SETS
        .iter()
        .map(|set| trial(format!("service::a_stop_brings_back_{}", set.name), move || brought_back(set)))
        .collect();
    for (number, (why, ..)) in REFUSED.iter().enumerate() {
        trials
            .push(trial(format!("service::{why}_is_refused_before_anything_stops_{number}"), move || refused(number)));
    }
    trials.push(trial("service::one_that_somebody_starts_again_has_ended_and_says_when", started_again));
    trials.push(trial("service::the_way_back_goes_on_until_it_succeeds", goes_on));
    trials
}

/// The trials that need no systemd.
pub fn plain_trials() -> Vec<Trial> {
    vec![trial("service::without_systemd_it_runs_again_as_it_ran", as_before)]
}

fn active(host: &Sandbox) -> String {
    let types = "service,socket,timer,path,target";
    let listed = format!("systemctl list-units --type={types} --state=active,activating --plain --no-legend");
    host.text(&format!("{listed} | cut -d' ' -f1 | grep -v stormdrill | sort"))
}

fn write(host: &Sandbox, name: &str, head: &str, body: &str) {
    let text = format!("[Unit]\nDefaultDependencies=no\n{head}\n{body}\n");
    host.write(&format!("etc/systemd/system/{name}"), &text);
}

fn stop(service: &str) -> Order {
    Order::new("service-stop", UNIT).with("Service", service)
}

fn brought_back(set: &Set) {
    let host = Sandbox::systemd();
    for (name, head, body) in set.units {
        write(&host, name, head, body);
    }
    assert!(host.holds(&format!("systemctl daemon-reload && systemctl start {}", set.started)));
    let before = active(&host);

    host.order(&stop(set.stopped)).must_be("landed", "");
    assert!(!host.holds(&format!("systemctl is-active --quiet {}", set.stopped)));
    host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    assert_eq!(active(&host), before);
}

fn refused(number: usize) {
    let (why, head, made, service) = REFUSED[number];
    let host = Sandbox::systemd();
    write(&host, "db.service", head.trim_start_matches("RequiredBy=\n"), "[Service]\nExecStart=/bin/sleep 1000");
    assert!(host.holds(&format!("systemctl daemon-reload && {{ {made}; }}")));
    let before = active(&host);
    // One whose name only the host knows.
    let told = host.text("readlink /run/name");
    let service = if service.is_empty() { told.trim() } else { service };

    host.order(&stop(service)).must_be("refused", why);

    assert_eq!(active(&host), before);
    host.order(&Order::new("revert", UNIT)).must_be("absent", "never-started");
}

fn started_again() {
    let host = Sandbox::systemd();
    write(&host, "db.service", "", "[Service]\nExecStart=/bin/sleep 1000");
    assert!(host.holds("systemctl daemon-reload && systemctl start db"));
    host.order(&stop("db")).must_be("landed", "");

    assert!(host.holds("systemctl start db"));
    let started = clock::now();

    assert!(clock::eventually(SOON, || host.units().is_empty()), "nobody noticed");
    let answer = host.order(&Order::new("revert", UNIT));
    answer.must_be("absent", "ended-early");
    let line = answer.line.as_ref().unwrap();
    assert!(line["ended_at"].as_u64().unwrap().abs_diff(started) <= 3, "{line}, started again at {started}");
    assert!(line["since"].as_u64().unwrap() <= started, "{line}");
}

/// A start that fails at the deadline is tried again when its cause has gone away, without anybody's order.
fn goes_on() {
    let host = Sandbox::systemd();
    write(
        &host,
        "db.service",
        "",
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/test ! -e /run/broken",
    );
    assert!(host.holds("systemctl daemon-reload && systemctl start db"));
    let before = host.state();
    host.order(&stop("db").for_seconds(4)).must_be("landed", "");

    host.write("run/broken", "");
    assert!(
        clock::eventually(Duration::from_secs(120), || host.holds("systemctl is-failed --quiet db")),
        "it was not tried"
    );
    assert!(clock::eventually(SOON, || !host.holds(&format!("systemctl is-active --quiet stormdrill-{UNIT}"))));
    assert!(host.holds("rm /run/broken"));

    assert!(clock::eventually(Duration::from_secs(240), || host.units().is_empty()), "it was tried once");
    assert!(host.holds("systemctl is-active --quiet db"));
    host.must_become(&before, GONE);
}

const AS_IT_RUNS: &str = "pid=$(cat /run/orders.pid); grep Umask: /proc/$pid/status; readlink /proc/$pid/cwd; cat /proc/$pid/limits \
     /proc/$pid/oom_score_adj; tr '\\000' '\\n' </proc/$pid/environ | sort";

fn as_before() {
    let case = case("service-stop");
    let service = case.host.folder.join("bin/service");
    let service = service.display();
    assert!(case.host.holds(&format!(
        "{service} orders stop && cd /usr && umask 027 && ulimit -n 300 && \
         env -i ORDERS_MODE='two words' PATH=/usr/bin:/bin LC_ALL=C.UTF-8 {service} orders start"
    )));
    let up = || case.host.holds("grep -q 1001 /proc/$(cat /run/orders.pid)/cmdline");
    assert!(clock::eventually(SOON, up));
    let before = case.host.text(AS_IT_RUNS);
    assert!(before.contains("0027") && before.contains("two words"), "{before}");

    case.host.order(&case.order(UNIT)).must_be("landed", "");
    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    assert_eq!(case.host.text(AS_IT_RUNS), before);

    // By the watchdog, which is the last that the kernel takes memory from.
    case.host.order(&case.order("00000000000000b2").for_seconds(2)).must_be("landed", "");
    assert!(clock::eventually(GONE, || case.host.units().is_empty()));
    assert_eq!(case.host.text(AS_IT_RUNS), before);
}
