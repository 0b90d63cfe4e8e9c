//! The holidays that are known, as tables. A year that is not here is not known, and no window with a calendar opens in it.
//!
//! To add a year: copy the dates that the exchange publishes. The tests check them against the rules that it follows; what
//! follows no rule (a day of mourning) is named there.

/// The holidays of one year, as month and day. What falls on a weekend is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Year {
    pub year: i16,
    /// Closed all day.
    pub closed: &'static [(i8, i8)],
    /// Closed from midday or one o'clock.
    pub half: &'static [(i8, i8)],
}

const fn year(year: i16, closed: &'static [(i8, i8)], half: &'static [(i8, i8)]) -> Year {
    Year { year, closed, half }
}

/// <https://www.nyse.com/markets/hours-calendars>; 2025-01-09 was the day of mourning for President Carter.
#[rustfmt::skip]
pub(super) const NYSE: [Year; 7] = [
    year(2024, &[(1, 1), (1, 15), (2, 19), (3, 29), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25)], &[(7, 3), (11, 29), (12, 24)]),
    year(2025, &[(1, 1), (1, 9), (1, 20), (2, 17), (4, 18), (5, 26), (6, 19), (7, 4), (9, 1), (11, 27), (12, 25)], &[(7, 3), (11, 28), (12, 24)]),
    year(2026, &[(1, 1), (1, 19), (2, 16), (4, 3), (5, 25), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25)], &[(11, 27), (12, 24)]),
    year(2027, &[(1, 1), (1, 18), (2, 15), (3, 26), (5, 31), (6, 18), (7, 5), (9, 6), (11, 25), (12, 24)], &[(11, 26)]),
    year(2028, &[(1, 17), (2, 21), (4, 14), (5, 29), (6, 19), (7, 4), (9, 4), (11, 23), (12, 25)], &[(7, 3), (11, 24)]),
    year(2029, &[(1, 1), (1, 15), (2, 19), (3, 30), (5, 28), (6, 19), (7, 4), (9, 3), (11, 22), (12, 25)], &[(7, 3), (11, 23), (12, 24)]),
    year(2030, &[(1, 1), (1, 21), (2, 18), (4, 19), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25)], &[(7, 3), (11, 29), (12, 24)]),
];

/// <https://www.londonstockexchange.com/equities-trading/business-days>: the bank holidays of England, and the last trading
/// days before Christmas and New Year.
#[rustfmt::skip]
pub(super) const LSE: [Year; 7] = [
    year(2024, &[(1, 1), (3, 29), (4, 1), (5, 6), (5, 27), (8, 26), (12, 25), (12, 26)], &[(12, 24), (12, 31)]),
    year(2025, &[(1, 1), (4, 18), (4, 21), (5, 5), (5, 26), (8, 25), (12, 25), (12, 26)], &[(12, 24), (12, 31)]),
    year(2026, &[(1, 1), (4, 3), (4, 6), (5, 4), (5, 25), (8, 31), (12, 25), (12, 28)], &[(12, 24), (12, 31)]),
    year(2027, &[(1, 1), (3, 26), (3, 29), (5, 3), (5, 31), (8, 30), (12, 27), (12, 28)], &[(12, 24), (12, 31)]),
    year(2028, &[(1, 3), (4, 14), (4, 17), (5, 1), (5, 29), (8, 28), (12, 25), (12, 26)], &[(12, 22), (12, 29)]),
    year(2029, &[(1, 1), (3, 30), (4, 2), (5, 7), (5, 28), (8, 27), (12, 25), (12, 26)], &[(12, 24), (12, 31)]),
    year(2030, &[(1, 1), (4, 19), (4, 22), (5, 6), (5, 27), (8, 26), (12, 25), (12, 26)], &[(12, 24), (12, 31)]),
];

/// <https://www.ecb.europa.eu/paym/target/t2>: six days, whatever the weekday.
#[rustfmt::skip]
pub(super) const TARGET: [Year; 7] = [
    year(2024, &[(1, 1), (3, 29), (4, 1), (5, 1), (12, 25), (12, 26)], &[]),
    year(2025, &[(1, 1), (4, 18), (4, 21), (5, 1), (12, 25), (12, 26)], &[]),
    year(2026, &[(1, 1), (4, 3), (4, 6), (5, 1), (12, 25), (12, 26)], &[]),
    year(2027, &[(1, 1), (3, 26), (3, 29), (5, 1), (12, 25), (12, 26)], &[]),
    year(2028, &[(1, 1), (4, 14), (4, 17), (5, 1), (12, 25), (12, 26)], &[]),
    year(2029, &[(1, 1), (3, 30), (4, 2), (5, 1), (12, 25), (12, 26)], &[]),
    year(2030, &[(1, 1), (4, 19), (4, 22), (5, 1), (12, 25), (12, 26)], &[]),
];

#[cfg(test)]
mod tests;
