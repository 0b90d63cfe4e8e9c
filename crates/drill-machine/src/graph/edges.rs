//! The edges of a machine, and the part of it where something may be broken.
//!
//! Next: the rules, which ask this graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Meta;
use super::facts;
use crate::choice::{Comparison, Test};
use crate::definition::{Kind, Machine, Next, State, VERDICT};

/// One way from a state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge<'a> {
    /// From here.
    pub from: &'a str,
    /// To there.
    pub to: &'a str,
    /// By what.
    pub by: By,
}

/// What an edge is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// `Next`
    Next,
    /// `Catch`, which one.
    Catch(usize),
    /// `Choices`, which one.
    Rule(usize),
    /// `Default`
    Default,
}

/// A machine, its edges, and what its states may do.
pub struct Graph<'a> {
    pub(super) machine: &'a Machine,
    pub(super) meta: &'a Meta,
    edges: Vec<Edge<'a>>,
    zone: BTreeMap<&'a str, &'a str>,
}

impl<'a> Graph<'a> {
    /// The graph of a machine.
    pub fn of(machine: &'a Machine, meta: &'a Meta) -> Self {
        let edges = machine.states.iter().flat_map(|(name, state)| edges_of(name, state)).collect();
        let mut graph = Self { machine, meta, edges, zone: BTreeMap::new() };
        let starts = meta.mutates.iter().map(String::as_str);
        graph.zone = graph.reach(starts, |edge| edge.to != meta.pages && !graph.is_clean(edge));
        graph
    }

    /// The ways out of a state.
    pub fn out_of(&self, state: &str) -> impl Iterator<Item = Edge<'a>> {
        self.edges.iter().copied().filter(move |edge| edge.from == state)
    }

    /// The ways into a state.
    pub fn into(&self, state: &str) -> impl Iterator<Item = Edge<'a>> {
        self.edges.iter().copied().filter(move |edge| edge.to == state)
    }

    /// Where something may be broken: all that is reached from a change before `clean` is seen or a page is sent.
    pub fn zone(&self) -> impl Iterator<Item = (&'a str, &'a State)> {
        self.zone
            .keys()
            .filter_map(|name| self.machine.states.get_key_value(*name))
            .map(|(name, state)| (name.as_str(), state))
    }

    /// True where something may be broken.
    pub fn is_in_zone(&self, state: &str) -> bool {
        self.zone.contains_key(state)
    }

    /// How a state of the zone is reached from a change.
    pub(super) fn way_to(&self, state: &'a str) -> String {
        let mut way = vec![state];
        while let Some(before) = way.last().and_then(|last| self.zone.get(last)).filter(|before| !way.contains(before))
        {
            way.push(before);
        }
        way.reverse();
        way.join(" -> ")
    }

    /// Every state reached by the edges that may be taken, with the state before it; a start is its own.
    pub(super) fn reach(
        &self,
        starts: impl IntoIterator<Item = &'a str>,
        may: impl Fn(&Edge<'a>) -> bool,
    ) -> BTreeMap<&'a str, &'a str> {
        let mut before: BTreeMap<&str, &str> = starts.into_iter().map(|start| (start, start)).collect();
        let mut next: VecDeque<&str> = before.keys().copied().collect();
        while let Some(state) = next.pop_front() {
            for edge in self.out_of(state).filter(|edge| may(edge)) {
                if !before.contains_key(edge.to) {
                    before.insert(edge.to, state);
                    next.push_back(edge.to);
                }
            }
        }
        before
    }

    /// The cleaning state whose answer this Choice judges, if it judges no other state's answer.
    pub(super) fn judged_by(&self, choice: &str) -> Option<&'a str> {
        let is_choice = matches!(self.machine.states.get(choice)?.kind, Kind::Choice(_));
        let asked: BTreeSet<_> = self.into(choice).map(|edge| (edge.from, edge.by)).collect();
        match asked.into_iter().collect::<Vec<_>>()[..] {
            [(only, By::Next)] if is_choice && self.meta.cleans.iter().any(|clean| clean == only) => Some(only),
            _ => None,
        }
    }

    /// True if this edge is taken only when a cleaning state has said `clean`.
    pub(super) fn is_clean(&self, edge: &Edge<'a>) -> bool {
        self.judged_by(edge.from).is_some() && self.word(edge) == Some(&self.meta.clean_word)
    }

    /// The verdict that this edge demands.
    pub(super) fn word(&self, edge: &Edge<'a>) -> Option<&'a str> {
        facts::demanded(self.rule(edge)?).find_map(|(path, with)| match with {
            Comparison::StringEquals(word) if path.to_string() == VERDICT => Some(word.as_str()),
            _ => None,
        })
    }

    fn rule(&self, edge: &Edge<'a>) -> Option<&'a Test> {
        match (&self.machine.states.get(edge.from)?.kind, edge.by) {
            (Kind::Choice(choice), By::Rule(index)) => choice.rules.get(index).map(|rule| &rule.test),
            _ => None,
        }
    }

    /// The states from `to` on, through Pass states only; the last is the first that is not one.
    pub(super) fn straight(&self, to: &'a str) -> Vec<&'a str> {
        let mut way = vec![to];
        while let Some(next) = way.last().and_then(|last| self.pass_next(last)) {
            if way.contains(&next) {
                break;
            }
            way.push(next);
        }
        way
    }

    fn pass_next(&self, state: &str) -> Option<&'a str> {
        match &self.machine.states.get(state)?.kind {
            Kind::Pass(pass) => next(&pass.next),
            Kind::Task(_) | Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail(_) => None,
        }
    }

    /// True if `to` leads straight to one of these.
    pub(super) fn leads_to(&self, to: &'a str, targets: &[&str]) -> bool {
        self.straight(to).last().is_some_and(|last| targets.contains(last))
    }

    /// Where a failure in this state must lead: to cleaning, from cleaning to the last resort, from there to the pager.
    pub(super) fn refuge(&self, state: &str) -> Vec<&'a str> {
        let owner = self.judged_by(state).unwrap_or(state);
        let cleans = self.meta.cleans.iter().any(|clean| clean == owner);
        match cleans {
            true if owner == self.meta.last_resort => vec![&self.meta.pages],
            true => vec![&self.meta.last_resort],
            false => self.meta.cleans.iter().map(String::as_str).collect(),
        }
    }
}

fn edges_of<'a>(from: &'a str, state: &'a State) -> Vec<Edge<'a>> {
    let edge = |to: &'a str, by| Edge { from, to, by };
    match &state.kind {
        Kind::Task(task) => {
            let caught = task.catch.iter().enumerate().map(|(index, catcher)| edge(&catcher.next, By::Catch(index)));
            next(&task.next).map(|to| edge(to, By::Next)).into_iter().chain(caught).collect()
        }
        Kind::Choice(choice) => {
            let rules = choice.rules.iter().enumerate().map(|(index, rule)| edge(&rule.next, By::Rule(index)));
            rules.chain(choice.default.as_deref().map(|to| edge(to, By::Default))).collect()
        }
        Kind::Wait(wait) => next(&wait.next).map(|to| edge(to, By::Next)).into_iter().collect(),
        Kind::Pass(pass) => next(&pass.next).map(|to| edge(to, By::Next)).into_iter().collect(),
        Kind::Succeed | Kind::Fail(_) => Vec::new(),
    }
}

fn next(next: &Next) -> Option<&str> {
    match next {
        Next::State(name) => Some(name),
        Next::End => None,
    }
}

/// True if an execution can end in this state.
pub(super) fn ends(state: &State) -> bool {
    match &state.kind {
        Kind::Succeed | Kind::Fail(_) => true,
        Kind::Task(task) => task.next == Next::End,
        Kind::Wait(wait) => wait.next == Next::End,
        Kind::Pass(pass) => pass.next == Next::End,
        Kind::Choice(_) => false,
    }
}
