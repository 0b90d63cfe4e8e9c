//! The error budget: how much of it a drill used, and how much of that the fault did.

/// 30 days, in minutes.
const THIRTY_DAYS: f64 = 30.0 * 24.0 * 60.0;

/// A service level objective: a percentage that succeeds, below 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective(f64);

/// What was used of a budget, in minutes of being down; the time that nothing is known of makes it an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    objective: Objective,
    /// At least this.
    pub at_least: f64,
    /// At most this.
    pub at_most: f64,
}

/// What a run used, and what of it was because of the fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// All that was used while the run lasted.
    pub total: Used,
    /// Without what would have been used anyway, at the rate of the reference.
    pub because_of_the_fault: Used,
}

impl Objective {
    /// `None` unless it is a percentage below 100: an objective of 100 has no budget.
    pub fn percent(percent: f64) -> Option<Self> {
        (0.0..100.0).contains(&percent).then_some(Self(percent))
    }

    /// The share that may fail.
    fn may_fail(self) -> f64 {
        1.0 - self.0 / 100.0
    }

    /// The budget of 30 days, in minutes of being down: 43.2 at 99.9 %.
    pub fn minutes(self) -> f64 {
        THIRTY_DAYS * self.may_fail()
    }
}

impl Used {
    fn new(objective: Objective, at_least: f64, at_most: f64) -> Self {
        Self { objective, at_least: at_least.max(0.0), at_most: at_most.max(0.0) }
    }

    /// As a share of the budget of 30 days, at least and at most.
    pub fn share_of_thirty_days(self) -> (f64, f64) {
        (self.at_least / self.objective.minutes(), self.at_most / self.objective.minutes())
    }

    /// For how many minutes a service that just keeps its objective would have used as much, at least and at most.
    pub fn minutes_at_pace(self) -> (f64, f64) {
        (self.at_least / self.objective.may_fail(), self.at_most / self.objective.may_fail())
    }
}

/// From percentages that succeeded, each for so many minutes. `uncovered` minutes nothing is known of, and `before` is the
/// percentage of the reference. A value that is no percentage is taken for unknown.
pub fn by_time(objective: Objective, told: &[(f64, f64)], uncovered: f64, before: f64) -> Burn {
    let (mut down, mut minutes, mut unknown) = (0.0, 0.0, uncovered.max(0.0));
    for (weight, percent) in told {
        if (0.0..=100.0).contains(percent) {
            down += weight * (1.0 - percent / 100.0);
            minutes += weight;
        } else {
            unknown += weight;
        }
    }
    let anyway = 1.0 - before.clamp(0.0, 100.0) / 100.0;
    Burn {
        total: Used::new(objective, down, down + unknown),
        // In an unknown minute the fault did between less than nothing and all that was not lost anyway.
        because_of_the_fault: Used::new(
            objective,
            down - anyway * (minutes + unknown),
            down + unknown - anyway * (minutes + unknown),
        ),
    }
}

/// From requests that failed, of a service that answers so many a minute. `failed_before` are failures a minute of the
/// reference, over as many `minutes` as the run took; in `uncovered` of them nothing was counted. `None` without requests.
pub fn by_requests(
    objective: Objective,
    failed: f64,
    a_minute: f64,
    failed_before: f64,
    minutes: f64,
    uncovered: f64,
) -> Option<Burn> {
    if a_minute.is_nan() || a_minute <= 0.0 {
        return None;
    }
    let (down, unknown) = (failed / a_minute, uncovered.max(0.0));
    let anyway = failed_before / a_minute * minutes;
    Some(Burn {
        total: Used::new(objective, down, down + unknown),
        because_of_the_fault: Used::new(objective, down - anyway, down + unknown - anyway),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: (f64, f64), expected: (f64, f64)) {
        assert!(
            (found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9,
            "{found:?}, not {expected:?}"
        );
    }

    fn used(used: Used) -> (f64, f64) {
        (used.at_least, used.at_most)
    }

    fn three_nines() -> Objective {
        Objective::percent(99.9).unwrap()
    }

    #[test]
    fn thirty_days_at_three_nines_may_be_down_for_43_minutes() {
        assert!((three_nines().minutes() - 43.2).abs() < 1e-9);
        assert_eq!(Objective::percent(100.0), None);
        assert_eq!(Objective::percent(f64::NAN), None);
    }

    #[test]
    fn a_minute_of_nothing_is_a_minute_of_the_budget_and_a_thousand_at_its_pace() {
        let burn = by_time(three_nines(), &[(1.0, 0.0), (9.0, 100.0)], 0.0, 100.0);

        close(used(burn.total), (1.0, 1.0));
        close(burn.total.share_of_thirty_days(), (1.0 / 43.2, 1.0 / 43.2));
        close(burn.total.minutes_at_pace(), (1000.0, 1000.0));
    }

    #[test]
    fn what_would_have_failed_anyway_is_not_the_faults_doing() {
        let burn = by_time(three_nines(), &[(10.0, 98.0)], 0.0, 99.0);

        close(used(burn.total), (0.2, 0.2));
        close(used(burn.because_of_the_fault), (0.1, 0.1));
        close(used(by_time(three_nines(), &[(10.0, 99.5)], 0.0, 99.0).because_of_the_fault), (0.0, 0.0));
    }

    #[test]
    fn a_minute_that_nobody_measured_may_have_been_down() {
        let burn = by_time(three_nines(), &[(8.0, 100.0), (1.0, f64::NAN)], 1.0, 100.0);

        close(used(burn.total), (0.0, 2.0));
        close(used(burn.because_of_the_fault), (0.0, 2.0));
    }

    #[test]
    fn requests_that_failed_are_minutes_of_all_requests() {
        let burn = by_requests(three_nines(), 500.0, 1000.0, 10.0, 10.0, 0.25).unwrap();

        close(used(burn.total), (0.5, 0.75));
        close(used(burn.because_of_the_fault), (0.4, 0.65));
        close(burn.total.minutes_at_pace(), (500.0, 750.0));
        assert_eq!(by_requests(three_nines(), 0.0, 0.0, 0.0, 10.0, 0.0), None);
    }
}
