//! The graph of a machine.
