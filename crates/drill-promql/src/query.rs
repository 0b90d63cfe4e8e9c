//! A query, read.

use std::time::Duration;

use regex_lite::Regex;

use crate::scrape::Labels;

/// A query.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Number(f64),
    Selector(Selector),
    Range(Selector, Duration),
    Negative(Box<Query>),
    Arithmetic(Operator, Box<Query>, Box<Query>),
    Aggregate { how: Aggregate, by: Vec<String>, of: Box<Query> },
    Counter { per_second: bool, of: Box<Query> },
    Quantile(Box<Query>, Box<Query>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) name: Option<String>,
    pub(crate) matchers: Vec<(String, Matcher)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    Is(String),
    IsNot(String),
    Fits(Regex),
    FitsNot(Regex),
}

impl Selector {
    pub(crate) fn fits(&self, name: &str, labels: &Labels) -> bool {
        self.name.as_ref().is_none_or(|wanted| wanted == name)
            && self.matchers.iter().all(|(label, matcher)| {
                // A label that is not there is empty, as in Prometheus.
                let value = match label.as_str() {
                    "__name__" => name,
                    label => labels.get(label).map_or("", String::as_str),
                };
                match matcher {
                    Matcher::Is(wanted) => value == wanted,
                    Matcher::IsNot(unwanted) => value != unwanted,
                    Matcher::Fits(pattern) => pattern.is_match(value),
                    Matcher::FitsNot(pattern) => !pattern.is_match(value),
                }
            })
    }
}
