//! Writes the JSON Schema of experiment files: `cargo run -p drill-model --example schema`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments/experiment.schema.json");
    std::fs::write(file, drill_model::schema::text())
}
