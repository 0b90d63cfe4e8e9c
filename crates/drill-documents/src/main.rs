//! `drill-documents generate` writes the SSM documents from their sources; `check` says which ones are stale; `scripts`
//! writes what each of them runs into a folder, for linters.
//!
//! Ends with 1 when a document is stale, and with 2 when the sources or the question are wrong.

use std::path::Path;
use std::process::ExitCode;

use drill_documents::source;

fn main() -> ExitCode {
    let folder = source::folder();
    let question = std::env::args().nth(1);
    let answer = match question.as_deref() {
        Some("generate") => source::generate(&folder).map(|written| {
            for name in written {
                println!("wrote {name}.yaml");
            }
            ExitCode::SUCCESS
        }),
        Some("check") => source::stale(&folder).map(|stale| {
            for (name, _) in &stale {
                println!("{name}.yaml is stale: run `cargo run -p drill-documents -- generate`");
            }
            if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }),
        Some("scripts") => {
            let Some(folder) = std::env::args().nth(2) else {
                eprintln!("usage: drill-documents scripts FOLDER");
                return ExitCode::from(2);
            };
            return scripts(Path::new(&folder));
        }
        Some(_) | None => {
            eprintln!("usage: drill-documents generate|check|scripts FOLDER");
            return ExitCode::from(2);
        }
    };
    answer.unwrap_or_else(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(said) = cause {
            eprintln!("{said}");
            cause = said.source();
        }
        ExitCode::from(2)
    })
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
