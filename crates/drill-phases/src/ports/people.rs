//! What reaches people: notices, reports, and the answer to a run that waits.

use drill_model::ids::RunId;

use super::Answer;

/// Telling people. Never on the way of cleaning up.
pub trait Notices {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Publishes a notice; repeating publishes it again.
    async fn publish(&self, topic: &str, subject: &str, body: &str) -> Answer<()>;
}

/// Where reports are kept.
pub trait Reports {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Writes one file of a run's report and says where it is; writing it again replaces it.
    async fn store(&self, run: &RunId, name: &str, content: &str) -> Answer<String>;
}

/// Answering who waits.
pub trait Callback {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Lets who waits with this token go on. `Missing` when nobody does, or not any more.
    async fn resume(&self, token: &str) -> Answer<()>;
}
