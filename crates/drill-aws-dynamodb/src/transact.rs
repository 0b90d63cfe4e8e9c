//! Transactions: all of their actions or none, and which conditions did not hold when it is none.
//!
//! A transaction that only met another one is tried again: it did nothing, and the other will soon be over.
//! The request token is the SDK's own, one for each call: its retries are one transaction. A token made from the content
//! would let DynamoDB answer a repeated call from memory, for ten minutes, without looking at the conditions again.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use drill_phases::ports::{Answer, Class, Clock, PortError};

use crate::calls::{Condition, PAUSES, RunTable};
use crate::failure::{collided, failure};
use crate::item::{Item, Key};

pub(crate) const TRANSACT: &str = "dynamodb:TransactWriteItems";

/// The most actions of one transaction.
pub(crate) const ACTIONS: usize = 100;

/// What became of the condition of one action.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fate {
    /// Nothing was against it.
    Held,
    /// It did not hold; this is the item that was there, if the service said it.
    Failed(Option<Item>),
}

impl Fate {
    pub(crate) fn held(&self) -> bool {
        *self == Self::Held
    }
}

/// A transaction that was not made.
pub(crate) enum Cancelled {
    /// Conditions did not hold: a fate for each action, in their order.
    Conditions(Vec<Fate>),
    /// Something else.
    Failed(PortError),
}

impl<C: Clock> RunTable<C> {
    /// Makes a transaction of up to [`ACTIONS`] actions. One round trip, and more while others have its items.
    pub(crate) async fn transact(&self, actions: Vec<TransactWriteItem>) -> Result<(), Cancelled> {
        let count = actions.len();
        let transaction = self.client.transact_write_items().set_transact_items(Some(actions));
        let mut pauses = PAUSES.iter();
        loop {
            let Err(error) = transaction.clone().send().await else { return Ok(()) };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    Reasons::of(cancelled.cancellation_reasons(), count)
                }
                Some(_) | None if collided(&error) => Reasons::Collision,
                Some(_) | None => Reasons::Other,
            };
            match (reasons, pauses.next()) {
                (Reasons::Conditions(fates), _) => return Err(Cancelled::Conditions(fates)),
                (Reasons::Collision, Some(pause)) => self.clock.pause(*pause).await,
                (Reasons::Collision, None) => {
                    let failed = failure(TRANSACT, &error);
                    return Err(Cancelled::Failed(PortError { class: Class::Transient, ..failed }));
                }
                (Reasons::Other, _) => return Err(Cancelled::Failed(failure(TRANSACT, &error))),
            }
        }
    }

    pub(crate) fn put_action(&self, item: Item, condition: Option<Condition>) -> Answer<TransactWriteItem> {
        let mut put = Put::builder().table_name(&self.name).set_item(Some(item));
        if let Some(condition) = condition {
            put = put
                .condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        Ok(TransactWriteItem::builder().put(put.build().map_err(unbuilt)?).build())
    }

    pub(crate) fn check_action(&self, key: &Key, condition: Condition) -> Answer<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().condition_check(check.map_err(unbuilt)?).build())
    }

    /// Changes an item, or makes one. The expression uses names and values of the condition.
    pub(crate) fn update_action(&self, key: &Key, change: &str, condition: Condition) -> Answer<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .update_expression(change)
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().update(update.map_err(unbuilt)?).build())
    }

    pub(crate) fn delete_action(&self, key: &Key, condition: Condition) -> Answer<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(unbuilt)?).build())
    }
}

impl Cancelled {
    /// The error for a caller to whom it does not matter which condition did not hold.
    pub(crate) fn into_conflict(self, what: impl FnOnce() -> String) -> PortError {
        match self {
            Self::Conditions(_) => PortError::new(Class::Conflict, TRANSACT, what()),
            Self::Failed(error) => error,
        }
    }
}

/// What the reasons of a cancelled transaction come to.
enum Reasons {
    /// Somebody else had an item, and nothing worse: try again.
    Collision,
    /// Conditions did not hold.
    Conditions(Vec<Fate>),
    /// What only the generic rules can tell.
    Other,
}

impl Reasons {
    fn of(reasons: &[aws_sdk_dynamodb::types::CancellationReason], actions: usize) -> Self {
        if reasons.len() != actions {
            return Self::Other;
        }
        let mut fates = Vec::with_capacity(actions);
        for reason in reasons {
            match reason.code() {
                Some("ConditionalCheckFailed") => {
                    fates.push(Fate::Failed(reason.item().filter(|item| !item.is_empty()).cloned()));
                }
                None | Some("None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                    fates.push(Fate::Held);
                }
                Some(_) => return Self::Other,
            }
        }
        if fates.iter().all(Fate::held) { Self::Collision } else { Self::Conditions(fates) }
    }
}

fn unbuilt(error: aws_sdk_dynamodb::error::BuildError) -> PortError {
    PortError::new(Class::Refused, TRANSACT, error.to_string())
}
