//! What the list of invocations shows of a document's output: the standard output, a line, the standard error, all cut.
//!
//! The agent joins the two and keeps 2,400 bytes; when both are long it cuts the first in its middle.

use drill_phases::ports::HostAnswer;

/// The line that the agent writes between the two.
const BETWEEN: &str = "\n----------ERROR-------\n";
/// What the agent writes where it cut the standard output.
const CUT: &str = "---Output truncated---";
/// An output of this length may have been cut by the service, which leaves no mark.
const LONG: usize = 2_400;

/// The standard output alone.
fn standard_output(shown: &str) -> &str {
    shown.split_once(BETWEEN).map_or(shown, |(output, _)| output)
}

/// What a shown output says.
pub(crate) fn read(shown: &str) -> HostAnswer {
    HostAnswer::from_output(standard_output(shown))
}

/// True when the whole output may say more than what is shown.
pub(crate) fn is_cut(shown: &str) -> bool {
    shown.len() >= LONG || standard_output(shown).ends_with(CUT)
}

#[cfg(test)]
mod tests {
    use drill_model::host::HostOutcome;

    use super::*;

    const REPORT: &str = r#"{"stormdrill":1,"outcome":"refused","reason":"foreign-qdisc"}"#;

    fn outcome(answer: &HostAnswer) -> Option<HostOutcome> {
        if let HostAnswer::Report(report) = answer { Some(report.outcome) } else { None }
    }

    #[test]
    fn what_a_document_complains_of_does_not_hide_its_report() {
        let shown =
            format!("{REPORT}\n\n----------ERROR-------\ntc: no such device\nfailed to run commands: exit status 3");

        assert_eq!(outcome(&read(&shown)), Some(HostOutcome::Refused));
    }

    #[test]
    fn complaints_alone_are_no_report() {
        let shown = format!("\n----------ERROR-------\n{REPORT}");

        assert_eq!(read(&shown), HostAnswer::Silent("no report in the output".to_owned()));
    }

    #[test]
    fn an_output_that_was_cut_is_seen() {
        assert!(is_cut("{\"stormdrill\":1,\"outco\n---Output truncated---\n----------ERROR-------\nlong"));
        assert!(is_cut(&"x".repeat(2_400)));
        assert!(!is_cut(REPORT));
    }
}
