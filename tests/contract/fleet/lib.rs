//! Nothing but a place for the ring in `main.rs`, which is a test.
