//! An experiment with one fault, the same for each, made of the examples of its fields and read before it is shown.

use drill_model::faults::FaultKind;
use drill_model::read;
use serde_json::Value;

/// The experiment, as YAML that the reader takes.
pub fn of(kind: FaultKind, required: &[&str]) -> Result<String, String> {
    let mut fields: Vec<String> = required.iter().map(|field| (*field).to_owned()).collect();
    loop {
        let text = text(kind, &fields)?;
        let wrong = match read::experiment(&text) {
            Ok(_) => return Ok(text),
            Err(wrong) => wrong.to_string(),
        };
        // A fault may need one of several parameters: it names the one to write.
        let named = problem(kind, &fields)?.filter(|named| !fields.contains(named));
        fields.push(named.ok_or_else(|| format!("the example of {} cannot be read:\n{wrong}", kind.word()))?);
    }
}

/// The parameter that the fault itself asks for.
fn problem(kind: FaultKind, fields: &[String]) -> Result<Option<String>, String> {
    let lines = fields.iter().map(|field| line(field)).collect::<Result<Vec<_>, _>>()?;
    let parameters: Value =
        serde_saphyr::from_str(&format!("{{ {} }}", lines.join(", "))).map_err(|error| error.to_string())?;
    let fault = kind.read(parameters).map_err(|error| format!("{}: {error}", kind.word()))?;
    Ok(fault.problems(&Default::default()).into_iter().next().map(|problem| problem.field.to_owned()))
}

fn line(field: &str) -> Result<&'static str, String> {
    read::example_of(field, &["faults"])
        .ok_or_else(|| format!("`{field}` has no `#[schemars(example = …)]` in the fault's file"))
}

fn text(kind: FaultKind, fields: &[String]) -> Result<String, String> {
    let mut parameters = String::new();
    for field in fields {
        parameters.push_str(&format!("    {}\n", line(field)?));
    }
    let (word, on) = (kind.word(), kind.on());
    Ok(format!(
        "id: try-{word}\n\
         title: The orders and {word}\n\
         hypothesis: Nobody who orders notices.\n\
         environments: [staging]\n\
         targets:\n  \
           some:\n    \
             kind: {on}\n    \
             tags: {{ Service: orders }}\n    \
             pick: {{ count: 1 }}\n\
         faults:\n  \
           - name: it\n    \
             kind: {word}\n    \
             on: some\n    \
             duration: 2m\n\
         {parameters}\
         steady_state:\n  \
           - name: latency\n    \
             cloudwatch: {{ namespace: Orders, metric: Latency, statistic: p99, period: 10s }}\n    \
             tolerance: {{ at_most: 200 }}\n\
         guards:\n  \
           stop_when:\n    \
             - alarm: orders-error-budget\n  \
           max_blast_radius: 30%\n\
         observe: {{ every: 5s }}\n\
         recovery: {{ within: 5m }}\n\
         success:\n  \
           - recovery_time_at_most: 5m\n"
    ))
}
