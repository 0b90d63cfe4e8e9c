//! The world behaves like the services it stands for. One module for each service, and one for failing on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world {
    mod commands;
    mod fixture;
}
