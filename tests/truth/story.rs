//! What was really so: when the fault was there, and when the system was out of its tolerance. In milliseconds.

use std::ops::Range;

use stormdrill_tests::chance::Chance;

/// How a probe measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// It looks at an instant.
    Look,
    /// It is out when so many in a hundred of its period were, and at least a millisecond.
    Average(i64),
    /// The largest of its period.
    Worst,
    /// The smallest of its period.
    Best,
}

/// A run, as it really was. The intent was written at 0.
#[derive(Debug, Clone)]
pub struct Story {
    /// The fault happens once, and its effect is watched.
    pub once: bool,
    /// When it began.
    pub onset: i64,
    /// When it was seen to have landed.
    pub landed: i64,
    /// How long it should last.
    pub asked: i64,
    /// When the order came that put it back.
    pub order: i64,
    /// When it ended.
    pub end: i64,
    /// When it was seen to be gone.
    pub gone: i64,
    /// When the probe was out of its tolerance.
    pub outage: Option<Range<i64>>,
    pub measure: Measure,
    pub period: i64,
    pub every: i64,
}

impl Story {
    pub fn tell(chance: &mut Chance) -> Self {
        let landed = chance.within(500..12_000);
        let onset = chance.within(0..landed);
        let asked = chance.one_of(&[60_000, 120_000, 200_000]);
        let order = landed + asked + chance.within(0..1_000);
        let gone = order + chance.within(500..15_000);
        let once = chance.is(20);
        let ended_early = !once && chance.is(15);
        let end = match (once, ended_early) {
            (true, _) => onset,
            (false, true) => chance.within(landed..order),
            (false, false) => chance.within(order..gone),
        };
        // What is out when the fault ends began before. One that begins later is another story.
        let from = chance.within(onset..end.max(onset + 1));
        let outage = match chance.within(0..10) {
            0..4 => None,
            // Before the fault, and over by then.
            4 => Some(-40_000..chance.within(-30_000..0)),
            5 | 6 => Some(from..from + chance.within(500..40_000)),
            _ => Some(from..end + chance.within(500..250_000)),
        };
        let measure = chance.one_of(&[
            Measure::Look,
            Measure::Look,
            Measure::Average(0),
            Measure::Average(50),
            Measure::Worst,
            Measure::Best,
        ]);
        let (period, every) = (chance.one_of(&[1_000, 5_000]), chance.one_of(&[1_000, 2_000, 5_000]));
        Self { once, onset, landed, asked, order, end, gone, outage, measure, period, every }
    }

    /// For how long the fault was there, or watched.
    pub fn exposure(&self) -> i64 {
        if self.once { self.asked } else { self.end - self.onset }
    }

    /// The longest time for which the probe was out while the fault was there beyond doubt.
    pub fn longest_breach(&self) -> i64 {
        let until = if self.once { self.landed + self.asked } else { self.end.min(self.landed + self.asked) };
        self.outage.as_ref().map_or(0, |out| (out.end.min(until) - out.start.max(self.landed)).max(0))
    }

    /// Whether the probe was out while the fault may have been there, as far as anybody can know.
    pub fn may_have_breached(&self) -> bool {
        self.outage.as_ref().is_some_and(|out| out.start < self.gone && 0 < out.end)
    }

    /// How long the system took to be back after the fault was over.
    pub fn recovery(&self) -> i64 {
        self.outage.as_ref().map_or(0, |out| (out.end - self.end).max(0))
    }

    /// Whether the probe shows a breach: of an instant, or of a period that begins then.
    pub fn shows_breach(&self, from: i64) -> bool {
        let covers = if self.measure == Measure::Look { from..from + 1 } else { from..from + self.period };
        let out = self.outage.as_ref().map_or(0, |out| (out.end.min(covers.end) - out.start.max(covers.start)).max(0));
        match self.measure {
            Measure::Look | Measure::Worst => out > 0,
            Measure::Average(percent) => out > 0 && out * 100 >= percent * self.period,
            Measure::Best => out == self.period,
        }
    }
}
