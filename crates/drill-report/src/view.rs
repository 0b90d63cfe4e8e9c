//! What the documents show, in words and coordinates: HTML and Markdown are made from this one view.

mod chart;
mod ledger;
mod settings;
mod targets;
mod timeline;
mod unknown;

use askama::Template;
use drill_model::report::Report;
use drill_model::verdict::{Finding, Judgement, Verdict};

use self::chart::Chart;
use self::ledger::Ledger;
pub(crate) use self::ledger::is_residue;
use self::settings::Setting;
use self::targets::Group;
use self::timeline::Moment;
use crate::words;

/// What the documents show.
pub(crate) struct View {
    verdict: Verdict,
    title: String,
    hypothesis: Option<String>,
    reason: String,
    recovery: String,
    findings: Vec<Line>,
    charts: Vec<Chart>,
    timeline: Vec<Moment>,
    unknown: Vec<String>,
    targets: Vec<Group>,
    ledger: Ledger,
    settings: Vec<Setting>,
}

/// One finding.
struct Line {
    word: &'static str,
    about: String,
    seen: String,
}

impl View {
    pub(crate) fn of(report: &Report, judgement: &Judgement) -> Self {
        let experiment = report.plan.as_ref().map(|plan| &plan.scope.experiment);
        let line = |finding: &Finding| Line {
            word: words::holds(finding.holds),
            about: finding.about.clone(),
            seen: finding.seen.clone(),
        };
        Self {
            verdict: judgement.verdict,
            title: title(report),
            hypothesis: experiment.map(|experiment| experiment.hypothesis.clone()),
            reason: words::reason(judgement),
            recovery: judgement.recovery.to_string(),
            findings: judgement.findings.iter().map(line).collect(),
            charts: chart::of(report),
            timeline: timeline::of(report),
            unknown: unknown::of(report, judgement),
            targets: targets::of(report),
            ledger: Ledger::of(report),
            settings: settings::of(report),
        }
    }

    pub(crate) fn html(&self) -> String {
        Html { view: self }.render().expect("writing to a String succeeds")
    }

    pub(crate) fn markdown(&self) -> String {
        Markdown { view: self }.render().expect("writing to a String succeeds")
    }
}

/// What the run is called: the title of its experiment, else its id, else the run's.
pub(crate) fn title(report: &Report) -> String {
    let experiment = report.plan.as_ref().map(|plan| plan.scope.experiment.title.clone());
    experiment.unwrap_or_else(|| {
        report.run.experiment.as_ref().map_or_else(|| report.run.id.to_string(), ToString::to_string)
    })
}

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "report.md")]
struct Markdown<'a> {
    view: &'a View,
}
