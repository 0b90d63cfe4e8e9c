//! The rules of this ring, shown to notice: each mutation makes the template worse, and something must object.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::{deployment, fences, grants, read, yaml};

/// The template as it is shipped.
pub fn shipped() -> Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| yaml::parse(&read("template.yaml"))).clone()
}

fn wrong(template: &Value) -> Vec<String> {
    [grants::wrong(template), fences::wrong(template), deployment::wrong(template)].concat()
}

/// Changes the shipped template and expects an objection that says this.
fn check(says: &str, mutate: impl FnOnce(&mut Value)) {
    let mut template = shipped();
    mutate(&mut template);
    assert_ne!(template, shipped(), "the mutation changes nothing");

    let found = wrong(&template);

    assert!(found.iter().any(|one| one.contains(says)), "nothing says `{says}`: {found:#?}");
}

/// The statements of a role or of a managed policy.
fn statements<'t>(template: &'t mut Value, name: &str) -> &'t mut Vec<Value> {
    let properties = &mut template["Resources"][name]["Properties"];
    let document = match properties.get("PolicyDocument") {
        Some(_) => &mut properties["PolicyDocument"],
        None => &mut properties["Policies"][0]["PolicyDocument"],
    };
    document["Statement"].as_array_mut().unwrap()
}

fn statement<'t>(template: &'t mut Value, name: &str, sid: &str) -> &'t mut Value {
    let found = statements(template, name).iter_mut().map(|one| match one.get("Fn::If") {
        Some(_) => &mut one["Fn::If"][1],
        None => one,
    });
    found.into_iter().find(|one| one["Sid"] == sid).unwrap_or_else(|| panic!("{name} has no {sid}"))
}

fn is(one: &Value, sid: &str) -> bool {
    one["Sid"] == sid || one["Fn::If"][1]["Sid"] == sid
}

fn without(template: &mut Value, name: &str, sid: &str) {
    statements(template, name).retain(|one| !is(one, sid));
}

fn with(template: &mut Value, name: &str, action: &str, resource: &str) {
    statements(template, name).push(json!({"Sid": "More", "Effect": "Allow", "Action": action, "Resource": resource}));
}

#[test]
fn an_action_too_many_is_noticed() {
    check("Observe may ec2:RunInstances, and none of its ports needs it", |template| {
        with(template, "ObserveRole", "ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/*");
    });
    check("Report may dynamodb:DeleteItem, and none of its ports needs it", |template| {
        statement(template, "ReportRole", "Records")["Action"]
            .as_array_mut()
            .unwrap()
            .push(json!("dynamodb:DeleteItem"));
    });
}

#[test]
fn an_action_too_few_is_noticed() {
    check("Rollback may not ec2:StartInstances, and its ports need it", |template| {
        without(template, "HealingPolicy", "Start")
    });
    check("Inject may not iam:PassRole, and its ports need it", |template| {
        without(template, "InjectRole", "TheRoleOfAlarmClocks");
        without(template, "InjectRole", "TheRoleOfUndos");
    });
    check("Prepare may not aps:QueryMetrics, and its ports need it", |template| {
        without(template, "MeasuringPolicy", "Measure");
    });
}

#[test]
fn a_wildcard_is_noticed() {
    check("allows the pattern ssm:*", |template| {
        with(template, "JanitorRole", "ssm:*", "arn:aws:ssm:us-east-1:123456789012:document/x")
    });
    check("StopThoseWhoOptedIn allows ec2:StopInstances on everything", |template| {
        statement(template, "InjectRole", "StopThoseWhoOptedIn")["Resource"] = json!("*");
    });
    check("may send arn:aws:ssm:us-east-1::document/AWS-RunShellScript", |template| {
        statement(template, "HealingPolicy", "Revert")["Resource"] = json!("*");
    });
}

#[test]
fn a_fence_that_is_open_is_noticed() {
    check("Inject: ec2:StopInstances is allowed on an instance with []", |template| {
        statement(template, "InjectRole", "StopThoseWhoOptedIn").as_object_mut().unwrap().remove("Condition");
    });
    check("Inject: sending network-latency to []", |template| {
        statement(template, "InjectRole", "HarmThoseWhoOptedIn").as_object_mut().unwrap().remove("Condition");
    });
    check(r#"ec2:StopInstances is allowed on an instance with [("StormdrillReady", "production")]"#, |template| {
        let condition = json!({"StringLike": {"aws:ResourceTag/StormdrillReady": "*"}});
        statement(template, "InjectRole", "StopThoseWhoOptedIn")["Condition"] = condition;
    });
}

#[test]
fn protection_that_is_lost_is_noticed() {
    check("Inject: ec2:RebootInstances is allowed on an instance with", |template| {
        without(template, "InjectRole", "NeverProtected");
    });
    check("Inject: sending cpu-stress to", |template| without(template, "InjectRole", "NeverACommandToProtected"));
    // Only `true` would protect: every value must.
    check(r#"("StormdrillProtected", "false")]"#, |template| {
        let condition = json!({"StringEquals": {"aws:ResourceTag/StormdrillProtected": "true"}});
        statement(template, "InjectRole", "NeverProtected")["Condition"] = condition;
    });
}

#[test]
fn healing_that_depends_on_a_tag_is_noticed() {
    let condition = json!({"StringEquals": {"aws:ResourceTag/StormdrillReady": "staging"}});
    check("Rollback: ec2:StartInstances on an instance with [] should be allowed: true", |template| {
        statement(template, "HealingPolicy", "Start")["Condition"] = condition.clone();
    });
    check("Janitor: sending revert to [] should be allowed: true", |template| {
        statement(template, "HealingPolicy", "Revert")["Condition"] = condition;
    });
}

#[test]
fn a_document_that_nobody_knows_is_noticed() {
    let prefix =
        json!({"Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:document/${AWS::StackName}-*"});
    check("Inject may send arn:aws:ssm:us-east-1:123456789012:document/stormdrill-somebody-elses", |template| {
        statement(template, "InjectRole", "HarmingDocuments")["Resource"].as_array_mut().unwrap().push(prefix);
    });
    check("Inject: sending disk-fill to an instance that opted in should be allowed: true", |template| {
        let documents = statement(template, "InjectRole", "HarmingDocuments")["Resource"].as_array_mut().unwrap();
        documents.retain(|one| !one.to_string().contains("disk-fill"));
    });
}

#[test]
fn harm_in_the_wrong_hands_is_noticed() {
    check("Recover: sending process-kill", |template| {
        let arn = json!({"Fn::Sub": "arn:aws:ssm:us-east-1:123456789012:document/stormdrill-process-kill"});
        statement(template, "HealingPolicy", "Revert")["Resource"].as_array_mut().unwrap().push(arn);
    });
    check("may terminate although AllowTermination is no", |template| {
        template["Conditions"]["Terminates"] = json!({"Condition": "FaultsEc2Instance"});
    });
    check("ObserveRole has a managed policy that is not of this template", |template| {
        template["Resources"]["ObserveRole"]["Properties"]["ManagedPolicyArns"] =
            json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    });
}

#[test]
fn a_fence_of_subnets_that_is_open_is_noticed() {
    for (sid, says) in [
        ("CutOffThoseWhoOptedIn", "Inject: giving an ACL of ours to a subnet with [] should be allowed: false"),
        ("ChangeOwnAcls", "Inject: ec2:CreateNetworkAclEntry on an ACL of others should be allowed: false"),
        ("MakeTaggedAcls", "Inject: making an ACL without the tag should be allowed: false"),
        ("TagAsTheyAreMade", "Inject may ec2:CreateTags"),
    ] {
        check(says, |template| {
            let fence = statement(template, "InjectRole", sid);
            fence.as_object_mut().unwrap().remove("Condition");
            if sid == "TagAsTheyAreMade" {
                fence["Resource"] = json!("arn:aws:ec2:us-east-1:123456789012:*/*");
            }
        });
    }
    check("Rollback: giving back its ACL to a subnet with [] should be allowed: true", |template| {
        let condition = json!({"StringEquals": {"aws:ResourceTag/StormdrillReady": "staging"}});
        statement(template, "HealingPolicy", "TakeBackTheAcl")["Condition"] = condition;
    });
    check("Rollback: ec2:DeleteNetworkAcl on an ACL of others should be allowed: false", |template| {
        statement(template, "HealingPolicy", "DeleteOwnAcls").as_object_mut().unwrap().remove("Condition");
    });
}

#[test]
fn a_scheduled_undo_that_could_harm_is_noticed() {
    check("UndoRole may do other things than heal", |template| {
        let acls = "arn:aws:ec2:us-east-1:123456789012:network-acl/*";
        with(template, "UndoRole", "ec2:ReplaceNetworkAclAssociation", acls);
    });
    check("UndoRole should open ACLs of ours, and of nobody else", |template| {
        statement(template, "UndoRole", "OpenOwnAcls").as_object_mut().unwrap().remove("Condition");
    });
    check("UndoRole may not start an instance with []", |template| {
        let condition = json!({"StringEquals": {"aws:ResourceTag/StormdrillReady": "staging"}});
        statement(template, "UndoRole", "Start")["Condition"] = condition;
    });
    check("LostUndosAlarm calls nobody", |template| {
        template["Resources"]["LostUndosAlarm"]["Properties"]["AlarmActions"] = json!([]);
    });
    check("UndoRole does not outlive the stack", |template| {
        template["Resources"]["UndoRole"]["DeletionPolicy"] = json!("Delete");
    });
}

#[test]
fn a_rule_that_reaches_nobody_is_noticed() {
    let condition = json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}});
    check("NoticeKey does not let the rule for stuck runs in", |template| {
        let statements = &mut template["Resources"]["NoticeKey"]["Properties"]["KeyPolicy"]["Statement"];
        let rules = statements.as_array_mut().unwrap().iter_mut().find(|one| one["Sid"] == "Rules").unwrap();
        rules["Condition"] = condition.clone();
    });
    check("NoticeTopicPolicy does not let the rule for stuck runs in", |template| {
        statement(template, "NoticeTopicPolicy", "TheRuleForStuckRuns")["Condition"] = condition;
    });
    check("StuckRun forgets what it could not tell", |template| {
        let target = &mut template["Resources"]["StuckRun"]["Properties"]["Targets"][0];
        target.as_object_mut().unwrap().remove("DeadLetterConfig");
    });
    check("LostWakes does not let StuckRun in", |template| {
        let keeps = statement(template, "LostWakesPolicy", "RulesKeepWhatTheyCouldNotDeliver");
        keeps["Condition"]["ArnEquals"]["aws:SourceArn"].as_array_mut().unwrap().pop();
    });
    check("StuckRunUnheardAlarm calls nobody", |template| {
        template["Resources"]["StuckRunUnheardAlarm"]["Properties"]["AlarmActions"] = json!([]);
    });
}

#[test]
fn the_store_in_the_wrong_hands_is_noticed() {
    check("Inject may move the lever with dynamodb:DeleteItem", |template| {
        without(template, "RuntimePolicy", "NeverTheLever")
    });
    check("Observe may look for open rows: true", |template| {
        let index = json!({"Fn::Sub": "${RunsTable.Arn}/index/open"});
        let records = statement(template, "ObserveRole", "Records");
        records["Resource"] = json!([records["Resource"], index]);
    });
    check("Inject may pass a role that is not the scheduler's", |template| {
        statement(template, "InjectRole", "TheRoleOfAlarmClocks")["Resource"] = json!("*");
    });
    check("allows grants of keys to anybody", |template| {
        statement(template, "HealingPolicy", "StartEncrypted").as_object_mut().unwrap().remove("Condition");
    });
}

#[test]
fn a_deployment_that_is_worse_is_noticed() {
    let resource = |name: &'static str| {
        move |template: &mut Value, key: &str, value: Value| {
            template["Resources"][name]["Properties"][key] = value;
        }
    };
    check("functions are told of the faults \"host,ec2-instance\"", |template| {
        template["Globals"]["Function"]["Environment"]["Variables"]["STORMDRILL_FAULTS"] = json!("host,ec2-instance");
    });
    check("Rollback has 400 s", |template| resource("RollbackFunction")(template, "Timeout", json!(400)));
    check("Rollback has the role", |template| {
        resource("RollbackFunction")(template, "Role", json!({"Fn::GetAtt": "InjectRole.Arn"}));
    });
    check("the rule does not hear of every end", |template| {
        template["Resources"]["ExecutionEnded"]["Properties"]["EventPattern"]["detail"]["status"] = json!(["FAILED"]);
    });
    check("the sweep does not come every minute", |template| {
        resource("Sweep")(template, "ScheduleExpression", json!("rate(5 minutes)"));
    });
    check("Sweep may not invoke the janitor", |template| {
        template["Resources"].as_object_mut().unwrap().remove("SweepWakesJanitor");
    });
    check("must log every event, without the data", |template| {
        template["Resources"]["ExperimentMachine"]["Properties"]["Logging"]["IncludeExecutionData"] = json!(true);
    });
    check("RunsTable does not outlive the stack", |template| {
        template["Resources"]["RunsTable"]["DeletionPolicy"] = json!("Delete");
    });
    check("RunsTable has a key of ours", |template| {
        resource("RunsTable")(template, "SSESpecification", json!({"SSEEnabled": true}));
    });
    check("the topic is not encrypted", |template| {
        template["Resources"]["NoticeTopic"]["Properties"].as_object_mut().unwrap().remove("KmsMasterKeyId");
    });
    check("a janitor that is silent does not alarm", |template| {
        resource("JanitorHeartbeatAlarm")(template, "TreatMissingData", json!("notBreaching"));
    });
    check("JanitorRole has no permissions boundary", |template| {
        template["Resources"]["JanitorRole"]["Properties"].as_object_mut().unwrap().remove("PermissionsBoundary");
    });
    check("AlarmClockRole trusts scheduler.amazonaws.com on behalf of any account", |template| {
        let trust = &mut template["Resources"]["AlarmClockRole"]["Properties"]["AssumeRolePolicyDocument"];
        trust["Statement"][0].as_object_mut().unwrap().remove("Condition");
    });
    check("fills", |template| {
        let fills = &mut template["Resources"]["ExperimentMachine"]["Properties"]["DefinitionSubstitutions"];
        fills.as_object_mut().unwrap().remove("NoticeTopicArn");
    });
}

#[test]
fn a_grant_that_is_there_without_its_family_is_noticed() {
    let under = |template: &mut Value, role: &str, sid: &str, condition: &str| {
        let found = statements(template, role).iter_mut().find(|one| is(one, sid)).unwrap();
        found["Fn::If"][0] = json!(condition);
    };
    check("Inject may ec2:StopInstances, and none of its ports needs it (with Faults=host)", |template| {
        let found = statements(template, "InjectRole").iter_mut().find(|one| is(one, "StopThoseWhoOptedIn")).unwrap();
        *found = found["Fn::If"][1].clone();
    });
    check(
        "Rollback: sending revert to an instance that opted in should be allowed: false (with Faults=subnet)",
        |one| {
            under(one, "HealingPolicy", "Revert", "FaultsSubnet");
        },
    );
    check("Janitor may not ec2:DeleteNetworkAcl, and its ports need it (with Faults=subnet)", |template| {
        under(template, "HealingPolicy", "DeleteOwnAcls", "FaultsHost");
    });
    check("UndoRole may do other things than heal", |template| {
        under(template, "UndoRole", "OpenOwnAcls", "FaultsEc2Instance");
    });
    check("Inject may ec2:TerminateInstances, and none of its ports needs it (with Faults=host)", |template| {
        template["Conditions"]["Terminates"] = template["Conditions"]["Terminates"]["Fn::And"][0].clone();
    });
    // Every family at once, whatever is asked for.
    check("(with Faults=host)", |template| {
        template["Conditions"]["FaultsSubnet"] = template["Conditions"]["FaultsHost"].clone();
    });
}
