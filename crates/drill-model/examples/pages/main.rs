//! Writes a page for each fault, their index, and the README's table: `cargo run -p drill-model --example pages`.

mod written;

use std::process::ExitCode;

fn main() -> ExitCode {
    let done = written::pages().and_then(|pages| {
        for orphan in written::orphans(&pages)? {
            std::fs::remove_file(written::root().join(&orphan)).map_err(|error| format!("{orphan}: {error}"))?;
        }
        pages.iter().try_for_each(|(path, text)| {
            let file = written::root().join(path);
            let folder = file.parent().ok_or_else(|| format!("{path} has no folder"))?;
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&file, text))
                .map_err(|error| format!("{path}: {error}"))
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
