//! Who may be harmed: targets that opted in, in this environment, and that nobody protects.

use drill_model::ids::Environment;

use drill_model::faults::Seen;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

pub use drill_model::faults::grant::{OPT_IN_TAG, PROTECTION_TAG};

/// Why this target must not be harmed in this environment, or `None`.
pub fn objection(seen: &Seen, environment: &Environment) -> Option<Refusal> {
    if seen.tags().get(PROTECTION_TAG).is_some_and(|value| value != "false") {
        return Some(protected(seen, None));
    }
    match seen.tags().get(OPT_IN_TAG) {
        Some(value) if value == environment.as_str() => None,
        tagged => Some(Refusal::NotOptedIn {
            target: seen.id.clone(),
            tag: OPT_IN_TAG.to_owned(),
            environment: environment.clone(),
            tagged: tagged.cloned(),
        }),
    }
}

/// A target that is protected, or holds a part that is.
pub fn protected(seen: &Seen, part: Option<TargetId>) -> Refusal {
    Refusal::Protected { target: seen.id.clone(), part, tag: PROTECTION_TAG.to_owned() }
}
