//! Reads experiments and says what is wrong with them: `cargo run -p drill-model --example read -- experiments/*/experiment.yaml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in std::env::args().skip(1) {
        let answer = match std::fs::read_to_string(&file) {
            Ok(text) => drill_model::read::experiment(&text).map_err(|error| error.in_file(&file).to_string()),
            Err(error) => Err(format!("{file}: {error}")),
        };
        if let Err(wrong) = answer {
            eprintln!("{wrong}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
