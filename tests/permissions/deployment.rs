//! What else the template promises: time limits, placeholders, what wakes the janitor, what outlives the stack, who trusts whom.

use std::collections::BTreeSet;

use drill_machine::Machine;
use drill_model::host::Document;
use regex_lite::Regex;
use serde_json::{Value, json};

use super::policy::{Stack, own};
use super::ports::{FUNCTIONS, budget_seconds};
use super::{read, yaml};

/// What is wrong with a template, as far as this page is concerned.
pub fn wrong(template: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let stack = Stack::new(template);
    functions(&stack, &mut found);
    machines(&stack, &mut found);
    wakes(&stack, &mut found);
    keeps(&stack, &mut found);
    trust(&stack, &mut found);
    tells(&stack, &mut found);
    told(template, &mut found);
    found
}

/// Functions are told which faults the roles are for: Prepare refuses the others.
fn told(template: &Value, found: &mut Vec<String>) {
    let stack = Stack::new(template).with("Faults", json!("host,subnet"));
    let said = stack.fill(&template["Globals"]["Function"]["Environment"]["Variables"]["STORMDRILL_FAULTS"]);
    if said != "host,subnet" {
        found.push(format!("functions are told of the faults {said}, and the roles are for others"));
    }
}

/// The rule for stuck runs reaches people: EventBridge sends a topic and its key no condition key, so a statement that asks for
/// one lets no rule in. What it could not tell is kept, and an alarm says so.
fn tells(stack: &Stack<'_>, found: &mut Vec<String>) {
    let policies = [("NoticeTopicPolicy", "PolicyDocument"), ("NoticeKey", "KeyPolicy")];
    for (name, policy) in policies {
        let statements = stack.resource(name)["Properties"][policy]["Statement"].as_array().unwrap();
        let open = statements.iter().any(|one| {
            one["Effect"] == "Allow"
                && one["Principal"]["Service"] == "events.amazonaws.com"
                && one.get("Condition").is_none()
        });
        if !open {
            found.push(format!("{name} does not let the rule for stuck runs in"));
        }
    }
    let target = stack.fill(&stack.resource("StuckRun")["Properties"]["Targets"][0]);
    if target["DeadLetterConfig"]["Arn"] != own("LostWakes") {
        found.push("StuckRun forgets what it could not tell".to_owned());
    }
    let keeps = stack.fill(&stack.resource("LostWakesPolicy")["Properties"]["PolicyDocument"]["Statement"][0]);
    let may = keeps["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().cloned().unwrap_or_default();
    for (name, rule) in stack.resources("AWS::Events::Rule") {
        let kept = &stack.fill(&rule["Properties"]["Targets"][0])["DeadLetterConfig"]["Arn"];
        if *kept == own("LostWakes") && !may.contains(&json!(own(name))) {
            found.push(format!("LostWakes does not let {name} in"));
        }
    }
}

/// Each function has its package, its own role, and a time limit 15 s below that of its state.
fn functions(stack: &Stack<'_>, found: &mut Vec<String>) {
    let mut limits = limits();
    // Approval waits for a person, and the janitor is not called by the machine.
    limits.extend([("Approval".to_owned(), 75), ("Janitor".to_owned(), 315)]);
    for function in FUNCTIONS {
        let properties = &stack.resource(&format!("{function}Function"))["Properties"];
        let expected = limits.iter().find(|(name, _)| name == function).map(|(_, limit)| limit - 15);
        if properties["Timeout"].as_u64() != expected {
            found.push(format!("{function} has {} s, and its state leaves it {expected:?}", properties["Timeout"]));
        }
        if properties["CodeUri"] != format!("functions/{}", function.to_lowercase()) {
            found.push(format!("{function} is built from {}", properties["CodeUri"]));
        }
        if properties["Role"] != json!({"Fn::GetAtt": format!("{function}Role.Arn")}) {
            found.push(format!("{function} has the role {}", properties["Role"]));
        }
    }
    let all = stack.resources("AWS::Serverless::Function").len();
    if all != FUNCTIONS.len() {
        found.push(format!("there are {all} functions, and {} are known", FUNCTIONS.len()));
    }
}

/// The time limits of the states that call a function by its ARN.
fn limits() -> Vec<(String, u64)> {
    let machine: Value = serde_saphyr::from_str(&read("statemachine/experiment.asl.yaml")).unwrap();
    let states = machine["States"].as_object().unwrap().values();
    let limit = |state: &Value| {
        let function = state["Resource"].as_str()?.strip_prefix("${")?.strip_suffix("FunctionArn}")?.to_owned();
        Some((function, state["TimeoutSeconds"].as_u64()?))
    };
    states.filter_map(limit).collect()
}

/// Every placeholder of a machine is filled and no other; logs have every event and none of the data.
fn machines(stack: &Stack<'_>, found: &mut Vec<String>) {
    let placeholder = Regex::new(r"\$\{(\w+)\}").unwrap();
    for (name, machine) in stack.resources("AWS::Serverless::StateMachine") {
        let properties = &machine["Properties"];
        let text = read(properties["DefinitionUri"].as_str().unwrap());
        let wanted: BTreeSet<String> = placeholder.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        let filled: BTreeSet<String> =
            properties["DefinitionSubstitutions"].as_object().unwrap().keys().cloned().collect();
        if wanted != filled {
            found.push(format!("{name} fills {filled:?}, and its file has {wanted:?}"));
        }
        let logging = &properties["Logging"];
        if logging["Level"] != "ALL" || logging["IncludeExecutionData"] != false {
            found.push(format!("{name} must log every event, without the data: a task token is in it"));
        }
        if properties["Tracing"]["Enabled"] != true {
            found.push(format!("{name} is not traced"));
        }
    }
}

/// The three ends without a Catch, the alarm clock and the minute wake the janitor, and nothing that is lost is forgotten.
fn wakes(stack: &Stack<'_>, found: &mut Vec<String>) {
    let ended = &stack.resource("ExecutionEnded")["Properties"];
    let detail = &ended["EventPattern"]["detail"];
    if detail["status"] != json!(["FAILED", "TIMED_OUT", "ABORTED"])
        || stack.fill(&detail["stateMachineArn"]) != json!([own("ExperimentMachine")])
    {
        found.push("the rule does not hear of every end without a Catch".to_owned());
    }
    let sweep = &stack.resource("Sweep")["Properties"];
    if sweep["ScheduleExpression"] != "rate(1 minute)" {
        found.push("the sweep does not come every minute".to_owned());
    }
    for (name, rule) in [("ExecutionEnded", ended), ("Sweep", sweep)] {
        let target = stack.fill(&rule["Targets"][0]);
        if target["Arn"] != own("JanitorFunction") || target["DeadLetterConfig"]["Arn"] != own("LostWakes") {
            found.push(format!("{name} does not wake the janitor, or forgets what it could not deliver"));
        }
        if rule["State"] == "DISABLED" {
            found.push(format!("{name} is disabled"));
        }
        let permitted = stack.resources("AWS::Lambda::Permission").into_iter().any(|(_, permission)| {
            let filled = stack.fill(&permission["Properties"]);
            filled["SourceArn"] == own(name) && filled["FunctionName"] == own("JanitorFunction")
        });
        if !permitted {
            found.push(format!("{name} may not invoke the janitor"));
        }
    }
    let alarms: BTreeSet<&str> = stack
        .resources("AWS::CloudWatch::Alarm")
        .into_iter()
        .filter(|(_, alarm)| stack.fill(&alarm["Properties"]["AlarmActions"]) == json!([own("NoticeTopic")]))
        .map(|(name, _)| name)
        .collect();
    for wanted in [
        "StuckRunAlarm",
        "StuckRunUnheardAlarm",
        "JanitorHeartbeatAlarm",
        "JanitorErrorsAlarm",
        "RollbackErrorsAlarm",
        "LostWakesAlarm",
        "LostUndosAlarm",
        "SideMachinesAlarm",
    ] {
        if !alarms.contains(wanted) {
            found.push(format!("{wanted} calls nobody"));
        }
    }
    if stack.resource("JanitorHeartbeatAlarm")["Properties"]["TreatMissingData"] != "breaching" {
        found.push("a janitor that is silent does not alarm".to_owned());
    }
}

/// What knows what is broken outlives the stack; what is told is encrypted; reports are private.
fn keeps(stack: &Stack<'_>, found: &mut Vec<String>) {
    // What undoes by itself must still be there when the stack is deleted while something is broken.
    let undoes = ["ScheduledUndos", "UndoRole", "LostUndos", "LostUndosPolicy"];
    for name in ["ExperimentsTable", "RunsTable", "ReportBucket"].into_iter().chain(undoes) {
        let resource = stack.resource(name);
        if resource["DeletionPolicy"] != "Retain" || resource["UpdateReplacePolicy"] != "Retain" {
            found.push(format!("{name} does not outlive the stack"));
        }
    }
    for (name, table) in stack.resources("AWS::DynamoDB::Table") {
        let properties = &table["Properties"];
        if properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] != true
            || properties["DeletionProtectionEnabled"] != true
        {
            found.push(format!("{name} can be lost"));
        }
        if properties.get("SSESpecification").is_some() {
            found.push(format!("{name} has a key of ours, on which cleaning up would depend"));
        }
    }
    let open = &stack.resource("RunsTable")["Properties"]["GlobalSecondaryIndexes"][0];
    if open["IndexName"] != "open" || open["Projection"]["ProjectionType"] != "KEYS_ONLY" {
        found.push("the sweep has no index of open rows".to_owned());
    }
    if stack.fill(&stack.resource("NoticeTopic")["Properties"]["KmsMasterKeyId"]) != own("NoticeKey") {
        found.push("the topic is not encrypted".to_owned());
    }
    let bucket = &stack.resource("ReportBucket")["Properties"];
    let blocked = bucket["PublicAccessBlockConfiguration"].as_object().into_iter().flatten();
    if blocked.filter(|(_, value)| *value == true).count() != 4 || bucket.get("BucketEncryption").is_none() {
        found.push("reports are not private".to_owned());
    }
}

/// A role is for one service and one account, and has the boundary where there is one.
fn trust(stack: &Stack<'_>, found: &mut Vec<String>) {
    for (name, role) in stack.resources("AWS::IAM::Role") {
        let properties = &role["Properties"];
        if properties["PermissionsBoundary"]
            != json!({"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]})
        {
            found.push(format!("{name} has no permissions boundary"));
        }
        for statement in properties["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap() {
            let Some(service) = statement["Principal"]["Service"].as_str() else {
                found.push(format!("{name} trusts {}", statement["Principal"]));
                continue;
            };
            let ours = statement["Condition"]["StringEquals"].get("aws:SourceAccount").is_some();
            if service != "lambda.amazonaws.com" && !ours {
                found.push(format!("{name} trusts {service} on behalf of any account"));
            }
        }
    }
}

#[test]
fn the_deployment_keeps_its_promises() {
    assert_eq!(wrong(&super::mutations::shipped()), Vec::<String>::new());
}

#[test]
fn the_machine_calls_no_function_that_the_template_does_not_have() {
    let document: Value = serde_saphyr::from_str(&read("statemachine/experiment.asl.yaml")).unwrap();
    let machine = Machine::from_value(&document).unwrap();

    let called: BTreeSet<String> =
        machine.placeholders().into_iter().filter(|name| name.ends_with("FunctionArn")).collect();

    let known = FUNCTIONS.iter().map(|name| format!("{name}FunctionArn"));
    let known: BTreeSet<String> = known.filter(|name| name != "JanitorFunctionArn").collect();
    assert_eq!(called, known);
}

#[test]
fn a_campaign_waits_longer_for_a_run_than_a_run_may_take() {
    let read = |path| -> Value { serde_saphyr::from_str(&read(path)).unwrap() };
    let campaign = read("statemachine/campaign.asl.yaml");

    let waits = campaign["States"]["Runs"]["ItemProcessor"]["States"]["Run"]["TimeoutSeconds"].as_u64();

    assert!(waits > read("statemachine/experiment.asl.yaml")["TimeoutSeconds"].as_u64());
}

#[test]
fn the_nested_template_has_every_document_as_it_is() {
    let nested = yaml::parse(&read("infra/generated/documents.yaml"));
    let resources = nested["Resources"].as_object().unwrap();

    assert_eq!(resources.len(), Document::all().count());
    for document in Document::all() {
        let name = json!({"Fn::Sub": format!("${{DocumentPrefix}}{}", document.name())});
        let found = resources.values().find(|one| one["Properties"]["Name"] == name);
        let content =
            found.unwrap_or_else(|| panic!("{} is missing", document.name()))["Properties"]["Content"].as_str();
        assert_eq!(content.unwrap(), drill_documents::document(document.name()).unwrap().text);
    }
}

#[test]
fn a_function_plans_with_the_time_that_it_has() {
    let shipped = super::mutations::shipped();
    for function in FUNCTIONS {
        let limit = &shipped["Resources"][format!("{function}Function")]["Properties"]["Timeout"];

        assert_eq!(limit.as_u64(), Some(budget_seconds(function)), "{function}");
    }
}

#[test]
fn no_key_of_ours_is_on_the_way_of_healing() {
    let template = yaml::parse(&read("template.yaml"));
    let stack = Stack::new(&template);

    let with_keys: Vec<&str> = ["AWS::DynamoDB::Table", "AWS::Serverless::Function", "AWS::Logs::LogGroup"]
        .into_iter()
        .flat_map(|kind| stack.resources(kind))
        .filter(|(_, resource)| {
            ["SSESpecification", "KmsKeyArn", "KmsKeyId"].iter().any(|key| resource["Properties"].get(key).is_some())
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(with_keys, [""; 0], "DynamoDB, Lambda and the logs use keys that AWS owns");

    for role in ["RecoverRole", "RollbackRole", "JanitorRole"] {
        let statements = stack.statements(role).unwrap();
        let needed: Vec<&String> = statements
            .iter()
            .flat_map(|statement| &statement.actions)
            // An encrypted volume of an instance that is started: its key is the target's, not ours.
            .filter(|action| action.starts_with("kms:") && *action != "kms:CreateGrant")
            .collect();
        assert_eq!(needed, [""; 0], "{role}");
    }
}
