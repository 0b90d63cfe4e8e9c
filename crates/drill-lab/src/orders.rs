//! The demo: a small order service as people run it, with a database, a risk engine, a load balancer and a client.
//!
//! Each is a process of its own under its own name; what they cost and how they fail is real.

/// The demo's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    OrderService,
}
impl Demo {
    pub(crate) const ALL: [Demo; 1] = [Demo::OrderService];
    pub(crate) fn name(self) -> &'static str {
        "order-service"
    }
    pub(crate) fn by_name(name: &str) -> Option<Demo> {
        Demo::ALL.into_iter().find(|demo| demo.name() == name)
    }
    pub(crate) fn main(self) -> Result<i32, crate::inside::InsideError> {
        Ok(0)
    }
}
