//! The world behaves like the services it stands for. One module for each service, and one for failing on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world {
    mod alarms;
    mod clocks;
    mod commands;
    mod faulty;
    mod fixture;
    mod groups;
    mod hosts;
    mod instances;
    mod invocation;
    mod ledger;
    mod metrics;
    mod oracle;
    mod rest;
    mod store;
}
