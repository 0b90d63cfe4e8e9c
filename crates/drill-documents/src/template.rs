//! The nested template with the documents, each as it is, byte for byte: what the tests run on hosts is what SSM runs.
//!
//! It is the one committed copy of the documents.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::documents;

const HEAD: &str = r#"# Made by `make documents` from crates/drill-faults/src/host: change it there.
AWSTemplateFormatVersion: "2010-09-09"
Description: "Stormdrill: the only documents that hosts are asked to run."
Parameters:
  DocumentPrefix:
    Type: String
    AllowedPattern: ^[A-Za-z][A-Za-z0-9-]{0,100}-$
    Description: "The prefix of the documents' names."
Resources:
"#;

/// Where it stands in this tree.
pub fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/generated/documents.yaml")
}

/// Its text. A change makes a new version, which becomes the default: the name, by which roles are fenced, stays.
pub fn render() -> String {
    let mut text = HEAD.to_owned();
    for document in documents() {
        let id: String = document.name.split('-').map(capital).collect();
        let name = document.name;
        // Writing to a `String` cannot fail.
        let _ok = write!(
            text,
            "  {id}:\n    Type: AWS::SSM::Document\n    Properties:\n      Name: !Sub ${{DocumentPrefix}}{name}\n      \
             DocumentType: Command\n      DocumentFormat: YAML\n      TargetType: /AWS::EC2::Instance\n      \
             UpdateMethod: NewVersion\n      Content: |\n"
        );
        for line in document.text.lines() {
            text.push_str(if line.is_empty() { "" } else { "        " });
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A word with a capital.
pub(crate) fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}
