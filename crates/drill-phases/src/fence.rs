//! Who may be harmed: targets that opted in, in this environment, and that nobody protects.

use drill_model::ids::Environment;

use drill_model::faults::Seen;

/// The tag by which a target opts in. Its value is the environment in which it may be harmed.
pub const OPT_IN_TAG: &str = "StormdrillReady";
/// The tag that forbids any harm, whatever else is there. Its value is `true`.
pub const PROTECTION_TAG: &str = "StormdrillProtected";

/// Why this target must not be harmed in this environment, or `None`.
pub fn objection(seen: &Seen, environment: &Environment) -> Option<String> {
    let id = &seen.id;
    if seen.tags().get(PROTECTION_TAG).is_some_and(|value| value != "false") {
        return Some(format!("{id} is protected by the tag {PROTECTION_TAG}"));
    }
    match seen.tags().get(OPT_IN_TAG) {
        Some(value) if value == environment.as_str() => None,
        Some(value) => Some(format!("{id} opted in for {value}, not for {environment}")),
        None => Some(format!("{id} did not opt in: it has no tag {OPT_IN_TAG}={environment}")),
    }
}
