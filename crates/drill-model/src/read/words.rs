//! The words of complaints: what was found, what was expected, what was probably meant, what to write.

use granit_parser::ErrorKind;
use serde::de::Unexpected;

use super::finding::Step;

/// How much of the given text a message repeats.
const MOST_REPEATED: usize = 60;

/// The text without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

/// True for what is not seen, or changes how the rest is seen: controls, marks of direction, empty spaces without a width.
pub(crate) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Splits what a type says of its own text into what is wrong and what to write.
///
/// The types of this crate write both with a colon between; a colon inside of backticks is somebody's text.
pub(super) fn split(text: &str) -> (String, Option<String>) {
    let mut quoted = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '`' => quoted = !quoted,
            ':' if !quoted => {
                if let Some(help) = text[at + 1..].strip_prefix(' ') {
                    let help = match help.strip_prefix("expected ") {
                        Some(rule) => format!("write {rule}"),
                        None => help.to_owned(),
                    };
                    return (text[..at].to_owned(), Some(help));
                }
            }
            _ => {}
        }
    }
    (text.to_owned(), None)
}

/// What was found.
pub(super) fn found(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(truth) => format!("`{truth}`"),
        Unexpected::Unsigned(number) => format!("the number `{number}`"),
        Unexpected::Signed(number) => format!("the number `{number}`"),
        Unexpected::Float(number) => format!("the number `{number}`"),
        Unexpected::Str(text) => format!("the text `{}`", text.chars().take(MOST_REPEATED).collect::<String>()),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// What was expected, from the words of serde's own types.
pub(super) fn expected(words: &str) -> String {
    match words {
        "a string" | "a borrowed string" | "string or map" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        "f64" => "a number".to_owned(),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "a nonzero u16" => format!("a whole number from 1 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "a nonzero u32" => format!("a whole number from 1 to {}", u32::MAX),
        other => match other.strip_prefix("struct ") {
            Some(name) => noun(name).to_owned(),
            None => other.to_owned(),
        },
    }
}

/// What to write where a value of another type stands, if that can be said from the two alone.
pub(super) fn help_with_type(found: Unexpected<'_>, expected: &str) -> Option<String> {
    match (found, expected) {
        (Unexpected::Bool(truth), "a string") => Some(format!("put quotes around it: `\"{truth}\"`")),
        (Unexpected::Unsigned(number), "a string") => Some(format!("put quotes around it: `\"{number}\"`")),
        (Unexpected::Signed(_) | Unexpected::Float(_), "a string") => Some("put quotes around it".to_owned()),
        (Unexpected::Str(text), "a sequence") if text.len() < MOST_REPEATED => {
            Some(format!("write a list: `[{text}]`"))
        }
        (Unexpected::Str(text), _) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Some(format!("remove the quotes: `{text}`"))
        }
        (_, "u16" | "u32" | "a nonzero u16" | "a nonzero u32") => Some(format!("write {}", self::expected(expected))),
        _ => None,
    }
}

/// What may stand here, and which of it was probably meant.
pub(super) fn choose(word: &str, allowed: &[&str]) -> String {
    let all = allowed.join(", ");
    if word.eq_ignore_ascii_case("true") && allowed.contains(&"on") {
        return "write `on`: a tool that reads YAML 1.1 took it for true, and wrote that back".to_owned();
    }
    match nearest(word, allowed) {
        Some(meant) if allowed.len() > 1 => format!("did you mean `{meant}`? allowed here: {all}"),
        Some(meant) => format!("write `{meant}`"),
        None if allowed.is_empty() => "remove it: nothing can be written here".to_owned(),
        None => format!("allowed here: {all}"),
    }
}

/// The time of day that digits are meant for: `0900`, `9:00` and `9.00` are `09:00`.
pub(crate) fn clock(text: &str) -> Option<String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = match text.split_once([':', '.']) {
        Some(parts) => parts,
        None if is_number(text) && text.len() >= 3 => text.split_at(text.len() - 2),
        None => return None,
    };
    if !is_number(hours) || !is_number(minutes) || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then(|| format!("{hours:02}:{minutes:02}"))
}

/// What to write for a time of day that was written as a number.
pub(super) fn clock_help(text: &str) -> String {
    // YAML 1.1 counts in sixties: a tool that reads it writes `17:00` back as 1020.
    let counted = text.parse().ok().filter(|minutes: &u16| !text.starts_with('0') && *minutes < 24 * 60);
    let counted = counted.map(|minutes| format!("{:02}:{:02}", minutes / 60, minutes % 60));
    match (clock(text), counted) {
        (Some(read), Some(counted)) if read != counted => {
            format!("write `\"{read}\"`, or `\"{counted}\"` if a tool that reads YAML 1.1 wrote the number")
        }
        (Some(time), _) => format!("write `\"{time}\"`"),
        (None, Some(counted)) => format!("write `\"{counted}\"` if a tool that reads YAML 1.1 wrote the number"),
        (None, None) => "write it in quotes, such as `\"17:00\"`".to_owned(),
    }
}

/// The allowed word that is nearest to another, if any is near.
pub(crate) fn nearest<'a>(word: &str, allowed: &[&'a str]) -> Option<&'a str> {
    let sorted = |text: &str| {
        let mut parts: Vec<String> =
            text.split(['-', '_', ' ']).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
        let joined = parts.join("-");
        parts.sort();
        (joined, parts.join("-"))
    };
    let (word, word_sorted) = sorted(&word.chars().take(MOST_REPEATED).collect::<String>());
    let distance = |candidate: &str| {
        let (candidate, candidate_sorted) = sorted(candidate);
        let edits = strsim::osa_distance(&word, &candidate).min(strsim::osa_distance(&word_sorted, &candidate_sorted));
        let contained =
            word.len().min(candidate.len()) >= 4 && (candidate.contains(&word) || word.contains(&candidate));
        if contained { edits.min(1) } else { edits }
    };
    let bound = (word.chars().count() / 3).max(1);
    let (least, meant) =
        allowed.iter().map(|candidate| (distance(candidate), *candidate)).min_by_key(|(edits, _)| *edits)?;
    (least <= bound).then_some(meant)
}

/// What a mapping of this type is called.
pub(super) fn noun(name: &str) -> &str {
    match name {
        "Experiment" => "an experiment",
        "TargetSpec" => "a group of targets",
        "Dependency" => "a dependency",
        "Entry" => "a fault",
        "Probe" => "a probe",
        "Guards" => "`guards`",
        "StopCondition" => "a stop condition",
        "Window" => "a window",
        "ApprovalRule" => "`approval`",
        "Observe" => "`observe`",
        "Recovery" => "`recovery`",
        "Criterion" => "a criterion",
        "Notify" => "`notify`",
        "Tolerance" => "a tolerance",
        "Degraded" => "`degraded`",
        "CloudWatchProbe" => "`cloudwatch`",
        "AlarmProbe" => "`alarm`",
        "PrometheusProbe" => "`prometheus`",
        "HttpProbe" => "`http`",
        "CapacityProbe" => "`capacity`",
        "HostHealthProbe" => "`host_health`",
        other => other,
    }
}

/// What to write for a field, by an example of it; `missing` when it has to be added.
pub(super) fn example(steps: &[Step], missing: Option<&str>) -> String {
    let mut fields = steps.iter().filter_map(|step| match step {
        Step::Field(name) => Some(name.as_str()),
        Step::Item(_) => None,
    });
    let field = missing.or_else(|| fields.next()).unwrap_or_default();
    let around: Vec<&str> = fields.collect();
    let example = super::examples::of(field, &around);
    match (missing, example) {
        (Some(_), Some(example)) => format!("add `{example}`"),
        (Some(field), None) => format!("add `{field}:` with its value"),
        (None, Some(example)) => format!("write for example `{example}`"),
        (None, None) if steps.is_empty() => "begin with `id: the-name-of-your-experiment`".to_owned(),
        (None, None) => "see the schema of an experiment for what can be written here".to_owned(),
    }
}

/// What to do about a text that is not YAML.
pub(super) fn syntax_help(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            format!("close the `{open}` with `{close}`")
        }
        ErrorKind::UnclosedQuotedScalar => "close the quotes".to_owned(),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => "indent with spaces: YAML does not read tabs there".to_owned(),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement | ErrorKind::SimpleKeyExpected => {
            "put quotes around a text with `: ` in it, and check the indentation".to_owned()
        }
        ErrorKind::UnexpectedCharacter { character } => {
            format!("put quotes around a text that begins with `{character}`")
        }
        _ => "check the indentation, the brackets and the quotes here and on the line before".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_is_the_nearest_or_none() {
        let kinds = ["process-kill", "network-latency", "network-loss", "instance-terminate"];

        assert_eq!(nearest("network-latancy", &kinds), Some("network-latency"));
        assert_eq!(nearest("networkLatency", &kinds), Some("network-latency"));
        assert_eq!(nearest("kill-process", &kinds), Some("process-kill"));
        assert_eq!(nearest("terminate", &kinds), Some("instance-terminate"));
        assert_eq!(nearest("network_loss", &kinds), Some("network-loss"));
        assert_eq!(nearest("dns", &kinds), None);
        assert_eq!(nearest("", &kinds), None);
    }

    #[test]
    fn a_time_of_day_is_found_in_digits() {
        for (text, expected) in [
            ("0900", Some("09:00")),
            ("900", Some("09:00")),
            ("1730", Some("17:30")),
            ("9:05", Some("09:05")),
            ("17.30", Some("17:30")),
            ("2400", None),
            ("1760", None),
            ("17", None),
            ("17:5", None),
            ("5pm", None),
            ("é:00", None),
            ("12345", None),
        ] {
            assert_eq!(clock(text).as_deref(), expected, "{text}");
        }
        assert_eq!(clock_help("0900"), "write `\"09:00\"`");
        assert_eq!(
            clock_help("1020"),
            "write `\"10:20\"`, or `\"17:00\"` if a tool that reads YAML 1.1 wrote the number"
        );
        assert_eq!(clock_help("1080"), "write `\"18:00\"` if a tool that reads YAML 1.1 wrote the number");
        assert_eq!(clock_help("1730"), "write `\"17:30\"`");
        assert_eq!(clock_help("99999"), "write it in quotes, such as `\"17:00\"`");
    }

    #[test]
    fn a_colon_in_somebodys_text_does_not_end_the_message() {
        assert_eq!(
            split("`a: b` is not a probe name: expected 1 to 64 letters"),
            ("`a: b` is not a probe name".to_owned(), Some("write 1 to 64 letters".to_owned()))
        );
        assert_eq!(split("no help here"), ("no help here".to_owned(), None));
    }

    #[test]
    fn a_terminal_is_never_told_what_to_do() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c"), "a\u{fffd}[31mb\u{fffd}c");
    }
}
