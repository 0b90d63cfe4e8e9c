//! What a selector asks the service for, and what of the answer it really selects.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Tag};
use drill_model::experiment::Selector;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};

/// The most values of one filter.
pub(crate) const VALUES: usize = 200;
/// The zone of an instance, and of a subnet.
const ZONE: &str = "availability-zone";

/// An empty selector is refused: it would match everything there is.
pub(crate) fn not_empty(selector: &Selector, call: &'static str) -> Answer<()> {
    let Selector { kind, tags, ids, group, zone } = selector;
    if tags.is_empty() && ids.is_empty() && group.is_none() && zone.is_none() {
        let what = format!("an empty selector would match every target of kind {kind}");
        return Err(PortError::new(Class::Refused, call, what));
    }
    Ok(())
}

/// The filters for the tags and the zone of a selector. `*` and `?` stand for themselves.
pub(crate) fn filters(selector: &Selector) -> Vec<Filter> {
    let of_tags = selector.tags.iter().map(|(tag, value)| filter(format!("tag:{tag}"), [literal(value)]));
    of_tags.chain(selector.zone.as_ref().map(|zone| filter(ZONE, [literal(zone.as_str())]))).collect()
}

/// A filter that lets any of these values through.
pub(crate) fn filter(name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

/// Filters that together let any of these values through, each with as many as a filter takes.
pub(crate) fn any_of(name: &str, values: &BTreeSet<String>) -> Vec<Filter> {
    let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
    values.chunks(VALUES).map(|values| filter(name, values.to_vec())).collect()
}

pub(crate) fn literal(value: &str) -> String {
    value.chars().flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

/// Whether a selector's ids, tags and zone name this, to the letter. A filter is a pattern with ways of its own; what is
/// selected is decided here.
pub(crate) fn matches(selector: &Selector, id: &TargetId, tags: &BTreeMap<String, String>, zone: &str) -> bool {
    let named = |name: &str| name == id.as_str() || name == id.name();
    selector.tags.iter().all(|(tag, value)| tags.get(tag) == Some(value))
        && (selector.ids.is_empty() || selector.ids.iter().any(|id| named(id.as_str())))
        && selector.zone.as_ref().is_none_or(|asked| asked.as_str() == zone)
}

/// Tags as the service gives them.
pub(crate) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

/// An answer that cannot be read is an error: a target that is half known is not safe to touch.
pub(crate) fn unread(call: &'static str, what: impl Into<String>) -> PortError {
    PortError::new(Class::Refused, call, what)
}
