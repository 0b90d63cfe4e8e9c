//! The events in `events/`, for `sam local invoke` and for the how-to pages: each is what its function reads.

use drill_model::baton::Baton;
use drill_model::start::Start;
use drill_phases::{approval, prepare};
use serde_json::{Value, json};

use super::mutations::shipped;
use super::policy::Stack;
use super::read;

fn event(name: &str) -> Value {
    serde_json::from_str(&read(&format!("events/{name}.json"))).unwrap()
}

#[test]
fn every_function_has_an_event_that_it_can_read() {
    let prepare: prepare::Invocation = serde_json::from_value(event("prepare")).unwrap();
    let approval: approval::Request = serde_json::from_value(event("approval")).unwrap();

    assert!(Start::read(&prepare.start).unwrap().dry_run);
    for phase in ["inject", "observe", "recover", "rollback", "validate", "report"] {
        let baton: Baton = serde_json::from_value(event(phase)).unwrap();
        assert_eq!(baton.run_id, approval.run_id, "{phase}");
    }
}

#[test]
fn every_start_is_one() {
    for start in ["start", "start-dry-run"] {
        assert!(Start::read(&event(start)).is_ok(), "{start}");
    }
    for start in event("campaign")["experiments"].as_array().unwrap() {
        assert!(Start::read(start).is_ok(), "{start}");
    }
    assert!(Start::read(&event("scheduled-start")["start"]).is_ok());
}

#[test]
fn the_schedule_of_the_template_sends_what_the_event_shows() {
    let template = shipped();
    let stack = Stack::new(&template);

    let input = stack.fill(&stack.resource("ExampleSchedule")["Properties"]["Target"]["Input"]);
    let sent = input.as_str().unwrap().replace("<aws.scheduler.scheduled-time>", "2026-11-24T23:00:00Z");

    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap(), event("scheduled-start"));
}

#[test]
fn the_rules_of_the_template_send_what_the_events_show() {
    let template = shipped();
    let stack = Stack::new(&template);
    let target = |rule: &str| stack.resource(rule)["Properties"]["Targets"][0].clone();

    let ended = target("ExecutionEnded")["InputTransformer"].clone();
    let filled = ended["InputTemplate"].as_str().unwrap().replace("<status>", "ABORTED");
    let filled = filled.replace("<run>", event("janitor-execution-ended")["run_id"].as_str().unwrap());
    let swept: Value = serde_json::from_str(target("Sweep")["Input"].as_str().unwrap()).unwrap();

    assert_eq!(ended["InputPathsMap"], json!({"run": "$.detail.name", "status": "$.detail.status"}));
    assert_eq!(serde_json::from_str::<Value>(&filled).unwrap(), event("janitor-execution-ended"));
    assert_eq!(swept, event("janitor-sweep"));
}

#[test]
fn every_input_in_the_how_to_pages_is_right() {
    // A block of its own, or what a command is given.
    let block = regex_lite::Regex::new(r"(?s)```json\n(.*?)```|--input '(\{.*?\})'").unwrap();
    let mut starts = 0;
    for page in ["deploy", "delete", "first-hour", "start-by-schedule", "start-in-the-console", "start-on-a-laptop"] {
        let text = read(&format!("docs/how-to/{page}.md"));
        for found in block.captures_iter(&text) {
            let json = found.get(1).or(found.get(2)).unwrap().as_str();
            let value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{page}: {error}"));
            let campaign = value["experiments"].as_array().cloned().unwrap_or_default();
            let one = [value.get("start").unwrap_or(&value)].map(Value::clone);
            for start in campaign.iter().chain(one.iter().filter(|one| one.get("experiment").is_some())) {
                assert!(Start::read(start).is_ok(), "{page}: {start}");
                starts += 1;
            }
        }
    }
    assert_eq!(starts, 7);
}

#[test]
fn every_event_and_every_variable_of_the_template_is_in_the_page_about_laptops() {
    let page = read("docs/how-to/start-on-a-laptop.md");
    let template = shipped();

    for file in std::fs::read_dir(super::root().join("events")).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        assert!(page.contains(&format!("`events/{name}`")), "{name} is not in the page");
    }
    for name in template["Globals"]["Function"]["Environment"]["Variables"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("\"{name}\":")), "{name} is not in the page");
    }
}
