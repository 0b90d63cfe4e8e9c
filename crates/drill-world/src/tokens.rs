//! Task tokens: who waits, and who was told to go on.

use std::collections::BTreeMap;
use std::rc::Rc;

use drill_model::ids::RunId;
use drill_phases::ports::{Answer, Callback, Class, PortError, TaskTokens};

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

impl Tokens {
    /// Whether somebody waits with this token.
    fn waits(&self, token: &str) -> bool {
        let mut over = self.expired.iter().chain(&self.answered);
        self.kept.values().any(|kept| kept == token) && !over.any(|of| of == token)
    }
}

impl TaskTokens for World {
    async fn keep_token(&self, run: &RunId, token: &str) -> Answer<()> {
        self.call(Method::KeepToken, async |_| {
            self.state().tokens.kept.insert(run.clone(), token.to_owned());
            Ok(())
        })
        .await
    }

    async fn token(&self, run: &RunId) -> Answer<String> {
        self.call(Method::Token, async |_| {
            let kept = self.state().tokens.kept.get(run).cloned();
            let missing = || PortError::new(Class::Missing, Method::Token.api(), format!("no token of run {run}"));
            kept.ok_or_else(missing)
        })
        .await
    }
}

impl Callback for World {
    async fn resume(&self, token: &str) -> Answer<()> {
        self.call(Method::Resume, async |_| {
            let bell = {
                let mut state = self.state();
                if !state.tokens.waits(token) {
                    let what = "TaskTimedOut: nobody waits with this token";
                    return Err(PortError::new(Class::Missing, Method::Resume.api(), what));
                }
                state.tokens.answered.push(token.to_owned());
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
