//! What IAM must allow for faults, and within which fence. The roles of the templates are generated from it.
//!
//! Harm is fenced by the tag by which a target opts in; healing is fenced by its verb, because a tag can be taken off while
//! something is broken.

/// The tag by which a target opts in. Its value is the environment in which it may be harmed.
pub const OPT_IN_TAG: &str = "StormdrillReady";
/// The tag that forbids any harm, whatever else is there. Its value is `true`.
pub const PROTECTION_TAG: &str = "StormdrillProtected";

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Inject, which harms.
    Harm,
    /// Prepare, which asks by dry runs whether Inject and the healers may. AWS answers only those who may.
    Rehearse,
    /// Recover, Rollback and the janitor, which heal.
    Heal,
    /// The scheduler, when everything of ours is gone. It makes the call with any parameters, so no call of it may harm.
    Undo,
}

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Resources of the account and the region: the service and the end of the ARN, `ec2:instance/*`.
    Resources(&'static [&'static str]),
    /// The documents of the faults on hosts, each by its name.
    FaultDocuments,
    /// This document of ours, and the instances to which it is sent.
    Document(&'static str),
    /// Everything: AWS knows no resource for it.
    Everything,
}

/// When a statement holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Always: only the verb and the resource are fenced.
    Always,
    /// The target opted in to an environment of the stack.
    OptedIn,
    /// The instance to which a document is sent opted in; SSM has a condition key of its own.
    OptedInHost,
    /// The resource has this tag, which what a run makes has.
    Tagged(&'static str),
    /// The resource is given this tag as it is made.
    MadeTagged(&'static str),
    /// Tags are given in this call, which makes the resource.
    MadeIn(&'static str),
    /// A key is granted to EC2, for the volumes of an instance.
    ForEc2,
}

/// One statement.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// Its name, once in each role.
    pub sid: &'static str,
    /// Who needs it.
    pub to: &'static [Hand],
    /// The IAM actions.
    pub actions: &'static [&'static str],
    /// What it is about.
    pub on: On,
    /// When it holds.
    pub only: Only,
    /// The condition of the templates under which it is there, where that is not the family's.
    pub under: Option<&'static str>,
    /// Why it is as it is, for readers of the template.
    pub why: Option<&'static str>,
}

impl Grant {
    /// A statement that always holds.
    pub const fn new(
        sid: &'static str,
        to: &'static [Hand],
        actions: &'static [&'static str],
        on: &'static [&'static str],
    ) -> Self {
        Self { sid, to, actions, on: On::Resources(on), only: Only::Always, under: None, why: None }
    }

    /// On other things than some resources.
    pub const fn on(mut self, on: On) -> Self {
        self.on = on;
        self
    }

    /// Only when this is so.
    pub const fn only(mut self, only: Only) -> Self {
        self.only = only;
        self
    }

    /// Only under this condition of the templates.
    pub const fn under(mut self, condition: &'static str) -> Self {
        self.under = Some(condition);
        self
    }

    /// Why it is as it is.
    pub const fn because(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }
}
