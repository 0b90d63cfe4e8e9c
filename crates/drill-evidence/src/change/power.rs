//! How small a change a run can see: told in the plan, before anything is broken, and in every report.

use crate::numbers::{normal, student_quantile};
use crate::sequential::comparison::{Comparison, any_time_errors};
use crate::sequential::{Reference, Rule, Worse, margins};

/// The quantile of the normal distribution that gives a chance of 80 %.
const FOUR_IN_FIVE: f64 = 0.841_621_233_572_914_3;

/// No run has so many datapoints: a minute each, for twenty years.
const FOR_EVER: f64 = 1e7;

/// When the question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Once, at the planned end.
    AtTheEnd,
    /// After every datapoint, by a guard.
    Always,
}

/// What a rule can see, given what was before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    reference: Reference,
    rule: Rule,
    asked: Asked,
}

impl Plan {
    /// From the reference alone.
    pub const fn new(reference: Reference, rule: Rule, asked: Asked) -> Self {
        Self { reference, rule, asked }
    }

    /// The smallest change that is seen with a chance of 80 % in so many datapoints, as a multiple of what was before: 1.66,
    /// or 0.6 where less is worse. `None` when none is, however large.
    pub fn smallest(&self, datapoints: f64) -> Option<f64> {
        let (errors, error) = self.errors(datapoints)?;
        let change = self.margin() + (errors + FOUR_IN_FIVE) * error;
        let (scale, mean, before) = (self.reference.scale(), self.reference.sums.mean, self.reference.middle());
        let after = match self.rule.worse {
            Worse::Up | Worse::Either => scale.back(mean + change),
            Worse::Down => scale.back(mean - change),
        };
        // At an end of the scale a change has no room: no value is that far away.
        let there = scale.of(after).is_some_and(|there| ((there - mean).abs() - change).abs() < 1e-6 * change.max(1.0));
        (before > 0.0 && change.is_finite() && there).then(|| after / before)
    }

    /// The chance that a change to `factor` times what was before is seen in so many datapoints.
    pub fn power(&self, factor: f64, datapoints: f64) -> f64 {
        let Some(change) = self.change(factor) else { return 0.0 };
        self.errors(datapoints).map_or(0.0, |(errors, error)| normal((change - self.margin()) / error - errors))
    }

    /// How many datapoints it takes to see a change to `factor` times what was before with a chance of 80 %. `None` when no
    /// number is enough: it is within the margin, or the reference is too short.
    pub fn datapoints_for(&self, factor: f64) -> Option<u64> {
        let enough = |datapoints: f64| self.power(factor, datapoints) >= 0.8;
        let mut high = 1.0;
        while !enough(high) {
            if high > FOR_EVER {
                return None;
            }
            high *= 2.0;
        }
        let mut low = high / 2.0;
        while high - low > 1.0 {
            let middle = ((low + high) / 2.0).floor();
            if enough(middle) { high = middle } else { low = middle }
        }
        Some(high as u64)
    }

    /// How far up the scale, in the direction that is worse, `factor` times what was before lies.
    fn change(&self, factor: f64) -> Option<f64> {
        let after = self.reference.scale().of(self.reference.middle() * factor)? - self.reference.sums.mean;
        Some(match self.rule.worse {
            Worse::Up => after,
            Worse::Down => -after,
            Worse::Either => after.abs(),
        })
    }

    fn margin(&self) -> f64 {
        let (up, down) = margins(&self.reference, self.rule.by);
        match self.rule.worse {
            Worse::Up => up,
            Worse::Down => down,
            Worse::Either => up.max(down),
        }
    }

    /// How many standard errors a difference has to be, and what one is; `None` when no difference is enough.
    fn errors(&self, datapoints: f64) -> Option<(f64, f64)> {
        if datapoints < 1.0 {
            return None;
        }
        let (freedom, size) = Comparison::worth(self.reference.effective(), datapoints / self.reference.vif());
        let alpha = match self.rule.worse {
            Worse::Up | Worse::Down => self.rule.alpha,
            Worse::Either => self.rule.alpha / 2.0,
        };
        let errors = match self.asked {
            Asked::AtTheEnd => student_quantile(1.0 - alpha, freedom.max(1.0)),
            Asked::Always => any_time_errors(size, freedom, alpha),
        };
        errors.is_finite().then(|| (errors, (self.reference.variance() / size).sqrt()))
    }
}
