//! Reads experiments and says what is wrong with them: `cargo run -p drill-model --example read -- experiments/*/experiment.yaml`.

use std::process::ExitCode;

use drill_model::read;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in std::env::args().skip(1) {
        let answer = match std::fs::read(&file) {
            Ok(bytes) => read::text(bytes)
                .and_then(|text| read::experiment(&text))
                .map_err(|error| error.in_file(&file).to_string()),
            Err(error) => Err(format!("{file}: {error}")),
        };
        if let Err(wrong) = answer {
            eprintln!("{wrong}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
