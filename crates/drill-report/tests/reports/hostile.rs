//! Text that wants to be markup, to hide, or to break a message: it stays text, and stays visible.

use drill_model::faults::Change;
use drill_model::ledger::State;
use drill_model::observation::{AlarmReading, AlarmState, Reading};
use drill_model::report::Report;
use drill_model::run::Ending;
use drill_report::{notice, render};
use proptest::prelude::*;
use roxmltree::{Document, Node, ParsingOptions};

use super::fixture;

const HOSTILE: &str = "</td></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>]]>&amp;{{ 7 * 7 }}\n| # [a](javascript:x) `b` **c**";

/// A run that says `text` wherever somebody else's text can stand.
fn saying(text: &str) -> Report {
    let mut report = fixture::stuck();
    report.run.execution = text.to_owned();
    report.run.requested_by = text.to_owned();
    report.run.ending = Some(Ending::Failed { error: text.to_owned(), cause: text.to_owned() });
    report.run.approval = drill_model::approval::Approval::Denied { by: text.to_owned(), why: text.to_owned() };
    // The plan is altered below, and is not what is tested here.
    report.run.plan = None;
    let scope = &mut report.plan.as_mut().unwrap().scope;
    scope.account = text.to_owned();
    scope.region = text.to_owned();
    scope.experiment.title = text.to_owned();
    scope.experiment.hypothesis = text.to_owned();
    if let Change::Host(order) = &mut report.ledger[0].change {
        order.parameters.insert(text.to_owned(), text.to_owned());
    }
    report.ledger[1].state = State::Abandoned { by: text.to_owned(), why: text.to_owned() };
    report.samples[6].readings[fixture::LATENCY].reading = Reading::unknown(text);
    if let Ok(alarm) = text.replace(char::is_control, " ").trim().try_into() {
        report.samples[6].alarms.push(AlarmReading { alarm, state: AlarmState::Unknown(text.to_owned()) });
    }
    report
}

fn parse(html: &str) -> Document<'_> {
    Document::parse_with_options(html, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() })
        .unwrap_or_else(|error| panic!("{error}: {html}"))
}

fn elements(document: &Document<'_>) -> Vec<String> {
    let mut names: Vec<String> =
        document.descendants().filter(Node::is_element).map(|node| node.tag_name().name().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn html_stays_html_whatever_the_names_say() {
    let html = render(&saying(HOSTILE)).html;
    let document = parse(&html);

    let allowed = [
        "body",
        "circle",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "head",
        "header",
        "html",
        "li",
        "line",
        "meta",
        "p",
        "polyline",
        "rect",
        "section",
        "span",
        "strong",
        "style",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ];
    for name in elements(&document) {
        assert!(allowed.contains(&name.as_str()), "there is a <{name}>");
    }
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        let name = attribute.name();
        assert!(!name.starts_with("on") && !["href", "src", "style"].contains(&name), "there is a {name}");
    }
    let texts: String = document.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    // The title of the page and the heading, the hypothesis, who asked and others.
    assert!(texts.matches(HOSTILE).count() > 8, "{texts}");
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for report in [fixture::supported(), fixture::refuted(), fixture::refused(), fixture::stuck()] {
        let html = render(&report).html;
        let document = parse(&html);

        assert!(html.contains("default-src 'none'"));
        for name in ["script", "link", "img", "iframe", "object", "a"] {
            assert!(document.descendants().all(|node| !node.has_tag_name(name)), "there is a <{name}>");
        }
        assert!(!html.contains("url(") && !html.contains("@import") && !html.contains("http://"), "{html}");
    }
}

#[test]
fn no_template_goes_around_the_escaping() {
    let templates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap();
    for template in templates {
        let path = template.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("|safe") && !text.contains("| safe"), "{}", path.display());
    }
}

#[test]
fn junit_stays_xml_and_keeps_the_text() {
    let junit = render(&saying(HOSTILE)).junit;
    let document = Document::parse(&junit).unwrap();

    let messages: String = document.descendants().filter_map(|node| node.attribute("message")).collect();
    // A line break in an attribute is a blank to whoever reads it.
    assert!(messages.contains(&HOSTILE.replace('\n', " ")), "{messages}");
}

#[test]
fn markdown_has_no_markup_of_others_and_keeps_its_columns() {
    let markdown = render(&saying(HOSTILE)).markdown;

    assert!(!markdown.contains('<') && !markdown.contains("[a](") && !markdown.contains("`b`"), "{markdown}");
    let mut columns = 0;
    for line in markdown.lines() {
        let bars = line.matches('|').count() - line.matches("\\|").count();
        if line.starts_with("| --- ") {
            columns = bars;
        } else if line.starts_with('|') && columns > 0 {
            assert_eq!(bars, columns, "{line}");
        } else {
            columns = 0;
        }
    }
}

#[test]
fn nothing_is_hidden_and_nothing_reordered() {
    let rendered = render(&saying("safe\u{202e}gnp.exe\u{0}\u{1b}[31m\u{200b}\u{feff}"));

    for text in [&rendered.html, &rendered.markdown, &rendered.junit] {
        assert!(text.contains("safe\u{fffd}gnp.exe\u{fffd}\u{fffd}"), "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}') && !text.contains('\0'));
    }
}

#[test]
fn a_notice_cannot_be_given_lines_of_its_own() {
    let notice = notice(&saying("x\nNot known to be gone:\r\n- nothing"));

    assert_eq!(notice.body.lines().filter(|line| *line == "Not known to be gone:").count(), 1);
    assert!(!notice.body.contains('\r'));
}

/// Any letter, and more often one that means something to a parser.
fn letter() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        prop::sample::select(
            "<>&\"'`|\\[](){}#*_!~$-]\n\r\t\0\u{1b}\u{85}\u{2028}\u{202e}\u{ffff}".chars().collect::<Vec<_>>()
        )
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_leaves_every_document_whole(letters in prop::collection::vec(letter(), 0..40)) {
        let text: String = letters.into_iter().collect();
        let report = saying(&text);
        let rendered = render(&report);
        let notice = notice(&report);

        parse(&rendered.html);
        let junit = Document::parse(&rendered.junit);
        prop_assert!(junit.is_ok(), "{:?}", junit.err());
        prop_assert!(serde_json::from_str::<Report>(&rendered.json).is_ok());
        prop_assert!(notice.subject.len() < 100);
        prop_assert!(notice.subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert!(notice.body.chars().all(|letter| letter == '\n' || !letter.is_control()));
    }
}

#[test]
fn the_longest_names_fit_into_a_subject() {
    let mut report = fixture::stuck();
    report.run.experiment = Some("x".repeat(64).as_str().try_into().unwrap());
    report.run.environment = Some("y".repeat(64).as_str().try_into().unwrap());

    let subject = notice(&report).subject;

    assert_eq!(subject.len(), 99);
    assert!(subject.starts_with("Stormdrill STUCK"));
}

#[test]
fn extreme_numbers_are_drawn_inside_of_the_picture() {
    let mut report = fixture::supported();
    for (index, value) in [(5, f64::MAX), (6, f64::MIN), (7, 5e-324), (8, -0.0)] {
        report.samples[index].readings[fixture::LATENCY].reading = Reading::from_number(value);
    }
    report.samples[9].at = jiff::Timestamp::MAX;
    report.samples[10].at = jiff::Timestamp::MIN;

    let html = render(&report).html;

    for node in parse(&html).descendants() {
        for name in ["x", "y", "cx", "cy", "x1", "x2", "y1", "y2", "width", "height"] {
            let Some(place) = node.attribute(name) else { continue };
            let place: f64 = place.parse().unwrap_or_else(|_| panic!("{name} is {place}"));
            assert!((0.0..=720.0).contains(&place), "{name} is {place}");
        }
    }
}
