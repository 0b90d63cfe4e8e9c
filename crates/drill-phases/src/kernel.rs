//! The decisions that keep the first promise, as pure functions: what the phases ask, and the model of `tests/model`, too.
//!
//! What may follow what is beside the records: `drill_model::run::next` and `drill_model::ledger::step`.

pub use crate::drive::apply::{Caller, Forth, UNDO_GRACE, forth};
pub use crate::drive::hosts::{gone, heard};
pub use crate::drive::undo::{Back, back, just_landed};
pub use crate::drive::{UNDER_WAY, in_time, settled};
pub use crate::inject::changes::TIME_TO_MAKE;
pub use crate::inject::{CLOCK_GRACE, arms};
pub use crate::janitor::is_due;
pub use crate::observe::course::{Course, course, ended, is_over};
pub use crate::rollback::is_cleanable;
