//! The blocks: which families there are, what switches each on, and the statements of a role.

use drill_faults::family::Family;
use drill_faults::grant::{Grant, Hand, OPT_IN_TAG, On, Only, PROTECTION_TAG};

use super::Template;
use crate::template::capital;

/// The lines of a block, or `None` when nothing makes one of this name.
pub(super) fn block(template: &Template, name: &str) -> Option<Vec<String>> {
    Some(match name {
        "the families of faults" => vec![format!("AllowedValues: [{}]", words())],
        "the switches of faults" => Family::all().map(switch).collect(),
        "the grants to harm" => statements(template, Hand::Harm),
        "the grants to rehearse" => statements(template, Hand::Rehearse),
        "the grants to heal" => statements(template, Hand::Heal),
        "the grants to undo alone" => statements(template, Hand::Undo),
        "what nobody does to protected targets" => protection(),
        _ => return None,
    })
}

fn words() -> String {
    Family::all().map(Family::word).collect::<Vec<_>>().join(", ")
}

/// The condition under which the grants of a family are there.
fn condition(family: Family) -> String {
    family.word().split('-').fold("Faults".to_owned(), |name, word| name + &capital(word))
}

/// CloudFormation cannot ask whether a list has a word. A text that is split at the word and joined again without it is
/// another, if the word is there.
fn switch(family: Family) -> String {
    let list = "!Join [\",\", !Ref Faults]";
    let (name, word) = (condition(family), family.word());
    format!("{name}: !Not [!Equals [!Join [\"\", !Split [{word}, {list}]], {list}]]")
}

fn statements(template: &Template, hand: Hand) -> Vec<String> {
    let of = |family: Family| {
        let grants = family.grants().iter().filter(move |grant| grant.to.contains(&hand));
        grants.flat_map(move |grant| statement(template, family, grant))
    };
    Family::all().flat_map(of).collect()
}

fn statement(template: &Template, family: Family, grant: &Grant) -> Vec<String> {
    let under = grant.under.map_or_else(|| condition(family), str::to_owned);
    let mut lines: Vec<String> = grant.why.iter().map(|why| format!("# {why}")).collect();
    lines.push("- Fn::If:".to_owned());
    lines.push(format!("    - {under}"));
    lines.push(format!("    - Sid: {}", grant.sid));
    lines.push("      Effect: Allow".to_owned());
    lines.push(format!("      Action: {}", one_or_all(grant.actions)));
    lines.extend(resources(template, grant.on).into_iter().map(|line| format!("      {line}")));
    lines.extend(only(grant.only).into_iter().map(|line| format!("      {line}")));
    lines.push("    - !Ref AWS::NoValue".to_owned());
    lines
}

fn one_or_all(actions: &[&str]) -> String {
    match actions {
        [action] => (*action).to_owned(),
        actions => format!("[{}]", actions.join(", ")),
    }
}

/// The ARN of a resource of the account and the region.
fn arn(service: &str, resource: &str) -> String {
    format!("!Sub \"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}\"")
}

fn resources(template: &Template, on: On) -> Vec<String> {
    let document = |name: &str| arn("ssm", &format!("document/{}{name}", template.prefix));
    let arns: Vec<String> = match on {
        On::Everything => vec!["\"*\"".to_owned()],
        On::Resources(some) => {
            some.iter().filter_map(|one| one.split_once(':')).map(|(of, one)| arn(of, one)).collect()
        }
        On::Document(name) => vec![document(name), arn("ec2", "instance/*")],
        // Each by its name: a pattern would let in documents that others make later.
        On::FaultDocuments => {
            let mut names: Vec<_> = Family::Host.faults().map(drill_faults::FaultKind::word).collect();
            names.sort_unstable();
            names.into_iter().map(document).collect()
        }
    };
    match &arns[..] {
        [arn] => vec![format!("Resource: {arn}")],
        arns => std::iter::once("Resource:".to_owned()).chain(arns.iter().map(|arn| format!("  - {arn}"))).collect(),
    }
}

fn only(only: Only) -> Vec<String> {
    let conditions = match only {
        Only::Always => return Vec::new(),
        Only::OptedIn => vec![format!("StringEquals: {{ aws:ResourceTag/{OPT_IN_TAG}: !Ref Environments }}")],
        Only::OptedInHost => vec![format!("StringEquals: {{ ssm:resourceTag/{OPT_IN_TAG}: !Ref Environments }}")],
        Only::Tagged(tag) => vec![present(&format!("aws:ResourceTag/{tag}"))],
        Only::MadeTagged(tag) => vec![present(&format!("aws:RequestTag/{tag}"))],
        Only::MadeIn(call) => vec![format!("StringEquals: {{ ec2:CreateAction: {call} }}")],
        Only::ForEc2 => vec![
            "Bool: { kms:GrantIsForAWSResource: \"true\" }".to_owned(),
            "StringEquals: { kms:ViaService: !Sub \"ec2.${AWS::Region}.${AWS::URLSuffix}\" }".to_owned(),
        ],
    };
    std::iter::once("Condition:".to_owned()).chain(conditions.into_iter().map(|one| format!("  {one}"))).collect()
}

/// The condition that a key is there, with whatever value.
fn present(key: &str) -> String {
    format!("\"Null\": {{ {key}: \"false\" }}")
}

/// Every harm that a tag lets in is denied where the tag of protection is, whichever families are on.
fn protection() -> Vec<String> {
    let harms = |only: Only| -> Vec<&str> {
        let grants = Family::all().flat_map(Family::grants);
        grants
            .filter(|one| one.to.contains(&Hand::Harm) && one.only == only)
            .flat_map(|one| one.actions)
            .copied()
            .collect()
    };
    let deny = |sid: &str, actions: Vec<&str>, key: &str| {
        [
            format!("- Sid: {sid}"),
            "  Effect: Deny".to_owned(),
            format!("  Action: {}", one_or_all(&actions)),
            "  Resource: \"*\"".to_owned(),
            "  Condition:".to_owned(),
            format!("    {}", present(&format!("{key}/{PROTECTION_TAG}"))),
        ]
    };
    let resources = deny("NeverProtected", harms(Only::OptedIn), "aws:ResourceTag");
    let hosts = deny("NeverACommandToProtected", harms(Only::OptedInHost), "ssm:resourceTag");
    resources.into_iter().chain(hosts).collect()
}
