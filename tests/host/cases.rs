//! Every fault once, with a host to do it to and a way to see it from outside of the document.

use std::time::Duration;

use crate::clock;
use crate::order::Order;
use crate::sandbox::{PEER, Process, Sandbox};

/// How long the harm may take to be seen.
const SOON: Duration = Duration::from_secs(5);

type Values = Vec<(&'static str, String)>;

/// One fault on a host made ready for it.
pub struct Case {
    pub document: &'static str,
    pub host: Sandbox,
    values: Values,
    harmed: fn(&Sandbox) -> bool,
    /// False for the one fault that nothing takes back but the process's own supervisor.
    pub reversible: bool,
}

impl Case {
    pub fn order(&self, unit: &str) -> Order {
        self.values.iter().fold(Order::new(self.document, unit), |order, (name, value)| order.with(name, value))
    }

    /// The harm, seen without asking the document.
    pub fn harmed(&self) -> bool {
        (self.harmed)(&self.host)
    }

    /// The harm is there, or comes within a moment: counters need two looks.
    #[track_caller]
    pub fn must_be_harmed(&self) {
        assert!(clock::eventually(SOON, || self.harmed()), "{}: no harm is seen", self.document);
    }

    /// The harm is not there.
    #[track_caller]
    pub fn must_be_whole(&self) {
        if self.reversible && self.harmed() {
            let seen = self.host.text("df -Pk; iptables-save; ls -lR /var/lib/stormdrill; ps axo pid,ppid,stat,args");
            panic!("{}: the harm is still seen\n{seen}", self.document);
        }
    }
}

/// The faults that this kernel can do: all but the one that needs netem, which has trials of its own.
pub const FAULTS: [&str; 9] = [
    "process-kill",
    "process-pause",
    "service-stop",
    "cpu-stress",
    "memory-stress",
    "io-stress",
    "disk-fill",
    "network-loss",
    "network-blackhole",
];

/// A service as a small host has it: `service NAME start|stop|status`.
const SERVICE: &str = r#"#!/bin/sh
pid=/run/$1.pid
case $2 in
  status) [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null ;;
  stop) kill "$(cat "$pid")" && rm -f "$pid" ;;
  start) setsid /usr/bin/sleep 1001 </dev/null >/dev/null 2>&1 & echo $! >"$pid" ;;
esac
"#;

/// The same service as systemd has it. It has started when its program runs, not when it is about to.
const UNIT: &str = "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=/usr/bin/sleep 1001\n";

/// Makes a host and the fault for it.
pub fn case(document: &'static str) -> Case {
    let host = match document {
        // Half of 256 MiB: the fault must respect the bound of the host, not that of the machine.
        "memory-stress" => Sandbox::bounded(256 << 20).unwrap_or_else(|| panic!("no memory group can be made here")),
        _ => Sandbox::new(),
    };
    case_on(document, host)
}

/// The same on a host whose process 1 is systemd.
pub fn systemd_case(document: &'static str) -> Case {
    case_on(document, Sandbox::systemd())
}

fn case_on(document: &'static str, host: Sandbox) -> Case {
    let text = |text: &str| text.to_owned();
    let (values, harmed): (Values, fn(&Sandbox) -> bool) = match document {
        "process-kill" => {
            host.victims("victim-api");
            (vec![("Process", text("victim-api")), ("Signal", text("TERM"))], |host| {
                host.states("victim-api").is_empty()
            })
        }
        "process-pause" => {
            host.victims("victim-api");
            (vec![("Process", text("victim-api"))], |host| host.states("victim-api").contains('T'))
        }
        "service-stop" if host.has_systemd() => {
            host.write("etc/systemd/system/orders.service", UNIT);
            assert!(host.holds("systemctl daemon-reload && systemctl start orders"));
            (vec![("Service", text("orders"))], |host| !host.holds("systemctl is-active --quiet orders"))
        }
        "service-stop" => {
            host.install("service", SERVICE);
            let service = host.folder.join("bin/service");
            assert!(host.holds(&format!("{} orders start", service.display())));
            let runs = || host.processes().iter().any(|process| process.line == "/usr/bin/sleep 1001");
            assert!(clock::eventually(Duration::from_secs(5), runs));
            (vec![("Service", text("orders"))], |host| !host.holds("kill -0 \"$(cat /run/orders.pid)\""))
        }
        "cpu-stress" => (vec![("Percent", text("40")), ("Workers", text("1"))], |host| {
            sum(host, "stress-ng-cpu", |process| process.ticks) > 5
        }),
        "memory-stress" => (vec![("Percent", text("50"))], |host| {
            sum(host, "stress-ng-vm", |process| process.number("status", "VmRSS:")) > 100_000
        }),
        "io-stress" => (vec![("Workers", text("1")), ("Megabytes", text("8"))], |host| {
            sum(host, "stress-ng-iomix", |process| process.number("io", "wchar:")) > 65_536
        }),
        "disk-fill" => (vec![("Percent", text("80"))], |host| disk_percent(host) >= 80),
        "network-loss" => {
            (vec![("Percent", text("100")), ("Direction", text("egress")), ("To", format!("{PEER}/32"))], |host| {
                !host.holds("ping -c 1 -W 3 10.77.0.2")
            })
        }
        "network-blackhole" => (
            vec![("Direction", text("egress")), ("Protocol", text("tcp")), ("Port", text("5432")), ("To", text("any"))],
            |host| dark(host, "", PEER, 5432),
        ),
        _ => panic!("{document} is not a fault of this ring"),
    };
    Case { document, host, values, harmed, reversible: document != "process-kill" }
}

/// True when a packet to that port is answered by nothing: neither accepted nor refused. `from` is a prefix such as
/// `ip netns exec peer`.
pub fn dark(host: &Sandbox, from: &str, address: &str, port: u16) -> bool {
    let status = host.shell(&format!("{from} timeout 3 bash -c '</dev/tcp/{address}/{port}'")).status;
    status.code() == Some(124)
}

/// True when the file system of the state folder is that full, as `df` says it.
pub fn disk_percent(host: &Sandbox) -> u32 {
    let shown = host.text("df -Pk /var/lib/stormdrill | sed -n '2s/.* \\([0-9]*\\)%.*/\\1/p'");
    shown.trim().parse().unwrap()
}

/// A sum over the processes of that name.
fn sum(host: &Sandbox, name: &str, number: impl Fn(&Process) -> u64) -> u64 {
    host.processes().iter().filter(|process| process.name == name).map(number).sum()
}
