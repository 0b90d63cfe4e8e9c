//! People: the operators' policy allows every call of the pages that operators follow.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::Value;

use super::evaluate::{Context, allows};
use super::mutations::shipped;
use super::policy::{ACCOUNT, REGION, STACK, Stack, Statement, own};
use super::read;

const PAGES: [&str; 4] = ["approve", "first-hour", "start-in-the-console", "stuck"];
/// For these the pages say that other credentials are needed.
const OTHERS: [&str; 3] = ["ec2 create-tags", "ssm describe-instance-information", "ssm send-command"];

/// The calls of a page's commands, such as `stepfunctions start-execution`.
fn calls(page: &str) -> BTreeSet<String> {
    let (block, call) =
        (Regex::new(r"(?s)```sh\n(.*?)```").unwrap(), Regex::new(r"\baws ([a-z0-9]+ [a-z-]+)").unwrap());
    let text = read(&format!("docs/how-to/{page}.md"));
    block
        .captures_iter(&text)
        .flat_map(|block| call.captures_iter(block.get(1).unwrap().as_str()).map(|call| call[1].to_owned()))
        .collect()
}

/// The action of a call, and what it is asked of in the pages.
fn asked(call: &str) -> (String, Vec<String>) {
    let states = |kind: &str, name: &str| format!("arn:aws:states:{REGION}:{ACCOUNT}:{kind}:{STACK}-experiment{name}");
    let tables = || vec![own("RunsTable"), own("ExperimentsTable"), format!("{}/index/open", own("RunsTable"))];
    let (action, resources) = match call {
        "cloudformation describe-stacks" => (
            "cloudformation:DescribeStacks",
            vec![format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/an-id")],
        ),
        "dynamodb delete-item" => ("dynamodb:DeleteItem", tables()),
        "dynamodb get-item" => ("dynamodb:GetItem", tables()),
        "dynamodb put-item" => ("dynamodb:PutItem", tables()),
        "dynamodb query" => ("dynamodb:Query", tables()),
        "lambda invoke" => ("lambda:InvokeFunction", vec![own("ApprovalFunction"), own("JanitorFunction")]),
        "s3 cp" => ("s3:GetObject", vec![format!("{}/hello-1/report.md", own("ReportBucket"))]),
        "stepfunctions describe-execution" => ("states:DescribeExecution", vec![states("execution", ":hello-1")]),
        "stepfunctions start-execution" => ("states:StartExecution", vec![states("stateMachine", "")]),
        "stepfunctions stop-execution" => ("states:StopExecution", vec![states("execution", ":hello-1")]),
        other => panic!("`aws {other}` is in a page for operators: which action is it, on what?"),
    };
    (action.to_owned(), resources)
}

/// What an operator may not do, and a page or the console asks for.
pub fn wrong(template: &Value) -> Vec<String> {
    let stack = Stack::new(template);
    let policy: Vec<Statement> = stack.policy("OperatorPolicy");
    let lever: Context = [("dynamodb:LeadingKeys".to_owned(), vec!["LEVER".to_owned()])].into();
    let pages = PAGES.into_iter().flat_map(calls).filter(|call| !OTHERS.contains(&call.as_str()));
    let mut needed: BTreeSet<(String, Vec<String>)> = pages.map(|call| asked(&call)).collect();
    // The console lists the machines, and draws one of them.
    let machine = format!("arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STACK}-experiment");
    needed.insert(("states:ListStateMachines".to_owned(), vec!["*".to_owned()]));
    needed.insert(("states:DescribeStateMachine".to_owned(), vec![machine]));
    needed
        .into_iter()
        .filter(|(action, on)| !on.iter().any(|resource| allows(&policy, action, resource, &lever)))
        .map(|(action, _)| format!("an operator may not {action}"))
        .collect()
}

#[test]
fn operators_may_do_what_their_pages_say() {
    let calls: BTreeSet<String> = PAGES.into_iter().flat_map(calls).collect();
    assert!(calls.len() > 8, "the commands are found: {calls:?}");

    assert_eq!(wrong(&shipped()), [""; 0]);
}

#[test]
fn a_call_that_an_operator_may_not_make_is_noticed() {
    let mut template = shipped();
    let statements =
        template["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"].as_array_mut();
    statements.unwrap().retain(|statement| statement["Sid"] != "Outputs");

    assert_eq!(wrong(&template), ["an operator may not cloudformation:DescribeStacks"]);
}
