//! The microVM.
use crate::Missing;
use libtest_mimic::Trial;
pub fn missing() -> Missing {
    Some("not written yet".into())
}
pub fn trials() -> Vec<Trial> {
    Vec::new()
}
