//! Two runs at one target, in every order of their calls: the conditions are read and applied as DynamoDB does.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::*;
use crate::item::Item;

/// Whether a condition holds for an item; one that is not there has no attributes.
fn holds(condition: &Condition, item: &Item) -> bool {
    let text = condition.expression.replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = text.split_whitespace().rev().collect();
    let truth = any(&mut words, condition, item);
    assert!(words.is_empty(), "the end of {text} is not read");
    truth
}

fn any(words: &mut Vec<&str>, condition: &Condition, item: &Item) -> bool {
    let mut truth = all(words, condition, item);
    while words.last() == Some(&"OR") {
        words.pop();
        truth |= all(words, condition, item);
    }
    truth
}

fn all(words: &mut Vec<&str>, condition: &Condition, item: &Item) -> bool {
    let mut truth = one(words, condition, item);
    while words.last() == Some(&"AND") {
        words.pop();
        truth &= one(words, condition, item);
    }
    truth
}

fn one(words: &mut Vec<&str>, condition: &Condition, item: &Item) -> bool {
    let attribute = |name: &str| item.get(&condition.names.as_ref().unwrap()[name]);
    match words.pop().unwrap() {
        "(" => {
            let truth = any(words, condition, item);
            assert_eq!(words.pop(), Some(")"));
            truth
        }
        "attribute_not_exists" => {
            let name = [words.pop(), words.pop(), words.pop()][1].unwrap();
            attribute(name).is_none()
        }
        name => {
            assert_eq!(words.pop(), Some("="));
            let value = &condition.values.as_ref().unwrap()[words.pop().unwrap()];
            attribute(name) == Some(value)
        }
    }
}

/// What a run does, one call after the other.
#[derive(Debug, Clone)]
struct Actor {
    run: RunId,
    hold: Hold,
    calls: usize,
    took: bool,
    read: Option<Held>,
}

impl Actor {
    fn new(run: &str, hold: Hold) -> Self {
        Self { run: run.parse().unwrap(), hold, calls: 0, took: false, read: None }
    }

    /// The next call: take, read, give back. A give-back that lost a race reads again. False when there is none.
    fn call(&mut self, item: &mut Item) -> bool {
        let step = self.calls;
        self.calls += 1;
        match step {
            0 => {
                let condition = match self.hold {
                    Hold::Whole => Condition::free_to_own(&self.run),
                    Hold::Share => Condition::free_to_share(&self.run),
                };
                self.took = holds(&condition, item);
                if self.took {
                    take(item, &self.run, self.hold);
                }
                true
            }
            1 if self.took => {
                self.read = Some(held(item));
                true
            }
            2 if self.took => {
                let seen = self.read.take().unwrap();
                if holds(&seen.unchanged(), item) {
                    *item = seen.without(&self.run, &[self.hold].into()).attributes();
                    self.took = false;
                } else {
                    self.calls = 1;
                }
                true
            }
            _ => false,
        }
    }
}

fn take(item: &mut Item, run: &RunId, hold: Hold) {
    match hold {
        Hold::Whole => drop(item.insert("owner".to_owned(), AttributeValue::S(run.to_string()))),
        Hold::Share => {
            let mut all = item.get("shares").map(|shares| shares.as_ss().unwrap().clone()).unwrap_or_default();
            all.push(run.to_string());
            all.sort();
            all.dedup();
            item.insert("shares".to_owned(), AttributeValue::Ss(all));
        }
    }
}

fn held(item: &Item) -> Held {
    if item.is_empty() {
        return Held::default();
    }
    let mut whole = item.clone();
    let target = "arn:aws:ec2:eu-central-1:123456789012:instance/i-00000001";
    whole.extend(HashMap::from([("pk".to_owned(), AttributeValue::S(format!("LEASE#{target}")))]));
    Held::read(&whole).unwrap().1
}

/// Goes through every order of the calls of all the actors, and returns who took at first in each.
fn orders(actors: &[Actor], item: &Item, seen: &mut Vec<Vec<bool>>, took: &[bool]) {
    for hold in actors.iter().filter(|actor| actor.took) {
        assert!(held(item).is_by(&hold.run, hold.hold), "{hold:?} lost its lease: {item:?}");
        for other in actors.iter().filter(|other| other.took && other.run != hold.run) {
            assert_eq!((hold.hold, other.hold), (Hold::Share, Hold::Share), "both hold it: {item:?}");
        }
    }
    let mut over = true;
    for at in 0..actors.len() {
        let (mut actors, mut item, mut took) = (actors.to_vec(), item.clone(), took.to_vec());
        let first = actors[at].calls == 0;
        if actors[at].call(&mut item) {
            took[at] |= first && actors[at].took;
            over = false;
            orders(&actors, &item, seen, &took);
        }
    }
    if over {
        assert!(item.is_empty(), "something is left: {item:?}");
        seen.push(took.to_vec());
    }
}

fn every_order(actors: &[Actor]) -> Vec<Vec<bool>> {
    let mut seen = Vec::new();
    orders(actors, &Item::new(), &mut seen, &vec![false; actors.len()]);
    seen
}

#[test]
fn two_runs_that_want_a_target_for_themselves_never_both_have_it() {
    let seen = every_order(&[Actor::new("run-1", Hold::Whole), Actor::new("run-2", Hold::Whole)]);

    assert!(seen.iter().all(|took| took.contains(&true)), "whoever comes first has it");
    assert!(seen.contains(&vec![true, false]) && seen.contains(&vec![false, true]));
}

#[test]
fn three_shares_stand_beside_each_other_and_none_is_lost() {
    let actors = ["run-1", "run-2", "run-3"].map(|run| Actor::new(run, Hold::Share));

    let seen = every_order(&actors);

    assert!(seen.iter().all(|took| took == &[true, true, true]));
}

#[test]
fn a_share_and_an_owner_never_stand_beside_each_other() {
    let seen = every_order(&[Actor::new("run-1", Hold::Share), Actor::new("run-2", Hold::Whole)]);

    assert!(seen.contains(&vec![true, false]) && seen.contains(&vec![false, true]));
}

#[test]
fn a_run_may_take_what_it_has_a_share_of_for_itself_and_no_other_may() {
    let (own, other) = ("run-1".parse().unwrap(), "run-2".parse().unwrap());
    let mut item = Item::new();
    take(&mut item, &own, Hold::Share);

    assert!(holds(&Condition::free_to_own(&own), &item));
    assert!(!holds(&Condition::free_to_own(&other), &item));
    take(&mut item, &other, Hold::Share);
    assert!(!holds(&Condition::free_to_own(&own), &item));
}
