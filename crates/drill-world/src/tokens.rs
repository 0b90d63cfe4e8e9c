//! Task tokens: who waits, and who was told to go on.

use std::collections::BTreeMap;
use std::rc::Rc;

use drill_model::ids::RunId;
use drill_phases::ports::{Answer, Class, PortError, TaskTokens};

use crate::calls::Method;
use crate::time::Bell;
use crate::world::World;

/// The tokens that were kept.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    kept: BTreeMap<RunId, String>,
    /// Tokens that somebody answered.
    answered: Vec<String>,
    /// Tokens that the machine does not wait for any more.
    expired: Vec<String>,
    bell: Rc<Bell>,
}

impl TaskTokens for World {
    async fn keep_token(&self, run: &RunId, token: &str) -> Answer<()> {
        self.call(Method::KeepToken, async |_| {
            self.state().tokens.kept.insert(run.clone(), token.to_owned());
            Ok(())
        })
        .await
    }

    async fn resume(&self, run: &RunId) -> Answer<()> {
        self.call(Method::Resume, async |_| {
            let bell = {
                let mut state = self.state();
                let waits =
                    |token: &String| !state.tokens.expired.contains(token) && !state.tokens.answered.contains(token);
                let Some(token) = state.tokens.kept.get(run).filter(|token| waits(token)).cloned() else {
                    let what = format!("TaskTimedOut: run {run} does not wait");
                    return Err(PortError::new(Class::Missing, Method::Resume.api(), what));
                };
                state.tokens.answered.push(token);
                Rc::clone(&state.tokens.bell)
            };
            bell.ring();
            Ok(())
        })
        .await
    }
}

impl World {
    /// Ends when somebody lets the run with this token go on.
    pub async fn answered(&self, token: &str) {
        loop {
            let bell = {
                let state = self.state();
                if state.tokens.answered.iter().any(|answered| answered == token) {
                    return;
                }
                Rc::clone(&state.tokens.bell)
            };
            bell.next().await;
        }
    }

    /// The machine does not wait for this token any more.
    pub fn expire_token(&self, token: &str) {
        self.state().tokens.expired.push(token.to_owned());
    }
}
