//! The fences: who may harm what, who may heal what, and what nobody may do.
//!
//! Injecting is fenced by tags; healing by verb and by document, because tags can be removed while something is broken.

mod subnets;

use std::collections::{BTreeMap, BTreeSet};

use drill_model::faults::{Family, Kind};
use drill_model::host::Document;
use serde_json::{Value, json};

use super::evaluate::{Context, allows};
use super::families::{self, Families};
use super::policy::{ACCOUNT, REGION, STACK, Stack, Statement, own};
use super::ports::FUNCTIONS;

const HEALERS: [&str; 3] = ["Recover", "Rollback", "Janitor"];
const HARMING_VERBS: [&str; 3] = ["ec2:StopInstances", "ec2:RebootInstances", "ec2:TerminateInstances"];
/// An instance that may be harmed has these tags and no others that matter.
const READY: [(&str, &str); 1] = [("StormdrillReady", "staging")];

/// Actions for which AWS knows no resource, or for which naming one hides what must be seen.
const WIDE: [&str; 17] = [
    "aps:QueryMetrics",
    "autoscaling:DescribeAutoScalingGroups",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "kms:CreateGrant",
    "logs:PutLogEvents",
    "scheduler:ListSchedules",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

/// What the scheduler may do by itself, with any parameters: none of it can harm.
const UNDOS: [(Option<Family>, &str); 4] = [
    (SUBNET, "ec2:DeleteNetworkAclEntry"),
    (INSTANCE, "ec2:StartInstances"),
    (INSTANCE, "kms:CreateGrant"),
    (None, "sqs:SendMessage"),
];
const INSTANCE: Option<Family> = Some(Family::On(Kind::Ec2Instance));
const SUBNET: Option<Family> = Some(Family::On(Kind::Subnet));

/// The roles of the functions, as a test looks at them, and the faults that are on.
struct Roles(BTreeMap<&'static str, Vec<Statement>>, Families);

impl Roles {
    fn of(stack: &Stack<'_>, on: &Families) -> Result<Self, String> {
        let role = |function: &'static str| Ok((function, stack.statements(&format!("{function}Role"))?));
        FUNCTIONS.into_iter().map(role).collect::<Result<_, String>>().map(|roles| Self(roles, on.clone()))
    }

    /// True if the faults of this family are switched on; what is of no family always is.
    fn on(&self, family: Option<Family>) -> bool {
        family.is_none_or(|family| self.1.has(family))
    }

    /// True if a function may do this to an instance with these tags.
    fn verb(&self, function: &str, verb: &str, tags: &[(&str, &str)]) -> bool {
        allows(&self.0[function], verb, &instance(), &tagged(tags))
    }

    /// True if a function may send this document to an instance with these tags: IAM asks about both.
    fn send(&self, function: &str, document: &str, tags: &[(&str, &str)]) -> bool {
        let statements = &self.0[function];
        allows(statements, "ssm:SendCommand", document, &Context::new())
            && allows(statements, "ssm:SendCommand", &instance(), &tagged(tags))
    }
}

fn instance() -> String {
    format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0123456789abcdef0")
}

fn document(name: &str) -> String {
    format!("arn:aws:ssm:{REGION}:{ACCOUNT}:document/{name}")
}

fn tagged(tags: &[(&str, &str)]) -> Context {
    let keys = |(key, value): &(&str, &str)| {
        ["aws", "ssm", "ec2"].map(|service| {
            let word = if service == "ssm" { "resourceTag" } else { "ResourceTag" };
            (format!("{service}:{word}/{key}"), vec![(*value).to_owned()])
        })
    };
    tags.iter().flat_map(keys).collect()
}

/// What is wrong with the fences of a template, whichever faults are switched on.
pub fn wrong(template: &Value) -> Vec<String> {
    families::choices().iter().flat_map(|on| on.named(wrong_with(template, on))).collect()
}

fn wrong_with(template: &Value, on: &Families) -> Vec<String> {
    let closed = || Stack::new(template).with("Faults", on.parameter());
    let open = closed().with("AllowTermination", json!("yes"));
    let (roles, closed) = match (Roles::of(&open, on), Roles::of(&closed(), on)) {
        (Ok(roles), Ok(closed)) => (roles, closed),
        (Err(wrong), _) | (_, Err(wrong)) => return vec![wrong],
    };
    let mut found = Vec::new();
    undos(&open, &roles, &mut found);
    for (function, statements) in &roles.0 {
        verbs(&roles, function, &mut found);
        subnets::wrong(&roles, function, &mut found);
        orders(&roles, function, &mut found);
        wide(function, statements, &mut found);
        never(function, statements, &mut found);
        store(function, statements, &mut found);
        if closed.verb(function, "ec2:TerminateInstances", &READY) {
            found.push(format!("{function} may terminate although AllowTermination is no"));
        }
    }
    found
}

/// Verbs on instances: with every combination of the tags that matter.
fn verbs(roles: &Roles, function: &str, found: &mut Vec<String>) {
    // Prepare asks for dry runs of what Inject will do, and AWS answers those only to who might do it.
    let harms = matches!(function, "Inject" | "Prepare") && roles.on(INSTANCE);
    for verb in HARMING_VERBS {
        if roles.verb(function, verb, &READY) != harms {
            found.push(format!("{function}: {verb} on an instance that opted in should be allowed: {harms}"));
        }
        for tags in forbidden() {
            if roles.verb(function, verb, &tags) {
                found.push(format!("{function}: {verb} is allowed on an instance with {tags:?}"));
            }
        }
    }
    let heals = HEALERS.contains(&function);
    for tags in std::iter::once(READY.to_vec()).chain(forbidden()) {
        let expected = roles.on(INSTANCE) && (heals || prepare_rehearses_start(function, &tags));
        if roles.verb(function, "ec2:StartInstances", &tags) != expected {
            found.push(format!(
                "{function}: ec2:StartInstances on an instance with {tags:?} should be allowed: {expected}"
            ));
        }
    }
}

/// Starting what opted in and is protected harms nobody; Prepare has refused such a target before it asks.
fn prepare_rehearses_start(function: &str, tags: &[(&str, &str)]) -> bool {
    function == "Prepare" && tags.contains(&READY[0])
}

/// Tags that do not make an instance a target.
fn forbidden() -> Vec<Vec<(&'static str, &'static str)>> {
    let protected = |value| vec![READY[0], ("StormdrillProtected", value)];
    vec![
        vec![],
        vec![("StormdrillReady", "production")],
        vec![("StormdrillReady", "")],
        vec![("StormdrillReady", "*")],
        vec![("stormdrill", "staging")],
        vec![("StormdrillProtected", "true")],
        protected("true"),
        protected("false"),
        protected(""),
    ]
}

/// Orders to hosts: every document of ours, and some of others.
fn orders(roles: &Roles, function: &str, found: &mut Vec<String>) {
    let heals = HEALERS.contains(&function);
    for ours in Document::all() {
        let arn = document(&format!("{STACK}-{}", ours.name()));
        let on_ready = match ours {
            Document::Probe => heals || ["Prepare", "Observe"].contains(&function),
            Document::Revert => heals && roles.on(Some(Family::Host)),
            Document::Fault(_) => function == "Inject" && roles.on(Some(Family::Host)),
        };
        if roles.send(function, &arn, &READY) != on_ready {
            found.push(format!(
                "{function}: sending {} to an instance that opted in should be allowed: {on_ready}",
                ours.name()
            ));
        }
        for tags in forbidden() {
            // The tag was removed while the fault was there: it is put back all the same, and looked at until then.
            let looks = function == "Observe" && ours == Document::Probe;
            let off = ours == Document::Revert && !roles.on(Some(Family::Host));
            let expected = looks || (heals && !ours.harms() && !off);
            if roles.send(function, &arn, &tags) != expected {
                found.push(format!("{function}: sending {} to {tags:?} should be allowed: {expected}", ours.name()));
            }
        }
    }
    let foreign = [
        format!("arn:aws:ssm:{REGION}::document/AWS-RunShellScript"),
        format!("arn:aws:ssm:{REGION}::document/AWS-RunPowerShellScript"),
        document("AWS-RunShellScript"),
        document("somebody-elses"),
        document(&format!("{STACK}-somebody-elses")),
        document(&format!("{STACK}-revert-2")),
        document(&format!("another-{STACK}-revert")),
        format!("arn:aws:ssm:eu-west-1:{ACCOUNT}:document/{STACK}-revert"),
        format!("arn:aws:ssm:{REGION}:999999999999:document/{STACK}-revert"),
    ];
    for arn in foreign.iter().filter(|arn| roles.send(function, arn, &READY)) {
        found.push(format!("{function} may send {arn}"));
    }
}

/// No wildcard stands for an action, and `*` for a resource only where AWS leaves no choice.
fn wide(function: &str, statements: &[Statement], found: &mut Vec<String>) {
    for statement in statements.iter().filter(|one| one.allow) {
        for action in &statement.actions {
            if action.contains(['*', '?']) {
                found.push(format!("{function}: {} allows the pattern {action}", statement.sid));
            }
            if statement.resources.iter().any(|one| one == "*") && !WIDE.contains(&action.as_str()) {
                found.push(format!("{function}: {} allows {action} on everything", statement.sid));
            }
        }
        if statement.actions.iter().any(|one| one == "kms:CreateGrant")
            && statement.condition.get("Bool").and_then(|keys| keys.get("kms:GrantIsForAWSResource")).is_none()
        {
            found.push(format!("{function}: {} allows grants of keys to anybody", statement.sid));
        }
    }
}

/// What no function may do, to anything.
fn never(function: &str, statements: &[Statement], found: &mut Vec<String>) {
    let everything =
        ["*", &instance(), &own("AlarmClockRole"), &own("RunsTable"), "arn:aws:iam::123456789012:role/other"];
    let forbidden = [
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:RunInstances",
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "lambda:UpdateFunctionCode",
        "ssm:CreateDocument",
        "ssm:UpdateDocument",
        "ssm:StartAutomationExecution",
        "ssm:StartSession",
        "states:RedriveExecution",
        "states:SendTaskSuccess",
        "states:StartExecution",
        "sts:AssumeRole",
        "dynamodb:DeleteTable",
        "scheduler:DeleteScheduleGroup",
    ];
    for action in forbidden {
        if everything.iter().any(|resource| allows(statements, action, resource, &Context::new())) {
            found.push(format!("{function} may {action}"));
        }
    }
    let pass = |role: &str, service: &str| {
        let context = Context::from([("iam:PassedToService".to_owned(), vec![service.to_owned()])]);
        allows(statements, "iam:PassRole", role, &context)
    };
    let passes = pass(&own("InjectRole"), "scheduler.amazonaws.com")
        || ["AlarmClockRole", "UndoRole"].iter().any(|role| pass(&own(role), "lambda.amazonaws.com"));
    if passes {
        found.push(format!("{function} may pass a role that is not the scheduler's, or to who is not the scheduler"));
    }
}

/// The store: a function reads and writes runs; nobody but people moves the lever; only who heals looks for open rows.
fn store(function: &str, statements: &[Statement], found: &mut Vec<String>) {
    let keys = |key: &str| Context::from([("dynamodb:LeadingKeys".to_owned(), vec![key.to_owned()])]);
    for action in ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:UpdateItem"] {
        if allows(statements, action, &own("RunsTable"), &keys("LEVER")) {
            found.push(format!("{function} may move the lever with {action}"));
        }
        if allows(statements, action, &own("ExperimentsTable"), &keys("order-service-latency")) {
            found.push(format!("{function} may change experiments with {action}"));
        }
    }
    let sweeps = allows(statements, "dynamodb:Query", &format!("{}/index/open", own("RunsTable")), &Context::new());
    if sweeps != HEALERS.contains(&function) {
        found.push(format!("{function} may look for open rows: {sweeps}"));
    }
}

/// The role of the scheduled undos: it starts what is stopped and opens ACLs of ours, whatever it is asked for.
fn undos(stack: &Stack<'_>, roles: &Roles, found: &mut Vec<String>) {
    let statements = match stack.statements("UndoRole") {
        Ok(statements) => statements,
        Err(wrong) => return found.push(wrong),
    };
    wide("UndoRole", &statements, found);
    never("UndoRole", &statements, found);
    let allowed: BTreeSet<&str> = statements.iter().flat_map(|one| one.actions.iter().map(String::as_str)).collect();
    let undos = UNDOS.into_iter().filter(|(family, _)| roles.on(*family)).map(|(_, action)| action);
    if allowed != undos.collect() {
        found.push(format!("UndoRole may do other things than heal: {allowed:?}"));
    }
    for tags in std::iter::once(READY.to_vec()).chain(forbidden()) {
        if roles.on(INSTANCE) && !allows(&statements, "ec2:StartInstances", &instance(), &tagged(&tags)) {
            found.push(format!("UndoRole may not start an instance with {tags:?}"));
        }
    }
    if roles.on(SUBNET) {
        subnets::undo(&statements, found);
    }
}

#[test]
fn the_fences_stand() {
    assert_eq!(wrong(&super::mutations::shipped()), Vec::<String>::new());
}

#[test]
fn another_environment_is_opened_by_its_parameter_and_no_other() {
    let template = super::mutations::shipped();
    let stack = Stack::new(&template).with("Environments", json!("staging,load-test"));
    let roles = Roles::of(&stack, &Families::all()).unwrap();

    let opened = ["staging", "load-test", "production"]
        .map(|environment| roles.verb("Inject", "ec2:StopInstances", &[("StormdrillReady", environment)]));

    assert_eq!(opened, [true, true, false]);
}

#[test]
fn the_roles_of_a_target_account_have_the_same_fences() {
    let template = super::yaml::parse(&super::read("infra/target-account.yaml"));
    for on in families::choices() {
        let stack = Stack::new(&template).with("Faults", on.parameter()).with("AllowTermination", json!("yes"));
        let role = |name| stack.statements(name).unwrap();
        let of = [("Look", role("LookRole")), ("Inject", role("HarmRole")), ("Rollback", role("HealRole"))];
        let roles = Roles(of.into(), on.clone());
        let mut found = Vec::new();

        for (function, statements) in &roles.0 {
            wide(function, statements, &mut found);
            never(function, statements, &mut found);
        }
        for function in ["Inject", "Rollback"] {
            verbs(&roles, function, &mut found);
            subnets::wrong(&roles, function, &mut found);
            orders(&roles, function, &mut found);
        }

        assert_eq!(on.named(found), Vec::<String>::new());
        let harms = HARMING_VERBS.iter().any(|verb| roles.verb("Look", verb, &READY));
        assert!(!harms && !roles.verb("Look", "ec2:StartInstances", &READY), "who looks changes nothing");
    }
}

#[test]
fn a_target_account_lets_in_its_hub_with_the_external_id_and_nobody_else() {
    let template = super::yaml::parse(&super::read("infra/target-account.yaml"));
    let stack = Stack::new(&template)
        .with("HubAccountId", json!("999999999999"))
        .with("ExternalId", json!("a-long-secret-word"));

    for (name, role) in stack.resources("AWS::IAM::Role") {
        let trust = stack.fill(&role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]);
        assert_eq!(trust["Principal"], json!({"AWS": "arn:aws:iam::999999999999:root"}), "{name}");
        assert_eq!(trust["Condition"]["StringEquals"]["sts:ExternalId"], "a-long-secret-word", "{name}");
        let from = trust["Condition"]["ArnLike"]["aws:PrincipalArn"].as_array().unwrap();
        let functions = from.iter().all(|arn| {
            arn.as_str().is_some_and(|arn| {
                arn.starts_with("arn:aws:iam::999999999999:role/stormdrill-") && arn.ends_with("Role-*")
            })
        });
        assert!(functions && !from.is_empty(), "{name} lets in {from:?}");
    }
}
