//! The smallest degradation that a run could have seen: how long at most nobody looked.

use jiff::Timestamp;

use super::faults::Window;
use super::words::millis_between;
use crate::experiment::{Probe, Source};
use crate::quantity::Span;

/// What a run may have missed of one probe.
pub(super) struct Resolution(Span);

impl Resolution {
    /// From the instants at which the probe's value was known. A metric's period hides what is shorter than itself.
    pub(super) fn of(probe: &Probe, window: &Window, known: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut longest = 0;
        let mut before = window.from;
        for at in known.into_iter().chain([window.to]) {
            longest = longest.max(millis_between(before, at));
            before = before.max(at);
        }
        let period = match &probe.source {
            Source::CloudWatch(metric) => metric.period,
            Source::Alarm(_)
            | Source::Prometheus(_)
            | Source::Http(_)
            | Source::Capacity(_)
            | Source::HostHealth(_) => Span::ZERO,
        };
        Self(Span::millis(longest).max(period))
    }
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a breach shorter than {} may have been missed", self.0)
    }
}
