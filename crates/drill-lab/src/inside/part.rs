//! How a part of the lab is started: the words that name it, the namespaces it enters, and that it dies with its
//! parent.

use nix::sched::CloneFlags;

use crate::error::{InsideError, calling};

/// Hidden first arguments.
pub(crate) const SWITCH: &str = "lab-switch";
pub(super) const SWITCH_INIT: &str = "lab-switch-init";
pub(super) const HOST: &str = "lab-host";
pub(super) const HOST_INIT: &str = "lab-host-init";

/// Dies with the parent. Also fatal when the parent is already gone is the closed standard input, which the switch
/// watches.
pub(super) fn die_with_parent() -> Result<(), InsideError> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(calling("die with the parent"))
}

/// The namespaces of a host, all but the user namespace, which belongs to the whole lab.
pub(super) const SEALED: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// A time namespace, which only `unshare` can make and which a kernel may lack.
pub(super) const OWN_TIME: CloneFlags = CloneFlags::from_bits_retain(0x80);
