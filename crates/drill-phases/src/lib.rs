//! The phases of a run as decisions over ports: what is done, in which order, and what is never done.
//!
//! No phase reads the clock, waits or draws a random number except through a port. Every phase can be repeated.
//! `ports` says what they may ask of the world; the state machine in `statemachine/` says which comes when.

pub mod ports;
