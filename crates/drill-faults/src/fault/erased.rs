//! A fault on a resource without its types, which is all that the driver knows of it.

use drill_words::quantity::Span;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Attempt, Ends, Next, Objection, Problem, ResourceFault, ScheduledUndo};
use crate::target::Target;
use crate::{Harm, Heal, Kind, Seen, Surface};

/// A fault on a resource whose types are forgotten: what the driver sees.
pub trait Erased {
    /// How it ends.
    fn ends(&self) -> Ends;
    /// The kind of target that it is done to.
    fn kind(&self) -> Kind;
    /// The IAM actions of the harm and of the undo.
    fn actions(&self) -> (&'static [&'static str], &'static [&'static str]);
    /// As [`ResourceFault::BACK_WITHIN`].
    fn back_within(&self) -> Span;
    /// As [`ResourceFault::save`]; what is saved is JSON.
    fn save(&self, seen: &Seen) -> Result<Value, Objection>;
    /// As [`ResourceFault::apply`].
    fn apply(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Next<Harm>;
    /// As [`ResourceFault::undo`].
    fn undo(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Next<Heal>;
    /// As [`ResourceFault::scheduled_undo`].
    fn scheduled_undo(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> ScheduledUndo;
    /// As [`ResourceFault::happened_at`].
    fn happened_at(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Option<Timestamp>;
    /// As [`ResourceFault::asks_host`].
    fn asks_host(&self) -> bool;
    /// As [`ResourceFault::rehearses`].
    fn rehearses(&self, seen: &Seen) -> (Vec<Harm>, Vec<Heal>);
    /// As [`ResourceFault::surface`].
    fn surface(&self) -> Surface;
    /// As [`ResourceFault::problems`].
    fn problems(&self) -> Vec<Problem>;
}

/// What was saved cannot be read: the row stays open, and nothing is guessed.
const UNREADABLE: &str = "what was saved before the change cannot be read: undo it by hand";

/// What the fault needs of what the driver has; nothing when either cannot be read.
fn typed<'a, F: ResourceFault>(attempt: &Attempt<'_, Value>, seen: &'a Seen) -> Option<(F::Saved, &'a F::On)> {
    Some((F::Saved::deserialize(attempt.saved).ok()?, F::On::of(seen)?))
}

fn with<'a, S>(attempt: &Attempt<'a, Value>, saved: &'a S) -> Attempt<'a, S> {
    let Attempt { run, unit, target, saved: _, intended_at, tried, healed, settled } = *attempt;
    Attempt { run, unit, target, saved, intended_at, tried, healed, settled }
}

impl<F: ResourceFault> Erased for F {
    fn ends(&self) -> Ends {
        F::ENDS
    }

    fn kind(&self) -> Kind {
        F::On::KIND
    }

    fn actions(&self) -> (&'static [&'static str], &'static [&'static str]) {
        (F::HARMS, F::HEALS)
    }

    fn back_within(&self) -> Span {
        F::BACK_WITHIN
    }

    fn save(&self, seen: &Seen) -> Result<Value, Objection> {
        let on = F::On::of(seen).ok_or_else(|| format!("{} is another kind of target", seen.id))?;
        serde_json::to_value(ResourceFault::save(self, on)?).map_err(|error| error.to_string())
    }

    fn apply(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Next<Harm> {
        let Some((saved, on)) = typed::<F>(attempt, seen) else { return Next::Wait(UNREADABLE) };
        ResourceFault::apply(self, &with(attempt, &saved), on).map(Into::into)
    }

    fn undo(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Next<Heal> {
        let Some((saved, on)) = typed::<F>(attempt, seen) else { return Next::Wait(UNREADABLE) };
        ResourceFault::undo(self, &with(attempt, &saved), on).map(Into::into)
    }

    fn scheduled_undo(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> ScheduledUndo {
        match typed::<F>(attempt, seen) {
            Some((saved, on)) => ResourceFault::scheduled_undo(self, &with(attempt, &saved), on),
            None => ScheduledUndo::Nothing(UNREADABLE),
        }
    }

    fn happened_at(&self, attempt: &Attempt<'_, Value>, seen: &Seen) -> Option<Timestamp> {
        let (saved, on) = typed::<F>(attempt, seen)?;
        ResourceFault::happened_at(self, &with(attempt, &saved), on)
    }

    fn asks_host(&self) -> bool {
        ResourceFault::asks_host(self)
    }

    fn rehearses(&self, seen: &Seen) -> (Vec<Harm>, Vec<Heal>) {
        let Some(on) = F::On::of(seen) else { return (Vec::new(), Vec::new()) };
        let (harms, heals) = ResourceFault::rehearses(self, on);
        (harms.into_iter().map(Into::into).collect(), heals.into_iter().map(Into::into).collect())
    }

    fn surface(&self) -> Surface {
        ResourceFault::surface(self)
    }

    fn problems(&self) -> Vec<Problem> {
        ResourceFault::problems(self)
    }
}
