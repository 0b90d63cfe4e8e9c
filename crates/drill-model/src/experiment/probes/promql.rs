//! As much of PromQL as it takes to know how far back a query looks.

use crate::quantity::Span;

/// The longest range in the query, outside of quotes; the range of a subquery `[1h:5m]` is the part before the colon.
pub(super) fn longest_range(query: &str) -> Option<Span> {
    let mut quote = None;
    let mut escaped = false;
    let mut opened = None;
    let mut longest = None;
    for (at, letter) in query.char_indices() {
        match (quote, letter) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"' | '\''), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(letter),
            (None, '[') => opened = Some(at + 1),
            (None, ']') => longest = longest.max(opened.take().and_then(|from| span(&query[from..at]))),
            (None, _) => {}
        }
    }
    longest
}

/// A duration as Prometheus writes it. It has weeks and years, which a [`Span`] is not written with.
fn span(range: &str) -> Option<Span> {
    let mut rest = range.split(':').next()?.trim();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            _ => return None,
        };
        millis = rest[..digits].parse::<u64>().ok()?.checked_mul(unit)?.checked_add(millis)?;
        rest = &rest[digits + letters..];
    }
    (millis > 0).then(|| Span::millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_looks_back_as_far_as_its_longest_range() {
        for (query, expected) in [
            ("avg(up) * 100", None),
            ("sum(rate(http_requests_total[5m]))", Some(Span::seconds(300))),
            ("sum(rate(x[1m])) / sum(rate(y[1h30m]))", Some(Span::seconds(5_400))),
            ("max_over_time(rate(x[30s])[1h:5m])", Some(Span::seconds(3_600))),
            ("rate(x[ 90s ])", Some(Span::seconds(90))),
            ("rate(x[1w])", Some(Span::seconds(7 * 86_400))),
            (r#"up{path="/a[5m]"}"#, None),
            (r#"up{path="\"[5m]"}"#, None),
            (r"up{path=`[5m]`}", None),
            (r#"rate(up{path='"'}[5m])"#, Some(Span::seconds(300))),
            ("rate(x[5])", None),
            ("]5m[", None),
        ] {
            assert_eq!(longest_range(query), expected, "{query}");
        }
    }
}
