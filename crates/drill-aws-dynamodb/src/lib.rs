//! Experiments, runs, the ledger, leases, the emergency stop and task tokens, in two DynamoDB tables.
//!
//! Every rule that two writers could break is a condition of the write itself, and whatever decides something is read
//! consistently. A table that is not there is `Refused`, never `Missing`: nothing may look clean because it cannot be seen.
//!
//! The table of runs has the keys `pk` and `sk`, and a sparse index [`OPEN_INDEX`] on `open` and `deadline`:
//!
//! A target is named by its ARN.
//!
//! | pk | sk | what |
//! | --- | --- | --- |
//! | `RUN#<run>` | `RUN` | the record: `record`, `version`, `status`; `open` and `deadline` only while it is unfinished |
//! | `RUN#<run>` | `PLAN`, `PLAN#<nnnn>` | how many parts the plan has, and the parts |
//! | `RUN#<run>` | `SAMPLE#<stage>#<number>` | a sample |
//! | `RUN#<run>` | `ROW#<fault>#<target>` | a row of the ledger; `open` and `deadline` only while it is open |
//! | `RUN#<run>` | `TOKEN` | the task token |
//! | `LEASE#<target>` | `LEASE` | the `owner` of a target, and the runs that have `shares` of it |
//! | `LEVER` | `LEVER` | the emergency stop, while it is pulled: its `reason` |

mod calls;
mod experiments;
mod failure;
mod item;
mod leases;
mod ledger;
mod plan;
mod runs;
mod samples;
mod tokens;
mod transact;

pub use self::calls::RunTable;
pub use self::experiments::ExperimentTable;
pub use self::item::OPEN_INDEX;

#[cfg(test)]
mod tests;
