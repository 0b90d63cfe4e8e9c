//! Our SSM documents as data: what they are called, what they take, what they run.
//!
//! They are made from the scripts that lie beside the faults, in `drill-faults`, where a README says what they promise.
//! A value reaches a host only as an environment variable, and only when it matches its anchored pattern as a whole.
//! What the templates grant because of the faults is made in [`grants`].

pub mod grants;
mod parameter;
pub mod source;
pub mod template;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use sha2::{Digest, Sha256};

pub use self::parameter::{InvalidParameter, Parameter};

/// One of our SSM Command documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name: that of its fault, `revert` or `probe`, without a stack's prefix.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub description: String,
    /// What it takes, sorted by name.
    pub parameters: Vec<Parameter>,
    /// The script that the agent runs with `sh`, from a file.
    pub script: String,
    /// How long the agent lets the script run.
    pub timeout_seconds: u32,
    /// The SHA-256 of the document's text, in hex: what `DocumentHash` pins when the text is uploaded as it is.
    pub sha256: String,
    /// The document, as it is uploaded.
    pub text: String,
}

impl Document {
    /// The variables that the agent gives to the script: `SSM_<Name>` for each parameter, sorted by name.
    ///
    /// Defaults are filled in. A value for a parameter that the document does not have is refused, as SSM does.
    pub fn environment(&self, values: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, InvalidParameter> {
        if let Some(unknown) =
            values.keys().find(|name| self.parameters.iter().all(|parameter| parameter.name != **name))
        {
            return Err(InvalidParameter::Unknown { document: self.name, name: unknown.clone() });
        }
        self.parameters
            .iter()
            .map(|parameter| {
                let value = values
                    .get(&parameter.name)
                    .or(parameter.default.as_ref())
                    .ok_or_else(|| InvalidParameter::Missing { document: self.name, name: parameter.name.clone() })?;
                parameter.check(self.name, value)?;
                Ok((format!("SSM_{}", parameter.name), value.clone()))
            })
            .collect()
    }
}

/// The document of this name, or `None` when we have none.
pub fn document(name: &str) -> Option<&'static Document> {
    DOCUMENTS.iter().find(|document| document.name == name)
}

/// Every document, sorted by name.
pub fn documents() -> &'static [Document] {
    &DOCUMENTS
}

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| {
    let mut documents: Vec<_> =
        drill_faults::Document::all().map(|document| read(document.name(), document.script())).collect();
    documents.sort_by_key(|document| document.name);
    documents
});

/// The parts of an SSM document that we use.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    description: String,
    parameters: BTreeMap<String, parameter::Text>,
    main_steps: [Step; 1],
}

#[derive(Deserialize)]
struct Step {
    inputs: Inputs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inputs {
    timeout_seconds: String,
    run_command: Vec<String>,
}

#[expect(
    clippy::expect_used,
    reason = "the sources are compiled in, and every test that names a document makes them all"
)]
fn read(name: &'static str, script: &str) -> Document {
    let text = source::render(name, script).expect("a committed source makes a document");
    let Text { description, parameters, main_steps: [step] } =
        serde_saphyr::from_str(&text).expect("a committed document is a document");
    Document {
        name,
        description,
        parameters: parameters.into_iter().map(|(name, text)| Parameter::new(name, text)).collect(),
        script: step.inputs.run_command.join("\n"),
        timeout_seconds: step.inputs.timeout_seconds.parse().expect("a document has a time-out in seconds"),
        sha256: Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect(),
        text,
    }
}

#[cfg(test)]
mod tests;
