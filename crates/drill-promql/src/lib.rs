//! A small PromQL: the instant queries that experiments ask, answered from what was scraped.
//!
//! It promises Prometheus's own answers for what it knows: selectors with `=`, `!=`, `=~` and `!~`, `sum`, `avg`, `min`,
//! `max` and `count` with `by`, `rate` and `increase`, `histogram_quantile`, and `+ - * /`. Anything else is an error
//! that names it, never a number.

mod evaluate;
mod parse;
mod query;
pub mod scrape;

use jiff::Timestamp;

use crate::scrape::{PromSample, Scrapes};

/// What a query comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum PromValue {
    /// A number by itself.
    Scalar(f64),
    /// Any number of series with a value each; none when nothing is known.
    Vector(Vec<PromSample>),
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromError {
    /// The text is not a query.
    #[error("`{query}` is not a query: {problem} at column {column}")]
    Syntax {
        /// The query.
        query: String,
        /// What is wrong.
        problem: String,
        /// Where, from 1.
        column: usize,
    },
    /// It is PromQL, but not of the subset.
    #[error(
        "{what} is not supported: use selectors, sum/avg/min/max/count with by, rate, increase, \
         histogram_quantile and + - * /"
    )]
    Unknown {
        /// The part.
        what: String,
    },
    /// The parts do not fit each other.
    #[error("{what}")]
    Type {
        /// Which parts.
        what: String,
    },
    /// No series, or none that is fresh.
    #[error("no data: nothing fresh matches the query")]
    NoData,
    /// More series than one, where one value is needed.
    #[error("{count} series match where one value is needed: aggregate them with avg, sum, min or max")]
    Many {
        /// How many.
        count: usize,
    },
    /// Not a number or infinite, which is no measurement.
    #[error("the query returned {value}, which is not a measurement")]
    NotFinite {
        /// `NaN`, `inf` or `-inf`.
        value: String,
    },
}

impl PromValue {
    /// The one finite value of a query that must have exactly one.
    pub fn single(&self) -> Result<f64, PromError> {
        let value = match self {
            PromValue::Scalar(value) => *value,
            PromValue::Vector(samples) => match samples.as_slice() {
                [] => return Err(PromError::NoData),
                [sample] => sample.value,
                more => return Err(PromError::Many { count: more.len() }),
            },
        };
        if value.is_finite() { Ok(value) } else { Err(PromError::NotFinite { value: value.to_string() }) }
    }
}

/// Answers `query` as of `at`.
pub fn instant(query: &str, scrapes: &Scrapes, at: Timestamp) -> Result<PromValue, PromError> {
    evaluate::evaluate(&parse::parse(query)?, scrapes, at)
}

/// Checks that `query` can be answered at all, before there is anything to answer it from.
pub fn check(query: &str) -> Result<(), PromError> {
    evaluate::evaluate(&parse::parse(query)?, &Scrapes::default(), Timestamp::UNIX_EPOCH).map(drop)
}

#[cfg(test)]
mod tests;
