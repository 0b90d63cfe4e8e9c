//! How a document is made: the head of its script, its parts in shell, and the guards that follow from its parameters.
//!
//! The patterns are written once and stand in the document twice: for SSM, and for the script that trusts nobody.

use std::fmt::Write as _;

use drill_faults::host::scripts;
use serde::Deserialize;

/// What begins a line of a head.
const HEAD: &str = "#:";

/// What could not be made of the sources.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A head is not one.
    #[error("the lines of {name} that begin with `#:` are not the head of a document")]
    Head {
        /// The document.
        name: String,
        /// Why not.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A head asks for a common parameter that there is not.
    #[error("{name} asks for the common parameter `{parameter}`, which common.yaml does not have")]
    Uncommon {
        /// The document.
        name: String,
        /// The parameter.
        parameter: String,
    },
    /// A head asks for a part that there is not.
    #[error("{name} asks for the part `{part}`, which is not in host/scripts.rs")]
    NoPart {
        /// The document.
        name: String,
        /// The part.
        part: String,
    },
    /// A script has something that SSM would replace before the host sees it.
    #[error("the script of {name} has `{{{{`, which SSM reads as a parameter")]
    Interpolated {
        /// The document.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    description: String,
    timeout_seconds: u32,
    parts: Vec<String>,
    /// Which of the common parameters it takes; all of them when left out.
    common: Option<Vec<String>>,
    parameters: Vec<Declared>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Declared {
    name: String,
    description: String,
    pattern: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    length: usize,
    default: Option<String>,
}

impl Declared {
    fn pattern(&self) -> String {
        self.pattern.clone().unwrap_or_else(|| format!("^({})$", self.values.join("|")))
    }
}

/// Makes the text of a document from its script, which begins with its head.
pub fn render(name: &str, source: &str) -> Result<String, SourceError> {
    let wrong = |source| SourceError::Head { name: name.to_owned(), source: Box::new(source) };
    let head: String = source.lines().filter_map(|line| line.strip_prefix(HEAD)).fold(String::new(), |head, line| {
        // One space after the mark is not the YAML's.
        head + line.strip_prefix(' ').unwrap_or(line) + "\n"
    });
    let head: Head = serde_saphyr::from_str(&head).map_err(wrong)?;
    let mut parameters: Vec<Declared> = serde_saphyr::from_str(scripts::COMMON).map_err(wrong)?;
    if let Some(wanted) = &head.common {
        if let Some(parameter) = wanted.iter().find(|name| parameters.iter().all(|common| common.name != **name)) {
            return Err(SourceError::Uncommon { name: name.to_owned(), parameter: parameter.clone() });
        }
        parameters.retain(|common| wanted.contains(&common.name));
    }
    parameters.extend(head.parameters);

    let mut parts = vec![scripts::PRELUDE];
    for wanted in &head.parts {
        let Some((_, part)) = scripts::PARTS.iter().find(|(part, _)| part == wanted) else {
            return Err(SourceError::NoPart { name: name.to_owned(), part: wanted.clone() });
        };
        parts.push(part);
    }
    parts.push(source);
    let mut script = opening(name, &parameters);
    for part in parts {
        script.push('\n');
        script.push_str(&without_comments(part));
    }
    script.push_str(&closing(&parameters));
    if script.contains("{{") {
        return Err(SourceError::Interpolated { name: name.to_owned() });
    }
    Ok(text(name, &head.description, head.timeout_seconds, &parameters, &script))
}

/// The commands of a part. Its comments stay in the source: a document has at most 64 KB.
fn without_comments(part: &str) -> String {
    let comment = |line: &str| line.trim_start().starts_with('#') && !line.contains("# shellcheck disable=");
    let mut kept = String::new();
    for line in part.lines().filter(|line| !comment(line)) {
        // Where a comment stood alone, one empty line is enough.
        if !(line.is_empty() && (kept.is_empty() || kept.ends_with("\n\n"))) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn opening(name: &str, parameters: &[Declared]) -> String {
    let names = parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(" ");
    format!(
        "#!/bin/sh\n# shellcheck shell=dash\n\
         # The agent sets SSM_*; the parts share variables, and a fault replaces functions.\n\
         # shellcheck disable=SC2034,SC2154,SC2317\n# Stormdrill: {name}. Made from crates/drill-faults/src/host; its README says more.\n\
         DOCUMENT='{name}'\nPARAMETERS='{names}'\nreadonly DOCUMENT PARAMETERS\n"
    )
}

fn closing(parameters: &[Declared]) -> String {
    let mut closing = "\ncheck_parameters() {\n".to_owned();
    for parameter in parameters {
        // Writing to a `String` cannot fail.
        let _ok = writeln!(closing, "  parameter {} {} '{}'", parameter.name, parameter.length, parameter.pattern());
    }
    closing.push_str("}\n\nmain \"$@\"\n");
    closing
}

fn text(name: &str, description: &str, timeout_seconds: u32, parameters: &[Declared], script: &str) -> String {
    let mut lines = vec![
        "# Made by `cargo run -p drill-documents -- generate` from crates/drill-faults/src/host.".to_owned(),
        "schemaVersion: '2.2'".to_owned(),
        format!("description: {}", quoted(description)),
        "parameters:".to_owned(),
    ];
    for parameter in parameters {
        lines.push(format!("  {}:", parameter.name));
        lines.push("    type: String".to_owned());
        lines.push(format!("    description: {}", quoted(&parameter.description)));
        lines.push("    interpolationType: ENV_VAR".to_owned());
        lines.push(format!("    allowedPattern: {}", quoted(&parameter.pattern())));
        if !parameter.values.is_empty() {
            let values = parameter.values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", ");
            lines.push(format!("    allowedValues: [{values}]"));
        }
        lines.push(format!("    maxChars: {}", parameter.length));
        lines.extend(parameter.default.as_ref().map(|default| format!("    default: {}", quoted(default))));
    }
    lines.extend(
        [
            "mainSteps:",
            "  - action: aws:runShellScript",
            &format!("    name: {}", name.replace('-', "_")),
            "    precondition:",
            "      StringEquals: [platformType, Linux]",
            "    inputs:",
            &format!("      timeoutSeconds: '{timeout_seconds}'"),
            "      runCommand:",
            "      - |",
        ]
        .map(str::to_owned),
    );
    lines.extend(script.lines().map(|line| if line.is_empty() { String::new() } else { format!("       {line}") }));
    lines.join("\n") + "\n"
}

/// A scalar that YAML takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
