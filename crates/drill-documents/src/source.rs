//! How a document is made: a head in YAML, its parts in shell, and the guards that follow from its parameters.
//!
//! The patterns are written once and stand in the document twice: for SSM, and for the script that trusts nobody.

use std::path::{Path, PathBuf};
use std::{fmt::Write as _, fs, io};

use serde::Deserialize;

/// What could not be made of the sources.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file could not be read or written.
    #[error("could not use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A head is not one.
    #[error("{} is not the head of a document", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// A head asks for a common parameter that there is not.
    #[error("{} asks for the common parameter `{name}`, which common.yaml does not have", path.display())]
    Uncommon {
        /// The head.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A script has something that SSM would replace before the host sees it.
    #[error("the script of {} has `{{{{`, which SSM reads as a parameter", path.display())]
    Interpolated {
        /// The head.
        path: PathBuf,
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

/// The folder of the documents in this tree.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/ssm")
}

/// Makes the text of one document from its sources below `folder/src`.
pub fn render(folder: &Path, name: &str) -> Result<String, SourceError> {
    let at = |file: String| folder.join("src").join(file);
    let path = at(format!("{name}.yaml"));
    let head: Head = yaml(&path)?;
    let mut parameters: Vec<Declared> = yaml(&at("common.yaml".into()))?;
    if let Some(wanted) = &head.common {
        if let Some(name) = wanted.iter().find(|name| parameters.iter().all(|common| common.name != **name)) {
            return Err(SourceError::Uncommon { path, name: name.clone() });
        }
        parameters.retain(|common| wanted.contains(&common.name));
    }
    parameters.extend(head.parameters);

    let mut script = opening(name, &parameters);
    for part in ["prelude"].into_iter().chain(head.parts.iter().map(String::as_str)).chain([name]) {
        script.push('\n');
        script.push_str(&without_comments(&read(&at(format!("{part}.sh")))?));
    }
    script.push_str(&closing(&parameters));
    if script.contains("{{") {
        return Err(SourceError::Interpolated { path });
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
         # shellcheck disable=SC2034,SC2154,SC2317\n# Stormdrill: {name}. Made from infra/ssm/src; see infra/ssm/README.md.\n\
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
        "# Made by `cargo run -p drill-documents -- generate` from infra/ssm/src: change it there.".to_owned(),
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

fn yaml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, SourceError> {
    serde_saphyr::from_str(&read(path)?)
        .map_err(|source| SourceError::Head { path: path.to_owned(), source: Box::new(source) })
}

fn read(path: &Path) -> Result<String, SourceError> {
    fs::read_to_string(path).map_err(|source| SourceError::File { path: path.to_owned(), source })
}

/// Writes every document whose sources say something else than its text, and names those.
pub fn generate(folder: &Path) -> Result<Vec<&'static str>, SourceError> {
    let stale = stale(folder)?;
    for (name, text) in &stale {
        let path = folder.join(format!("{name}.yaml"));
        fs::write(&path, text).map_err(|source| SourceError::File { path, source })?;
    }
    Ok(stale.into_iter().map(|(name, _)| name).collect())
}

/// The documents whose committed text is not what their sources make, with what they make.
pub fn stale(folder: &Path) -> Result<Vec<(&'static str, String)>, SourceError> {
    let mut stale = Vec::new();
    for (name, _) in crate::TEXTS {
        let made = render(folder, name)?;
        // A document that is not there yet is stale too.
        if fs::read_to_string(folder.join(format!("{name}.yaml"))).ok().as_deref() != Some(&made) {
            stale.push((name, made));
        }
    }
    Ok(stale)
}
