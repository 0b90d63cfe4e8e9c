//! How fast, and how badly, the services of a world work.
//!
//! The defaults are those of a good day. Tests make them worse one by one.

use std::time::Duration;

/// How the services behave in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// What a call takes, there and back.
    pub call: Duration,
    /// From SendCommand until the agent has the order.
    pub delivery: Duration,
    /// The `TimeoutSeconds` of a command. One that was not delivered by then, and the time-out of its document, is
    /// `DeliveryTimedOut`; it may still be delivered.
    pub delivery_timeout: Duration,
    /// A command that was not delivered by then never is. `None`: it is delivered however late.
    pub expiry: Option<Duration>,
    /// Every order is delivered a second time, this long after the first; the first copy may still be under way.
    pub redelivery: Option<Duration>,
    /// Of an order that is delivered twice, what the second copy did is what the service tells.
    pub second_is_heard: bool,
    /// A host in a subnet that is cut off does not hear its agent's orders, and its answers do not arrive.
    pub cut_agents: bool,
    /// A call of the scheduler that was taken back is made all the same, this long after that.
    pub ghost_undos: Option<Duration>,
    /// How long a new command is unknown to callers that ask for its answers.
    pub answers: Duration,
    /// How long a change of an instance is not visible in descriptions.
    pub visibility: Duration,
    /// How far the index of open rows lags behind the rows.
    pub index: Duration,
    /// From a measurement until it can be read.
    pub publishing: Duration,
    /// So late a clock goes off.
    pub clock: Duration,
    /// Every clock goes off twice.
    pub clock_twice: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            call: Duration::ZERO,
            delivery: Duration::from_millis(400),
            delivery_timeout: Duration::from_secs(30),
            expiry: None,
            redelivery: None,
            second_is_heard: false,
            cut_agents: true,
            ghost_undos: None,
            answers: Duration::from_millis(300),
            visibility: Duration::from_secs(1),
            index: Duration::from_secs(1),
            publishing: Duration::from_secs(1),
            clock: Duration::ZERO,
            clock_twice: false,
        }
    }
}
