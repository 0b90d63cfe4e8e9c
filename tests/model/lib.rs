//! A model of everything that keeps a fault from outliving its experiment: two runs, two targets, one janitor, and the
//! services between them, with the decisions of the phases themselves.
//!
//! A minute is the smallest time. The services are prompt, functions are slow at will, and a number of failures is
//! allowed; every order of all that is explored. What is decided, `drill_phases::kernel`, `run::next` and
//! `ledger::step` decide. [`rules::Rule`] says what can be turned off, to see that the model notices.

pub mod cast;
pub mod explore;
pub mod happen;
pub mod healer;
pub mod injector;
pub mod promises;
pub mod rules;
pub mod services;
pub mod state;
