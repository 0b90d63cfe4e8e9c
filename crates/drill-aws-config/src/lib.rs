//! What every adapter on AWS shares: the SDK's configuration, what its errors mean, the clock, the place.
//!
//! No call lasts longer than its function can wait, and no error is told as something that it is not.
//! Next: an adapter for each service, made from the [`SdkConfig`] that [`load`] returns.

mod adapter;
mod class;
mod clock;
mod connection;
mod limits;
mod place;
#[cfg(any(test, feature = "script"))]
pub mod script;
mod throttled;

pub use aws_types::SdkConfig;

pub use self::adapter::{Adapter, Unready};
pub use self::class::{class_of_code, classify};
pub use self::clock::SystemClock;
pub use self::limits::{Limits, load, once};
pub use self::place::{Here, UnsetVariable, variable};
pub use self::throttled::OnlyThrottled;
