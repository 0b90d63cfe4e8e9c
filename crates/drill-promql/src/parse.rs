//! Text to a query: a hand-written parser of the subset, that says where and what.

use std::time::Duration;

use regex_lite::Regex;

use super::PromError;
use crate::query::{Aggregate, Matcher, Operator, Query, Selector};

/// Reads a whole query.
pub(super) fn parse(query: &str) -> Result<Query, PromError> {
    let mut parser = Parser { query, at: 0 };
    let parsed = parser.sum()?;
    parser.space();
    match parser.rest() {
        "" => Ok(parsed),
        rest => Err(parser.unexpected(rest)),
    }
}

struct Parser<'query> {
    query: &'query str,
    at: usize,
}

impl<'query> Parser<'query> {
    fn sum(&mut self) -> Result<Query, PromError> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Plus,
                Some('-') => Operator::Minus,
                _ => return Ok(left),
            };
            self.at += 1;
            self.modifier()?;
            left = Query::Arithmetic(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Query, PromError> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Times,
                Some('/') => Operator::Over,
                _ => return Ok(left),
            };
            self.at += 1;
            self.modifier()?;
            left = Query::Arithmetic(operator, Box::new(left), Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<Query, PromError> {
        if self.take("-") {
            return Ok(Query::Negative(Box::new(self.signed()?)));
        }
        self.take("+");
        self.operand()
    }

    fn operand(&mut self) -> Result<Query, PromError> {
        let operand = match self.peek() {
            Some('(') => {
                self.expect("(")?;
                let inner = self.sum()?;
                self.expect(")")?;
                inner
            }
            Some('{') => self.selector(None)?,
            Some(digit) if digit.is_ascii_digit() || digit == '.' => self.number()?,
            Some(letter) if is_name(letter) => self.named()?,
            Some(_) => return Err(self.unexpected(self.rest())),
            None => return Err(self.wrong("it ends where a value is needed")),
        };
        self.space();
        let word: String = self.rest().chars().take_while(|letter| letter.is_ascii_alphabetic()).collect();
        match (word.as_str(), self.peek()) {
            ("offset" | "and" | "or" | "unless" | "bool" | "atan2", _) => Err(unknown(format!("`{word}`"))),
            (_, Some(symbol @ ('@' | '%' | '^' | '<' | '>' | '='))) => Err(unknown(format!("`{symbol}`"))),
            (_, Some('!')) => Err(unknown("`!=` between values")),
            _ => Ok(operand),
        }
    }

    fn number(&mut self) -> Result<Query, PromError> {
        let rest = self.rest();
        let length = rest
            .char_indices()
            .find(|(at, letter)| {
                let exponent = at.checked_sub(1).and_then(|before| rest.get(before..*at));
                let sign = matches!(letter, '+' | '-') && exponent.is_some_and(|before| matches!(before, "e" | "E"));
                !(letter.is_ascii_alphanumeric() || *letter == '.' || sign)
            })
            .map_or(rest.len(), |(at, _)| at);
        let text = rest.get(..length).unwrap_or_default();
        let value = text.parse().map_err(|_| self.wrong(&format!("`{text}` is not a number")))?;
        self.at += length;
        Ok(Query::Number(value))
    }

    fn named(&mut self) -> Result<Query, PromError> {
        let name = self.name();
        let aggregate = match name {
            "sum" => Some(Aggregate::Sum),
            "avg" => Some(Aggregate::Avg),
            "min" => Some(Aggregate::Min),
            "max" => Some(Aggregate::Max),
            "count" => Some(Aggregate::Count),
            _ => None,
        };
        self.space();
        let opens = self.peek() == Some('(');
        match (name, aggregate) {
            (_, Some(how)) if opens || self.rest().starts_with("by") || self.rest().starts_with("without") => {
                self.aggregate(how)
            }
            ("rate" | "increase", _) if opens => {
                let of = Box::new(self.arguments::<1>(name)?.remove(0));
                Ok(Query::Counter { per_second: name == "rate", of })
            }
            ("histogram_quantile", _) if opens => {
                let mut arguments = self.arguments::<2>(name)?;
                let (of, quantile) = (arguments.remove(1), arguments.remove(0));
                Ok(Query::Quantile(Box::new(quantile), Box::new(of)))
            }
            ("inf" | "Inf" | "nan" | "NaN", _) => Err(unknown(format!("the number `{name}`"))),
            _ if opens => Err(unknown(format!("the function `{name}`"))),
            _ => self.selector(Some(name.to_owned())),
        }
    }

    fn aggregate(&mut self, how: Aggregate) -> Result<Query, PromError> {
        let mut by = self.grouping()?;
        self.expect("(")?;
        let of = Box::new(self.sum()?);
        if self.peek() == Some(',') {
            return Err(unknown("an aggregation with a parameter"));
        }
        self.expect(")")?;
        if by.is_none() {
            by = self.grouping()?;
        }
        Ok(Query::Aggregate { how, by: by.unwrap_or_default(), of })
    }

    fn grouping(&mut self) -> Result<Option<Vec<String>>, PromError> {
        self.space();
        if self.rest().starts_with("without") {
            return Err(unknown("`without`"));
        }
        if !self.rest().starts_with("by") {
            return Ok(None);
        }
        self.at += "by".len();
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            labels.push(self.label()?);
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(Some(labels))
    }

    fn arguments<const COUNT: usize>(&mut self, function: &str) -> Result<Vec<Query>, PromError> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        loop {
            arguments.push(self.sum()?);
            if !self.take(",") {
                break;
            }
        }
        self.expect(")")?;
        match arguments.len() {
            count if count == COUNT => Ok(arguments),
            count => Err(self.wrong(&format!("`{function}` takes {COUNT} arguments, not {count},"))),
        }
    }

    fn selector(&mut self, name: Option<String>) -> Result<Query, PromError> {
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                matchers.push(self.matcher()?);
                if !self.take(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        if name.is_none() && matchers.is_empty() {
            return Err(self.wrong("a selector that selects everything"));
        }
        let selector = Selector { name, matchers };
        if !self.take("[") {
            return Ok(Query::Selector(selector));
        }
        let range = self.duration()?;
        if self.take(":") {
            return Err(unknown("a subquery"));
        }
        self.expect("]")?;
        Ok(Query::Range(selector, range))
    }

    fn matcher(&mut self) -> Result<(String, Matcher), PromError> {
        let label = self.label()?;
        // Longest first.
        let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| self.take(operator));
        let operator = operator.ok_or_else(|| self.wrong("`=`, `!=`, `=~` or `!~` is needed"))?;
        let value = self.text()?;
        let pattern = |value: &str| {
            Regex::new(&format!("^(?s:{value})$")).map_err(|error| self.wrong(&format!("bad pattern: {error}")))
        };
        let matcher = match operator {
            "=" => Matcher::Is(value),
            "!=" => Matcher::IsNot(value),
            "=~" => Matcher::Fits(pattern(&value)?),
            _ => Matcher::FitsNot(pattern(&value)?),
        };
        Ok((label, matcher))
    }

    fn text(&mut self) -> Result<String, PromError> {
        self.space();
        let quote = match self.peek() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Err(self.wrong("a quoted text is needed")),
        };
        let mut value = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                letter if letter == quote => {
                    self.at += at + 1;
                    return Ok(value);
                }
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, letter @ ('\\' | '"' | '\''))) => value.push(letter),
                    _ => return Err(self.wrong("an escape that is not `\\\\`, `\\n` or a quote")),
                },
                letter => value.push(letter),
            }
        }
        Err(self.wrong("a text that does not end"))
    }

    fn duration(&mut self) -> Result<Duration, PromError> {
        self.space();
        let mut millis: u64 = 0;
        loop {
            let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
            self.at += digits.len();
            let unit: String = self.rest().chars().take_while(char::is_ascii_alphabetic).collect();
            self.at += unit.len();
            let scale = match unit.as_str() {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return Err(self.wrong("a duration is needed, such as `30s` or `5m`")),
            };
            let part = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
            millis =
                part.and_then(|part| millis.checked_add(part)).ok_or_else(|| self.wrong("a duration is needed"))?;
            if !self.rest().starts_with(|next: char| next.is_ascii_digit()) {
                return match millis {
                    0 => Err(self.wrong("a duration of nothing")),
                    millis => Ok(Duration::from_millis(millis)),
                };
            }
        }
    }

    /// After an operator: what would change how vectors are matched.
    fn modifier(&mut self) -> Result<(), PromError> {
        self.space();
        let word: String = self.rest().chars().take_while(|letter| is_name(*letter)).collect();
        match word.as_str() {
            "on" | "ignoring" | "bool" => Err(unknown(format!("`{word}`"))),
            _ => Ok(()),
        }
    }

    fn label(&mut self) -> Result<String, PromError> {
        self.space();
        match self.name() {
            "" => Err(self.wrong("the name of a label is needed")),
            name => Ok(name.to_owned()),
        }
    }

    fn name(&mut self) -> &'query str {
        let rest = self.rest();
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn rest(&self) -> &'query str {
        self.query.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        self.at = self.query.len() - self.rest().trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.space();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn expect(&mut self, wanted: &str) -> Result<(), PromError> {
        if self.take(wanted) { Ok(()) } else { Err(self.wrong(&format!("`{wanted}` is needed"))) }
    }

    fn unexpected(&self, rest: &str) -> PromError {
        self.wrong(&format!("`{}` does not belong", rest.chars().take(12).collect::<String>()))
    }

    fn wrong(&self, problem: &str) -> PromError {
        let column = self.query.get(..self.at).map_or(0, |before| before.chars().count()) + 1;
        PromError::Syntax { query: self.query.to_owned(), problem: problem.to_owned(), column }
    }
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

fn unknown(what: impl Into<String>) -> PromError {
    PromError::Unknown { what: what.into() }
}
