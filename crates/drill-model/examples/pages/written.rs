//! The pages of the faults, as texts: from the table of faults, the heads of their files, and the schema.

#[path = "example.rs"]
mod example;
#[path = "head.rs"]
mod head;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use drill_model::faults::{Ends, FaultKind};
use drill_model::schema;
use serde_json::Value;

use self::head::Head;

const FOLDER: &str = "docs/reference/faults";
const README: &str = "README.md";
const MARKS: [&str; 2] = ["<!-- faults -->\n", "<!-- /faults -->"];
const MADE: &str = "<!-- Made by `make pages` from crates/drill-faults: change it there. -->";

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page, by its path from the top.
pub fn pages() -> Result<BTreeMap<String, String>, String> {
    let schema = schema::experiment().to_value();
    let mut pages = BTreeMap::new();
    let mut rows = Vec::new();
    for kind in FaultKind::ALL {
        let head = Head::of(*kind, &root())?;
        rows.push((kind.word(), format!("{} | {} | {}", head.what, kind.on(), head.undone())));
        pages.insert(format!("{FOLDER}/{}.md", kind.word()), page(*kind, &head, &schema)?);
    }
    let table = |folder: &str| -> String {
        let rows = rows.iter().map(|(word, rest)| format!("| [`{word}`]({folder}{word}.md) | {rest} |\n"));
        format!(
            "| fault | what happens | done to | undone by |\n| --- | --- | --- | --- |\n{}",
            rows.collect::<String>()
        )
    };
    let index = format!("{MADE}\n\n# Faults\n\n{}", table(""));
    pages.insert(format!("{FOLDER}/README.md"), index);
    let readme = std::fs::read_to_string(root().join(README)).map_err(|error| format!("{README}: {error}"))?;
    pages.insert(README.to_owned(), between(&readme, &table(&format!("{FOLDER}/")))?);
    Ok(pages)
}

/// The pages that are there and belong to no fault.
pub fn orphans(pages: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let Ok(entries) = std::fs::read_dir(root().join(FOLDER)) else { return Ok(Vec::new()) };
    let names = entries.map(|entry| entry.map(|entry| format!("{FOLDER}/{}", entry.file_name().to_string_lossy())));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(|error| format!("{FOLDER}: {error}"))?;
    Ok(names.into_iter().filter(|name| !pages.contains_key(name)).collect())
}

/// A text with what stands between the two marks replaced.
fn between(text: &str, table: &str) -> Result<String, String> {
    let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{README} lacks {:?} and {:?}", MARKS[0], MARKS[1]))?;
    Ok(format!("{before}{}\n{table}\n{}{after}", MARKS[0], MARKS[1]))
}

fn page(kind: FaultKind, head: &Head, schema: &Value) -> Result<String, String> {
    let word = kind.word();
    let on_host = FaultKind::ON_HOSTS.contains(&kind);
    let (parameters, required) = parameters(word, schema)?;
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    let (harms, heals) = kind.actions();
    let list = |actions: &[&str]| match actions {
        [] => "none".to_owned(),
        some => some.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", "),
    };
    let (harms, heals) = if on_host {
        let document = |name: &str| format!("`ssm:SendCommand` with the document `stormdrill-{name}`");
        (document(word), document("revert"))
    } else {
        (list(harms), list(heals))
    };
    let needs: String = match kind.needs() {
        [] if on_host => "Nothing beside the SSM agent.\n".to_owned(),
        [] => "Nothing: no host is asked to do it.\n".to_owned(),
        needs => needs
            .iter()
            .map(|need| format!("- `{}`. A host is refused if it {}.\n", need.word(), need.lacking()))
            .collect(),
    };
    let example = example::of(kind, &required)?;
    Ok(format!(
        "{MADE}\n\n# {word}\n\n{}.\n\n\
         It is done to targets of the kind `{}`, where `{}` is in the stack's parameter `Faults`.\n\n\
         ## Parameters\n\n{parameters}\n\
         ## Landed and undone\n\n- **Landed:** {}\n- **Undone by:** {}\n\n\
         ## What a host must be able to do\n\n{needs}\n\
         ## The calls\n\n- **It makes:** {harms}\n- **Its undo makes:** {heals}\n\n\
         ## When Stormdrill is gone\n\n{}\n\n\
         ## Undo it by hand\n\n{}\n\n\
         ## An example\n\n```yaml\n{example}```\n",
        capital(&head.what),
        kind.on(),
        kind.family(),
        head.part("Landed"),
        head.part("Undone by"),
        alone(kind, head, on_host),
        by_hand(kind, head, on_host),
    ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What ends it when everything of ours is gone.
fn alone(kind: FaultKind, head: &Head, on_host: bool) -> String {
    match (kind.ends(), on_host) {
        (Ends::PutBack, true) => "The host's [dead man](../../design/dead-man.md) ends it at a deadline that was set \
             before the fault. It needs no network and nothing of AWS."
            .to_owned(),
        (Ends::PutBack, false) => head.part("Without us"),
        (Ends::ByItself, _) => "It ends by itself. Nothing of Stormdrill is needed for that.".to_owned(),
        (Ends::Never, _) => "Nothing brings this target back, with Stormdrill or without.".to_owned(),
    }
}

fn by_hand(kind: FaultKind, head: &Head, on_host: bool) -> String {
    let row = "The run's row has the names: see [When a run is stuck](../../how-to/stuck.md).";
    match (kind.ends(), on_host) {
        (Ends::PutBack, true) => format!(
            "Send the revert document. It may be sent again, and does nothing when nothing is left. {row}\n\n\
             ```sh\naws ssm send-command --document-name stormdrill-revert --instance-ids i-0123456789abcdef0 \\\n  \
             --parameters Unit=0123456789abcdef,Run=the-run\n```"
        ),
        (Ends::PutBack, false) => format!("{} {row}", head.part("By hand")),
        (Ends::ByItself, _) => {
            "There is nothing to undo. If the target does not come back, repair or replace it.".to_owned()
        }
        (Ends::Never, _) => "It cannot be undone. Start a replacement.".to_owned(),
    }
}

/// The table of a fault's own parameters, and the names of those that are required.
fn parameters(word: &str, schema: &Value) -> Result<(String, Vec<String>), String> {
    let faults = schema["definitions"]["Fault"]["oneOf"].as_array().ok_or("the schema has no faults")?;
    let fields = |fault: &Value| fault["properties"].as_object().cloned().unwrap_or_default();
    let fault =
        faults.iter().find(|fault| fault["title"] == word).ok_or_else(|| format!("the schema has no {word}"))?;
    // What every fault has is the entry's, not its own.
    let common = |name: &String| faults.iter().all(|fault| fields(fault).contains_key(name));
    let needed = |name: &String| {
        fault["required"].as_array().is_some_and(|required| required.iter().any(|field| field == name.as_str()))
    };
    let mut own: Vec<(String, Value)> = fields(fault).into_iter().filter(|(name, _)| !common(name)).collect();
    own.sort_by_key(|(name, _)| (!needed(name), name.clone()));
    if own.is_empty() {
        return Ok(("It has none of its own.\n".to_owned(), Vec::new()));
    }
    let mut table = "| name | required | type | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    for (name, field) in &own {
        let meaning = field["description"].as_str().ok_or_else(|| format!("`{name}` of {word} has no description"))?;
        let kind = kind_of(field, schema).replace('|', "\\|");
        let required = if needed(name) { "yes" } else { "no" };
        table.push_str(&format!("| `{name}` | {required} | {kind} | {} |\n", meaning.replace('\n', " ")));
    }
    Ok((table, own.into_iter().map(|(name, _)| name).filter(needed).collect()))
}

/// How a value is written, in words.
fn kind_of(field: &Value, schema: &Value) -> String {
    let reference = field["allOf"][0]["$ref"].as_str().or_else(|| field["$ref"].as_str());
    if let Some(name) = reference.and_then(|path| path.rsplit('/').next()) {
        return kind_of(&schema["definitions"][name], schema);
    }
    if let Some(choices) = field["oneOf"].as_array().or_else(|| field["anyOf"].as_array()) {
        return choices.iter().map(|choice| kind_of(choice, schema)).collect::<Vec<_>>().join(", or ");
    }
    if let Some(words) = field["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(word) = field["const"].as_str() {
        return format!("`{word}`");
    }
    if let Some(fields) = field["properties"].as_object() {
        let fields: Vec<String> = fields.keys().map(|name| format!("{name}: …")).collect();
        return format!("`{{ {} }}`", fields.join(", "));
    }
    if field["type"] == "integer" {
        return format!("a whole number from {} to {}", field["minimum"], field["maximum"]);
    }
    field["description"].as_str().or_else(|| field["type"].as_str()).unwrap_or("any").trim_end_matches('.').to_owned()
}
