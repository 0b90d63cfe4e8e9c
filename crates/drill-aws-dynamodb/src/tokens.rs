//! Task tokens, the emergency stop and the proof of the scheduled undo: one item each.
//!
//! A token is a bearer's: it is never part of an error.

use drill_model::ids::RunId;
use drill_phases::ports::{Answer, Class, Clock, EmergencyStop, PortError, TaskTokens, UndoProof};
use jiff::Timestamp;

use crate::calls::{GET, RunTable};
use crate::failure::unreadable;
use crate::item::{Key, string, text};

impl<C: Clock> TaskTokens for RunTable<C> {
    const ACTIONS: &'static [&'static str] = &["dynamodb:GetItem", "dynamodb:PutItem"];

    /// One round trip.
    async fn keep_token(&self, run: &RunId, token: &str) -> Answer<()> {
        self.replace(Key::of_run(run, "TOKEN").with([("token", string(token))])).await
    }

    /// One round trip.
    async fn token(&self, run: &RunId) -> Answer<String> {
        let missing = || PortError::new(Class::Missing, GET, format!("no token of run {run}"));
        let item = self.item(&Key::of_run(run, "TOKEN")).await?.ok_or_else(missing)?;
        let token = text(&item, "token").map(str::to_owned);
        token.ok_or_else(|| unreadable(GET, &format!("the token of run {run}"), "it has no `token`"))
    }
}

impl<C: Clock> UndoProof for RunTable<C> {
    const ACTIONS: &'static [&'static str] = &["dynamodb:GetItem"];

    /// One round trip. A proof that does not say when it was made is none, and an error.
    async fn undo_proven(&self) -> Answer<Option<Timestamp>> {
        let Some(item) = self.item(&Key::undo_proof()).await? else { return Ok(None) };
        let at = text(&item, "at").and_then(|at| at.parse().ok());
        at.map(Some).ok_or_else(|| unreadable(GET, "the proof of the scheduled undo", "it has no `at`"))
    }
}

impl<C: Clock> EmergencyStop for RunTable<C> {
    const ACTIONS: &'static [&'static str] = &["dynamodb:GetItem"];

    /// One round trip. Whatever is there counts as pulled, with or without a reason.
    async fn lever(&self) -> Answer<Option<String>> {
        let item = self.item(&Key::lever()).await?;
        Ok(item.map(|item| text(&item, "reason").unwrap_or("no reason was given").to_owned()))
    }
}
