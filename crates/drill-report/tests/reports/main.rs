//! Reports of whole runs: what people, pipelines and pages get, and that no text of an experiment becomes markup.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made is a failed test")]

mod fixture;
mod hostile;

use drill_model::refusal::Refusal;
use drill_model::report::Report;
use drill_model::run::Ending;
use drill_model::verdict::Verdict;
use drill_report::{notice, render};

fn check(name: &str, report: &Report) {
    let rendered = render(report);
    let notice = notice(report);
    insta::assert_snapshot!(format!("{name}.md"), without_digest(report, rendered.markdown));
    insta::assert_snapshot!(format!("{name}.junit"), rendered.junit);
    insta::assert_snapshot!(format!("{name}.notice"), format!("{}\n\n{}", notice.subject, notice.body));
}

/// A digest changes with every field that an experiment may get; the snapshots shall not.
fn without_digest(report: &Report, text: String) -> String {
    report.run.plan.as_ref().map_or(text.clone(), |digest| text.replace(digest.as_str(), "DIGEST"))
}

#[test]
fn a_supported_run_is_reported() {
    check("supported", &fixture::supported());
    let html = without_digest(&fixture::supported(), render(&fixture::supported()).html);
    insta::assert_snapshot!("supported.html", html);
}

#[test]
fn a_refuted_run_is_reported() {
    check("refuted", &fixture::refuted());
}

#[test]
fn a_fault_that_vanished_is_reported() {
    let report = fixture::vanished();
    check("vanished", &report);
    let html = render(&report).html;

    for shown in [
        "began in here",
        "ended in here",
        "nobody looked from",
        "the run stops beyond 250",
        "more than 240 at",
        "slow-network was not there any more on 1 of 2 targets",
        "nothing had met it",
        "it had ended at 2026-03-02T10:00:37Z; nothing ever met it",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
}

#[test]
fn an_aborted_run_is_reported() {
    check("aborted", &fixture::aborted());
}

#[test]
fn a_refused_run_is_reported() {
    check("refused", &fixture::refused());
}

#[test]
fn a_stuck_run_is_reported() {
    check("stuck", &fixture::stuck());
    let html = without_digest(&fixture::stuck(), render(&fixture::stuck()).html);
    insta::assert_snapshot!("stuck.html", html);
}

#[test]
fn the_json_is_the_report_with_its_judgement() {
    let report = fixture::refuted();

    let read: Report = serde_json::from_str(&render(&report).json).unwrap();

    assert_eq!(read.run.judgement.as_ref().map(|judgement| judgement.verdict), Some(Verdict::Refuted));
    assert_eq!(Report { run: drill_model::run::Run { judgement: None, ..read.run }, ..read }, report);
}

#[test]
fn a_judgement_that_was_recorded_is_not_judged_again() {
    let mut report = fixture::supported();
    report.run.judgement = serde_json::from_str::<Report>(&render(&fixture::refuted()).json).unwrap().run.judgement;

    assert!(render(&report).markdown.starts_with("# refuted: "));
}

#[test]
fn the_residue_is_named_in_every_form() {
    let report = fixture::stuck();
    let rendered = render(&report);
    let notice = notice(&report);

    for (form, text) in [
        ("markdown", &rendered.markdown),
        ("html", &rendered.html),
        ("junit", &rendered.junit),
        ("notice", &notice.body),
    ] {
        for target in ["i-00000003", "i-00000007"] {
            assert!(text.contains(target), "{form} does not name {target}");
        }
    }
    assert!(notice.subject.contains("STUCK"));
}

#[test]
fn what_is_not_known_to_be_gone_is_never_cut_from_the_list() {
    let mut report = fixture::stuck();
    let open = report.ledger[0].clone();
    let gone = fixture::supported().ledger[0].clone();
    report.ledger = std::iter::repeat_n(gone, 900).chain(std::iter::repeat_n(open, 300)).collect();

    let html = render(&report).html;

    assert_eq!(html.matches("<tr class=\"residue\">").count(), 300);
    assert!(html.contains("And 700 more, all of them known to be gone."));
}

#[test]
fn a_long_list_of_targets_is_cut_and_counted() {
    let mut report = fixture::supported();
    let targets = report.plan.as_mut().unwrap().scope.targets.values_mut().next().unwrap();
    targets.selected = (0..120).map(fixture::instance).collect();

    let markdown = render(&report).markdown;

    assert!(markdown.contains("i-00000031 and 70 more"), "{markdown}");
}

#[test]
fn only_a_supported_or_a_dry_run_leaves_a_pipeline_green() {
    let with = |verdict| {
        let mut report = fixture::supported();
        let mut judgement: drill_model::verdict::Judgement =
            serde_json::from_str::<Report>(&render(&report).json).unwrap().run.judgement.unwrap();
        judgement.verdict = verdict;
        judgement.findings.clear();
        report.run.judgement = Some(judgement);
        render(&report).junit
    };
    for verdict in
        [Verdict::Refuted, Verdict::Inconclusive, Verdict::Invalid, Verdict::Aborted, Verdict::Refused, Verdict::Stuck]
    {
        assert!(with(verdict).contains("<error "), "{verdict}");
    }
    for verdict in [Verdict::Supported, Verdict::Planned] {
        assert!(!with(verdict).contains("<error "), "{verdict}");
    }
}

#[test]
fn a_dry_run_is_skipped_in_a_pipeline() {
    let mut report = fixture::supported();
    report.run.status = drill_model::run::Status::Planned;
    report.ledger.clear();
    report.samples.clear();

    let junit = render(&report).junit;

    assert!(
        junit.contains("<skipped ") && junit.contains("skipped=\"1\"") && junit.contains("errors=\"0\""),
        "{junit}"
    );
}

#[test]
fn test_cases_of_one_name_are_told_apart() {
    let mut report = fixture::refused();
    let again = Refusal::Window { why: "another one".to_owned() };
    report.run.ending = Some(Ending::Refused { reasons: vec![again.clone(), again] });

    let junit = render(&report).junit;

    assert!(junit.contains("name=\"refusal: window\"") && junit.contains("name=\"refusal: window (2)\""), "{junit}");
}

#[test]
fn the_json_has_the_guards_that_refused() {
    let json: serde_json::Value = serde_json::from_str(&render(&fixture::refused()).json).unwrap();

    let guards = json["run"]["ending"]["reasons"].as_array().unwrap().iter().map(|reason| &reason["guard"]);
    assert_eq!(guards.collect::<Vec<_>>(), ["window", "emergency-stop"]);
}
