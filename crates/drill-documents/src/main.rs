//! `drill-documents generate` writes the template of the SSM documents; `check` says whether it is stale; `scripts` writes
//! what each document runs into a folder, for linters.
//!
//! Ends with 1 when the template is stale, and with 2 when the question is wrong.

use std::path::Path;
use std::process::ExitCode;

use drill_documents::template;

fn main() -> ExitCode {
    let path = template::path();
    let fresh = || std::fs::read_to_string(&path).is_ok_and(|text| text == template::render());
    match std::env::args().nth(1).as_deref() {
        Some("generate") => {
            if let Err(error) = std::fs::write(&path, template::render()) {
                eprintln!("could not write {}: {error}", path.display());
                return ExitCode::from(2);
            }
            ExitCode::SUCCESS
        }
        Some("check") if fresh() => ExitCode::SUCCESS,
        Some("check") => {
            println!("infra/generated/documents.yaml is stale: run `make documents`");
            ExitCode::FAILURE
        }
        Some("scripts") => match std::env::args().nth(2) {
            Some(folder) => scripts(Path::new(&folder)),
            None => usage(),
        },
        Some(_) | None => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: drill-documents generate|check|scripts FOLDER");
    ExitCode::from(2)
}

fn scripts(folder: &Path) -> ExitCode {
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        drill_documents::documents()
            .iter()
            .try_for_each(|document| std::fs::write(folder.join(format!("{}.sh", document.name)), &document.script))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("could not write the scripts into {}: {error}", folder.display());
            ExitCode::from(2)
        }
    }
}
