//! The contract ring: everything is in its test, `contract`.
