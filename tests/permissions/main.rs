//! What the template grants: exactly what the phases may ask of the world, and no way around the fences.
//!
//! Every rule is a function over a template, so that `mutations` can show that it notices when the template gets worse.

#![expect(clippy::unwrap_used, reason = "a ring is a test from its first line")]

mod delete;
mod deployment;
mod errors;
mod evaluate;
mod events;
mod families;
mod fences;
mod grants;
mod mutations;
mod people;
mod policy;
mod ports;
mod yaml;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
