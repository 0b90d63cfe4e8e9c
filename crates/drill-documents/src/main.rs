//! `drill-documents generate` writes the template of the SSM documents, and what the other templates have because of the
//! faults; `check` says which of them are stale; `scripts` writes what each document runs into a folder, for linters.
//!
//! Ends with 1 when a template is stale, and with 2 when the question is wrong or a file cannot be read or written.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use drill_documents::grants::TEMPLATES;
use drill_documents::template;

/// The template of the documents, for people.
const DOCUMENTS: &str = "infra/generated/documents.yaml";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("generate") => generate(),
        Some("check") => check(),
        Some("scripts") => match std::env::args().nth(2) {
            Some(folder) => scripts(Path::new(&folder)),
            None => return usage(),
        },
        Some(_) | None => return usage(),
    };
    done.unwrap_or_else(|error| {
        let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        eprintln!("drill-documents: {error}{why}");
        ExitCode::from(2)
    })
}

fn usage() -> ExitCode {
    eprintln!("usage: drill-documents generate|check|scripts FOLDER");
    ExitCode::from(2)
}

fn generate() -> Result<ExitCode, Box<dyn Error>> {
    std::fs::write(template::path(), template::render()).map_err(|error| format!("{DOCUMENTS}: {error}"))?;
    for template in TEMPLATES {
        template.write()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check() -> Result<ExitCode, Box<dyn Error>> {
    let mut stale = Vec::new();
    if std::fs::read_to_string(template::path()).map_err(|error| format!("{DOCUMENTS}: {error}"))? != template::render()
    {
        stale.push(DOCUMENTS);
    }
    for template in TEMPLATES {
        let (is, fresh) = template.both()?;
        stale.extend((is != fresh).then_some(template.name()));
    }
    for path in &stale {
        println!("{path} is stale: run `make documents`");
    }
    Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn scripts(folder: &Path) -> Result<ExitCode, Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    for document in drill_documents::documents() {
        std::fs::write(folder.join(format!("{}.sh", document.name)), &document.script)?;
    }
    Ok(ExitCode::SUCCESS)
}
