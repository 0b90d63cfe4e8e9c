//! The report of a run: the same facts as JSON, HTML, Markdown and JUnit, and as the notice that people get.
//!
//! It is a pure function of the report's data, it says what is unknown, and no text of an experiment becomes markup.

mod escape;
mod junit;
mod notice;
mod view;
mod words;

use drill_model::report::Report;
use drill_model::verdict::{Judgement, judge};

pub use self::notice::{Notice, notice};
use self::view::View;

/// A report in every form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Everything that is known, for programs: the report with its judgement.
    pub json: String,
    /// For pull requests and wikis.
    pub markdown: String,
    /// For people: one file, with charts; it loads nothing and runs nothing.
    pub html: String,
    /// For pipelines: a test case for each finding.
    ///
    /// A finding that holds passes, one that does not is a failure, and what cannot be said is an error. So a
    /// `supported` run passes; `refuted` has failures; `inconclusive`, `invalid`, `aborted`, `refused` and `stuck` have
    /// errors, and those of `stuck` name what is left behind. Only the finding of a dry run is skipped.
    pub junit: String,
}

/// Renders a report. A run that has no judgement yet is judged by its records.
pub fn render(report: &Report) -> Rendered {
    let judgement = judgement(report);
    let view = View::of(report, &judgement);
    Rendered {
        json: json(report, judgement.clone()),
        markdown: view.markdown(),
        html: view.html(),
        junit: junit::render(report, &judgement),
    }
}

fn judgement(report: &Report) -> Judgement {
    let Report { run, plan, ledger, samples } = report;
    run.judgement.clone().unwrap_or_else(|| judge(run, plan.as_ref(), ledger, samples))
}

fn json(report: &Report, judgement: Judgement) -> String {
    let mut judged = report.clone();
    judged.run.judgement = Some(judgement);
    let mut text = serde_json::to_string_pretty(&judged).expect("a report is maps with string keys, lists and texts");
    text.push('\n');
    text
}
