//! How things are written as items: keys, attributes, JSON.
//!
//! Values are JSON text, as the phases know them; what a condition or an index looks at is an attribute beside it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use drill_model::ids::{FaultName, RunId};
use drill_model::ledger::Row;
use drill_model::observation::Stage;
use drill_model::run::Status;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::unreadable;

/// The index of rows that are open and of runs that are unfinished: `open`, then `deadline`; its projection needs the
/// keys only.
pub const OPEN_INDEX: &str = "open";
/// What everything in the index carries.
pub(crate) const OPEN: &str = "open";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn of_run(run: &RunId, sk: impl Into<String>) -> Self {
        Self { pk: partition(run), sk: sk.into() }
    }

    pub(crate) fn record(run: &RunId) -> Self {
        Self::of_run(run, "RUN")
    }

    pub(crate) fn row(run: &RunId, fault: &FaultName, target: &TargetId) -> Self {
        Self::of_run(run, format!("ROW#{fault}#{}", target.as_str()))
    }

    pub(crate) fn lease(target: &TargetId) -> Self {
        Self { pk: format!("LEASE#{}", target.as_str()), sk: "LEASE".to_owned() }
    }

    pub(crate) fn lever() -> Self {
        Self { pk: "LEVER".to_owned(), sk: "LEVER".to_owned() }
    }

    /// The key of the proof that the scheduler makes undo calls.
    pub(crate) fn undo_proof() -> Self {
        Self { pk: "UNDO".to_owned(), sk: "PROOF".to_owned() }
    }

    /// The key of an item that was read.
    pub(crate) fn found(item: &Item) -> Option<Self> {
        Some(Self { pk: text(item, "pk")?.to_owned(), sk: text(item, "sk")?.to_owned() })
    }

    pub(crate) fn item(&self) -> Item {
        HashMap::from([("pk".to_owned(), string(&self.pk)), ("sk".to_owned(), string(&self.sk))])
    }

    /// An item with this key and these attributes.
    pub(crate) fn with<const N: usize>(&self, attributes: [(&str, AttributeValue); N]) -> Item {
        let mut item = self.item();
        item.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
        item
    }
}

/// The partition of a run.
pub(crate) fn partition(run: &RunId) -> String {
    format!("RUN#{run}")
}

/// The run of a partition.
pub(crate) fn run_of(pk: &str) -> Option<RunId> {
    RunId::try_from(pk.strip_prefix("RUN#")?).ok()
}

/// The sort keys of the samples of a stage start with this. The words of the stages sort as the stages do.
pub(crate) fn samples_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Baseline => "SAMPLE#baseline#",
        Stage::Fault => "SAMPLE#fault#",
        Stage::Recovery => "SAMPLE#recovery#",
    }
}

/// The word for a status, which intents have a condition on.
pub(crate) const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Preparing => "preparing",
        Status::AwaitingApproval => "awaiting-approval",
        Status::Refused => "refused",
        Status::Planned => "planned",
        Status::Ready => "ready",
        Status::Injecting => "injecting",
        Status::Observing => "observing",
        Status::Recovering => "recovering",
        Status::RollingBack => "rolling-back",
        Status::Stuck => "stuck",
        Status::Clean => "clean",
        Status::Judged => "judged",
    }
}

/// An instant as text that sorts as time does: always with nine digits of a second.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// A row as its item. Only an open one is in the index.
pub(crate) fn row_item(call: &'static str, row: &Row) -> Answer<Item> {
    let mut item = Key::row(&row.run_id, &row.fault, &row.target)
        .with([("row", string(written(call, row)?)), ("state", string(row.state.word()))]);
    if row.state.is_open() {
        show_in_index(&mut item, row.deadline);
    }
    Ok(item)
}

/// Puts an item into the index of what is not over.
pub(crate) fn show_in_index(item: &mut Item, deadline: Timestamp) {
    item.insert("open".to_owned(), string(OPEN));
    item.insert("deadline".to_owned(), string(instant(deadline)));
}

/// A value as JSON text.
pub(crate) fn written<T: Serialize>(call: &'static str, value: &T) -> Answer<String> {
    serde_json::to_string(value)
        .map_err(|error| PortError::new(Class::Refused, call, format!("the item cannot be written: {error}")))
}

/// The value in an attribute of an item.
pub(crate) fn read<T: DeserializeOwned>(call: &'static str, item: &Item, name: &str) -> Answer<T> {
    let found = text(item, name).ok_or_else(|| unreadable(call, &what(item), format!("it has no `{name}`")))?;
    serde_json::from_str(found).map_err(|error| unreadable(call, &what(item), error))
}

/// The text in an attribute of an item.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// An attribute that is text.
pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// An attribute that is a number.
pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An item, by its key, in words.
pub(crate) fn what(item: &Item) -> String {
    match Key::found(item) {
        Some(Key { pk, sk }) => format!("item {pk}/{sk}"),
        None => "an item without a key".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_text_like_time() {
        let texts = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:10Z"]
            .map(|text| instant(text.parse().unwrap()));

        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[0], "2026-01-01T00:00:00.000000000Z");
    }

    #[test]
    fn the_words_are_those_of_the_record() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status_word(*status));
        }
    }

    #[test]
    fn samples_sort_as_their_stages() {
        let keys = [Stage::Baseline, Stage::Fault, Stage::Recovery].map(samples_of);

        assert!(keys.is_sorted());
    }
}
