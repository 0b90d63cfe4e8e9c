//! The roles of a template with everything filled in: what each may do, statement by statement.
//!
//! A resource of the stack stands as `arn:stack:<logical id>`, whatever attribute of it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::{Value, json};

pub const ACCOUNT: &str = "123456789012";
pub const REGION: &str = "us-east-1";
pub const STACK: &str = "stormdrill";

/// One statement of a policy.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sid: String,
    pub allow: bool,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    pub condition: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// A template with its parameters decided: their defaults, or what a test gives instead.
pub struct Stack<'t> {
    template: &'t Value,
    given: BTreeMap<&'t str, Value>,
}

impl<'t> Stack<'t> {
    pub fn new(template: &'t Value) -> Self {
        Self { template, given: BTreeMap::new() }
    }

    pub fn with(mut self, parameter: &'t str, value: Value) -> Self {
        assert!(self.template["Parameters"].get(parameter).is_some(), "there is no parameter {parameter}");
        self.given.insert(parameter, value);
        self
    }

    /// Every resource of a kind.
    pub fn resources(&self, kind: &str) -> Vec<(&'t str, &'t Value)> {
        let resources = self.template["Resources"].as_object().unwrap();
        resources.iter().filter(|(_, one)| one["Type"] == kind).map(|(name, one)| (name.as_str(), one)).collect()
    }

    /// One resource.
    pub fn resource(&self, name: &str) -> &'t Value {
        &self.template["Resources"][name]
    }

    /// The statements of a role: its own, and those of the managed policies of this template. `Err` names one that is not.
    pub fn statements(&self, role: &str) -> Result<Vec<Statement>, String> {
        let properties = &self.resource(role)["Properties"];
        let mut documents = Vec::new();
        for policy in properties["Policies"].as_array().into_iter().flatten() {
            documents.push(self.fill(&policy["PolicyDocument"]));
        }
        for attached in properties["ManagedPolicyArns"].as_array().into_iter().flatten() {
            let Some(name) = attached["Ref"].as_str() else {
                return Err(format!("{role} has a managed policy that is not of this template: {attached}"));
            };
            documents.push(self.fill(&self.resource(name)["Properties"]["PolicyDocument"]));
        }
        Ok(documents
            .iter()
            .flat_map(|document| document["Statement"].as_array().unwrap().iter().map(statement))
            .collect())
    }

    /// The statements of a managed policy of this template.
    pub fn policy(&self, name: &str) -> Vec<Statement> {
        let document = self.fill(&self.resource(name)["Properties"]["PolicyDocument"]);
        document["Statement"].as_array().unwrap().iter().map(statement).collect()
    }

    /// A value with every intrinsic function applied.
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::Object(entries) if entries.len() == 1 => {
                let (name, argument) = entries.iter().next().unwrap();
                match name.as_str() {
                    "Ref" => self.named(argument.as_str().unwrap()),
                    "Fn::GetAtt" => json!(own(argument.as_str().unwrap().split('.').next().unwrap())),
                    "Fn::Sub" => json!(self.sub(argument.as_str().unwrap())),
                    "Fn::If" => self.fill(&argument[if self.condition(&argument[0]) { 1 } else { 2 }]),
                    "Fn::Join" => json!(self.list(&argument[1]).join(argument[0].as_str().unwrap())),
                    "Fn::Split" => {
                        let text = self.fill(&argument[1]);
                        json!(text.as_str().unwrap().split(argument[0].as_str().unwrap()).collect::<Vec<_>>())
                    }
                    _ => json!({name: self.fill(argument)}),
                }
            }
            Value::Object(entries) => {
                Value::Object(entries.iter().map(|(key, one)| (key.clone(), self.fill(one))).collect())
            }
            // `AWS::NoValue` in a list is no element, and a list in a list is meant as its elements.
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .map(|one| self.fill(one))
                    .filter(|one| !one.is_null())
                    .flat_map(|one| match one {
                        Value::Array(inner) => inner,
                        other => vec![other],
                    })
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn named(&self, name: &str) -> Value {
        match name {
            "AWS::NoValue" => Value::Null,
            "AWS::Partition" => json!("aws"),
            "AWS::Region" => json!(REGION),
            "AWS::AccountId" => json!(ACCOUNT),
            "AWS::StackName" => json!(STACK),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            name => match self.template["Parameters"].get(name) {
                None => json!(own(name)),
                Some(parameter) => {
                    let value = self.given.get(name).unwrap_or(&parameter["Default"]);
                    match (parameter["Type"].as_str().unwrap(), value) {
                        ("CommaDelimitedList", Value::String(text)) => json!(text.split(',').collect::<Vec<_>>()),
                        _ => value.clone(),
                    }
                }
            },
        }
    }

    fn sub(&self, text: &str) -> String {
        static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{([A-Za-z0-9:]+)(\.[A-Za-z]+)?\}").unwrap());
        let fill = |found: &regex_lite::Captures<'_>| match found.get(2) {
            Some(_) => own(&found[1]),
            None => self.named(&found[1]).as_str().unwrap_or_default().to_owned(),
        };
        NAME.replace_all(text, fill).into_owned()
    }

    /// Whether the condition of this name holds.
    fn condition(&self, name: &Value) -> bool {
        self.holds(&self.template["Conditions"][name.as_str().unwrap()])
    }

    fn holds(&self, condition: &Value) -> bool {
        let (name, argument) = condition.as_object().unwrap().iter().next().unwrap();
        match name.as_str() {
            "Condition" => self.condition(argument),
            "Fn::And" => argument.as_array().unwrap().iter().all(|one| self.holds(one)),
            "Fn::Not" => !self.holds(&argument[0]),
            "Fn::Equals" => self.fill(&argument[0]) == self.fill(&argument[1]),
            name => panic!("{name} is not used in conditions"),
        }
    }

    fn list(&self, value: &Value) -> Vec<String> {
        texts(&self.fill(value))
    }
}

/// The ARN that stands for a resource of the stack.
pub fn own(logical: &str) -> String {
    format!("arn:stack:{logical}")
}

fn statement(value: &Value) -> Statement {
    let known: BTreeSet<&str> = ["Sid", "Effect", "Action", "Resource", "Condition"].into();
    for key in value.as_object().unwrap().keys() {
        assert!(known.contains(key.as_str()), "a statement has {key}, which the evaluation does not know");
    }
    let condition = value["Condition"].as_object().into_iter().flatten().map(|(operator, keys)| {
        let keys = keys.as_object().unwrap().iter().map(|(key, values)| (key.clone(), texts(values))).collect();
        (operator.clone(), keys)
    });
    Statement {
        sid: value["Sid"].as_str().unwrap_or_default().to_owned(),
        allow: value["Effect"] == "Allow",
        actions: texts(&value["Action"]),
        resources: texts(&value["Resource"]),
        condition: condition.collect(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}
