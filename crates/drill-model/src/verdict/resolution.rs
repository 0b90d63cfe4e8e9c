//! The smallest degradation that a run could have seen: how long at most it could hide.

use drill_evidence::interval::{Exposure, Interval};
use drill_evidence::recovery::Tells;
use drill_evidence::weighted::Counted;

use super::words::length;

/// What a run may have missed of one probe, in milliseconds.
pub(super) struct Resolution(i64);

impl Resolution {
    /// From the samples that count for an exposure.
    ///
    /// Where a good sample tells of the worst of its time, a breach hides between two of them. Else it may hide in both as
    /// well, from the beginning of one to the end of the next: an average of a period shows no breach of a part of it.
    pub(super) fn of(exposure: &Exposure, counted: &[Counted], tells: Tells) -> Self {
        let longest = exposure.certain().intervals().iter().map(|certain| hidden(*certain, counted, tells));
        Self(longest.max().unwrap_or(0))
    }
}

fn hidden(certain: Interval, counted: &[Counted], tells: Tells) -> i64 {
    let known = counted.iter().filter(|sample| sample.value.is_some_and(|value| !value.out));
    let mut from = certain.from();
    let mut longest = 0;
    for covers in known.map(|sample| sample.covers).filter(|covers| certain.covers(*covers)) {
        let (until, next) = match tells {
            Tells::Worst => (covers.from(), covers.to()),
            Tells::Part | Tells::Best => (covers.to(), covers.from()),
        };
        longest = longest.max(until.saturating_sub(from));
        from = from.max(next);
    }
    longest.max(certain.to().saturating_sub(from))
}

impl std::fmt::Display for Resolution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a breach shorter than {} may have been missed", length(self.0))
    }
}
