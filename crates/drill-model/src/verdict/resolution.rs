//! The smallest degradation that a run could have seen: how long at most nobody looked.

use drill_evidence::interval::{Exposure, Interval, Times};
use drill_evidence::weighted::Counted;

use super::words::length;

/// What a run may have missed of one probe, in milliseconds.
pub(super) struct Resolution(i64);

impl Resolution {
    /// From the samples that count for an exposure. What one of them covers hides what is shorter than itself.
    pub(super) fn of(exposure: &Exposure, counted: &[Counted]) -> Self {
        let known = || counted.iter().filter(|sample| sample.value.is_some()).map(|sample| sample.covers);
        let untold = exposure.certain().minus(&known().collect::<Times>());
        let longest =
            |covers: &mut dyn Iterator<Item = Interval>| covers.map(Interval::milliseconds).max().unwrap_or(0);
        Self(longest(&mut untold.intervals().iter().copied()).max(longest(&mut known())))
    }
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a breach shorter than {} may have been missed", length(self.0))
    }
}
