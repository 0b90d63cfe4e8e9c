//! The lab's network: one bridge in the switch's namespace, one link per host.
//!
//! Everything lives in namespaces of the lab, so it goes when their last process goes; nothing is made on the machine.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use super::reap::Reaper;
use crate::error::{InsideError, doing};
use crate::spec::{GATEWAY, PREFIX};

const BRIDGE: &str = "lab0";

/// Where `ip` is looked for, whatever the caller's `PATH`.
pub(crate) const IP_PROGRAMS: [&str; 4] = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"];

/// The bridge, with the lab's own address on it.
pub(super) fn raise_bridge(reaper: &Reaper) -> Result<(), InsideError> {
    ip(
        reaper,
        &[
            "link set lo up",
            &format!("link add {BRIDGE} type bridge"),
            &format!("addr add {GATEWAY}/{PREFIX} dev {BRIDGE}"),
            &format!("link set {BRIDGE} up"),
        ],
    )
}

/// A link from the bridge into the namespace of the process `pid`, where it is called `eth0`.
pub(super) fn wire(reaper: &Reaper, link: &str, pid: u32) -> Result<(), InsideError> {
    ip(
        reaper,
        &[
            &format!("link add {link} type veth peer name eth0 netns {pid}"),
            &format!("link set {link} master {BRIDGE}"),
            &format!("link set {link} up"),
        ],
    )
}

/// Cuts a dead host's link. The kernel would do it in its own time, and answer pings for the dead until then.
pub(super) fn cut(reaper: &Reaper, link: &str) {
    // Most often it is there; when the kernel was faster, there is nothing to cut.
    drop(ip(reaper, &[&format!("link del {link}")]));
}

/// The host's end of its link. Its hardware address follows from its address, as an instance keeps its network
/// interface when it is stopped and started: otherwise its neighbours would speak to the old one for half a minute.
pub(super) fn settle(reaper: &Reaper, address: Ipv4Addr) -> Result<(), InsideError> {
    let [a, b, c, d] = address.octets();
    ip(
        reaper,
        &[
            "link set lo up",
            &format!("link set eth0 address 02:53:{a:02x}:{b:02x}:{c:02x}:{d:02x}"),
            &format!("addr add {address}/{PREFIX} dev eth0"),
            "link set eth0 up",
            &format!("route add default via {GATEWAY}"),
        ],
    )
}

fn ip(reaper: &Reaper, commands: &[&str]) -> Result<(), InsideError> {
    let program = IP_PROGRAMS.iter().map(PathBuf::from).find(|path| path.exists());
    let program = program.ok_or_else(|| {
        InsideError::Refused("`ip` is not installed: install iproute2 (Debian, Ubuntu) or iproute (Fedora)".into())
    })?;
    for command in commands {
        reaper
            .check(Command::new(&program).args(command.split(' ')).env_clear())
            .map_err(doing(format!("run `ip {command}`")))?
            .map_err(|stderr| InsideError::Tool { command: format!("ip {command}"), stderr })?;
    }
    Ok(())
}
