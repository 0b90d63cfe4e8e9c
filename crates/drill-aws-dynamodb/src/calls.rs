//! The table of runs, and the reads and single writes that every port on it is made of.
//!
//! Reads are consistent, pages are followed to the end, and what a batch leaves undone is asked for again.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use drill_aws_config::{Adapter, SdkConfig, SystemClock, Unready, variable};
use drill_phases::ports::{Answer, Class, Clock, PortError};

use crate::failure::{collided, failure};
use crate::item::{Item, Key, string};

pub(crate) const GET: &str = "dynamodb:GetItem";
pub(crate) const PUT: &str = "dynamodb:PutItem";
pub(crate) const QUERY: &str = "dynamodb:Query";
pub(crate) const BATCH_GET: &str = "dynamodb:BatchGetItem";

/// The most keys of one BatchGetItem.
pub(crate) const KEYS: usize = 100;

/// How long to wait for others, one try after the other: under two seconds in all.
pub(crate) const PAUSES: [Duration; 6] = [
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// The table of runs.
#[derive(Debug, Clone)]
pub struct RunTable<C = SystemClock> {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) clock: C,
}

impl RunTable {
    /// The table of this name.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into(), clock: SystemClock }
    }
}

impl Adapter for RunTable {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_RUNS_TABLE")?))
    }
}

/// A write whose condition did not hold.
pub(crate) enum Unwritten {
    /// The condition did not hold; this is the item that was there, if the service said it.
    Condition(Option<Item>),
    /// Something else.
    Failed(PortError),
}

/// A condition on the item that is there, with the names and values that it speaks of.
pub(crate) struct Condition {
    pub(crate) expression: &'static str,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<HashMap<String, AttributeValue>>,
}

impl Condition {
    /// There is no such item.
    pub(crate) const ABSENT: Self = Self { expression: "attribute_not_exists(pk)", names: None, values: None };

    /// An expression about one attribute, called `#it`, and one value, called `:it`.
    pub(crate) fn on(expression: &'static str, name: &str, value: AttributeValue) -> Self {
        Self {
            expression,
            names: Some(HashMap::from([("#it".to_owned(), name.to_owned())])),
            values: Some(HashMap::from([(":it".to_owned(), value)])),
        }
    }
}

impl<C: Clock> RunTable<C> {
    /// One item, if it is there. One round trip.
    pub(crate) async fn item(&self, key: &Key) -> Answer<Option<Item>> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key.item())).consistent_read(true);
        Ok(get.send().await.map_err(|error| failure(GET, &error))?.item)
    }

    /// Those of these items that are there, in no order. One round trip for each 100, and more for what was left over.
    pub(crate) async fn items(&self, keys: &[Key]) -> Answer<Vec<Item>> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS) {
            let mut pauses = PAUSES.iter();
            let mut wanted: Vec<Item> = keys.iter().map(Key::item).collect();
            while !wanted.is_empty() {
                let asked = wanted.len();
                let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let keys = keys.map_err(|error| PortError::new(Class::Refused, BATCH_GET, error.to_string()))?;
                let answer = self.client.batch_get_item().request_items(&self.name, keys).send().await;
                let mut answer = answer.map_err(|error| failure(BATCH_GET, &error))?;
                found.extend(answer.responses.iter_mut().flat_map(HashMap::drain).flat_map(|(_, items)| items));
                let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
                wanted = left.map(|left| left.keys).unwrap_or_default();
                if !wanted.is_empty() && wanted.len() < asked {
                    pauses = PAUSES.iter();
                }
                if !wanted.is_empty() {
                    let left = format!("{} of {asked} keys were not processed", wanted.len());
                    let pause = pauses.next().ok_or_else(|| PortError::new(Class::Transient, BATCH_GET, left))?;
                    self.clock.pause(*pause).await;
                }
            }
        }
        Ok(found)
    }

    /// What `read` makes of every item of a partition whose sort key begins so, by sort key. One round trip for each page
    /// of 1 MB, and of the items themselves never more than a page is kept.
    pub(crate) async fn under<T>(&self, pk: &str, prefix: &str, read: impl Fn(Item) -> Answer<T>) -> Answer<Vec<T>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", string(pk))
            .expression_attribute_values(":prefix", string(prefix));
        let mut found = Vec::new();
        let mut from = None;
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await;
            let page = page.map_err(|error| failure(QUERY, &error))?;
            for item in page.items.unwrap_or_default() {
                found.push(read(item)?);
            }
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                Some(_) | None => return Ok(found),
            }
        }
    }

    /// Writes an item, if the condition holds. One round trip, and more while a transaction has the item.
    pub(crate) async fn put(&self, item: Item, condition: Option<Condition>) -> Result<(), Unwritten> {
        let mut put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        if let Some(condition) = condition {
            put = put
                .condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        let mut pauses = PAUSES.iter();
        loop {
            let Err(error) = put.clone().send().await else { return Ok(()) };
            match pauses.next() {
                Some(pause) if collided(&error) => self.clock.pause(*pause).await,
                Some(_) | None => return Err(unwritten(error)),
            }
        }
    }

    /// Writes an item, whatever is there.
    pub(crate) async fn replace(&self, item: Item) -> Answer<()> {
        self.put(item, None).await.map_err(|error| match error {
            Unwritten::Condition(_) => {
                PortError::new(Class::Conflict, PUT, "a condition that was not set did not hold")
            }
            Unwritten::Failed(error) => error,
        })
    }
}

fn unwritten(error: SdkError<PutItemError>) -> Unwritten {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => Unwritten::Condition(failed.item.clone()),
        Some(_) | None => Unwritten::Failed(failure(PUT, &error)),
    }
}
