//! Answers worked out by hand by Prometheus's rules.

use super::*;
use crate::scrape::parse as samples;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Four hosts, one of them down, and two counters scraped every second from 0 to 60.
fn kept() -> Scrapes {
    let mut scrapes = Scrapes::default();
    for now in 0..=60 {
        let text = format!(
            "up{{job=\"order-service\",instance=\"a\"}} 1\nup{{job=\"order-service\",instance=\"b\"}} 1\n\
             up{{job=\"order-service\",instance=\"c\"}} 1\nup{{job=\"order-service\",instance=\"d\"}} 0\n\
             up{{job=\"orders-db\",instance=\"e\"}} 1\n\
             orders_total{{outcome=\"accepted\"}} {}\norders_total{{outcome=\"failed\"}} {}\n",
            1_000 + now * 10,
            now % 30,
        );
        scrapes.keep(second(now), samples(&text).unwrap());
    }
    scrapes
}

fn check_value(query: &str, expected: f64) {
    let value = instant(query, &kept(), second(60)).unwrap().single().unwrap();
    assert!((value - expected).abs() < 1e-9, "{query}: {value}, expected {expected}");
}

#[test]
fn what_experiments_ask_is_answered() {
    check_value("avg(up{job=\"order-service\"}) * 100", 75.0);
    check_value("sum(up{job='order-service'})", 3.0);
    check_value("count(up{job=~\"order.*\",instance!=\"a\"})", 4.0);
    check_value("count(up{job!~\"order-.*\"})", 1.0);
    check_value("min by (job) (up{job=\"order-service\"})", 0.0);
    check_value("max(up{job=\"orders-db\"}) by (job,) + 0", 1.0);
}

#[test]
fn counters_grow_by_what_they_grew() {
    check_value("rate(orders_total{outcome=\"accepted\"}[30s])", 10.0);
    check_value("increase(orders_total{outcome=\"accepted\"}[30s])", 300.0);
    // From 1 at 31 s to 29 at 59 s, then a reset to 0: 28 over 29 s, and the window is stretched by the missing second.
    check_value("increase(orders_total{outcome=\"failed\"}[30s])", 28.0 * 30.0 / 29.0);
}

#[test]
fn arithmetic_has_its_usual_order_and_vectors_pair_by_labels() {
    check_value("1 + 2 * 3 - 8 / 4", 5.0);
    check_value("-(1 + 2) * 2e1", -60.0);
    check_value("100 * sum(up{job=\"order-service\"}) / count(up{job=\"order-service\"})", 75.0);
    check_value(
        "sum(rate(orders_total{outcome=\"failed\"}[10s])) / sum(rate(orders_total[10s]))",
        // Between 51 s and 60 s `failed` went from 21 to 29 and was reset to 0: 8 in 9 s.
        (8.0 / 9.0) / (8.0 / 9.0 + 10.0),
    );
}

#[test]
fn quantiles_come_from_the_buckets() {
    let mut scrapes = Scrapes::default();
    // Ninety orders of 20 ms and ten of 300 ms.
    let buckets = [("0.01", 0), ("0.025", 90), ("0.05", 90), ("0.25", 90), ("0.5", 100), ("+Inf", 100)];
    for (bound, count) in buckets {
        let text = format!("order_seconds_bucket{{le=\"{bound}\"}} {count}\n");
        scrapes.keep(second(60), samples(&text).unwrap());
    }
    let value = |query: &str| instant(query, &scrapes, second(60)).unwrap().single().unwrap();

    // 95 lies in the middle of the ten in (0.25, 0.5].
    assert!((value("histogram_quantile(0.95, order_seconds_bucket)") - 0.375).abs() < 1e-9);
    assert!(
        (value("histogram_quantile(0.5, sum by (le) (order_seconds_bucket))") - 0.01 - 0.015 * 50.0 / 90.0).abs()
            < 1e-9
    );
}

#[test]
fn what_is_not_known_is_an_error_and_never_a_number() {
    for query in [
        "absent(up)",
        "up offset 5m",
        "sum without (job) (up)",
        "up > 0",
        "up and up",
        "up == 1",
        "sum(up) / on(job) sum(up)",
        "topk(1, up)",
        "quantile(0.5, up)",
        "up[5m:1m]",
        "2 ^ 3",
        "5 % 3",
        "up @ 1",
        "NaN",
    ] {
        let told = instant(query, &kept(), second(60));
        assert!(matches!(told, Err(PromError::Unknown { .. })), "{query}: {told:?}");
    }
    for query in ["", "sum(", "sum(up", "up{", "up{job}", "up{job=a}", "up)", "{}", "rate(up[0s])", "1x", "up[5q]"] {
        let told = instant(query, &kept(), second(60));
        assert!(matches!(told, Err(PromError::Syntax { .. })), "{query}: {told:?}");
    }
    for query in ["up[5m]", "rate(up)", "rate(1)", "sum(1)", "histogram_quantile(up, up)", "sum(up[5m])"] {
        let told = instant(query, &kept(), second(60));
        assert!(matches!(told, Err(PromError::Type { .. })), "{query}: {told:?}");
    }
}

#[test]
fn one_finite_value_or_a_reason() {
    let single = |query: &str| instant(query, &kept(), second(60)).unwrap().single();

    assert_eq!(single("nothing"), Err(PromError::NoData));
    assert_eq!(single("avg(nothing)"), Err(PromError::NoData));
    assert_eq!(single("up{job=\"order-service\"}"), Err(PromError::Many { count: 4 }));
    assert_eq!(single("0 / 0"), Err(PromError::NotFinite { value: "NaN".into() }));
    assert_eq!(single("1 / sum(up{instance=\"d\"})"), Err(PromError::NotFinite { value: "inf".into() }));
    assert_eq!(instant("avg(up)", &kept(), second(64)).unwrap().single(), Err(PromError::NoData));
}

#[test]
fn a_wrong_query_is_shown_with_its_place() {
    let told = instant("avg(up{job=})", &kept(), second(60)).unwrap_err().to_string();

    assert_eq!(told, "`avg(up{job=})` is not a query: a quoted text is needed at column 12");
}

#[test]
fn a_query_can_be_checked_before_there_is_data() {
    assert_eq!(check("avg(up) * 100"), Ok(()));
    assert!(check("absent(up)").is_err());
}

mod any {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_never_panics(text in "[a-z0-9_{}()\\[\\]=~!\"', .+*/@-]{0,40}") {
            let _answered = super::check(&text);
        }
    }
}
