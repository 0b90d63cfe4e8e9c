//! The journey ring: the shipped machine and the shipped phases over a world in memory, one test for each path.

mod abandoned;
mod aborts;
mod approvals;
mod crowds;
mod endings;
mod holds;
mod meanwhile;
mod refusals;
mod resources;
mod round_trips;
mod samples;
mod several;
mod slow;
