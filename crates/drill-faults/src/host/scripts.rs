//! What is sent to hosts, as it is written: a script for each document, and the parts that they share.
//!
//! Each host fault's script lies beside its Rust half and begins with its head: lines of YAML after `#: `, which say what
//! the document is called for, which parts it takes and which parameters. Next: `drill-documents` makes documents of them.

/// Only looks.
pub const PROBE: &str = include_str!("probe.sh");
/// Puts a host back.
pub const REVERT: &str = include_str!("revert.sh");
/// The parameters that every fault takes, in YAML.
pub const COMMON: &str = include_str!("parts/common.yaml");
/// The part that every document begins with.
pub const PRELUDE: &str = include_str!("parts/prelude.sh");

/// The parts that a head can ask for, by name.
pub const PARTS: [(&str, &str); 10] = [
    ("deadman", include_str!("parts/deadman.sh")),
    ("firewall", include_str!("parts/firewall.sh")),
    ("paused", include_str!("parts/paused.sh")),
    ("peers", include_str!("parts/peers.sh")),
    ("processes", include_str!("parts/processes.sh")),
    ("queue", include_str!("parts/queue.sh")),
    ("services", include_str!("parts/services.sh")),
    ("startable", include_str!("parts/startable.sh")),
    ("stress", include_str!("parts/stress.sh")),
    ("volumes", include_str!("parts/volumes.sh")),
];
