//! Truth: stories of which every second is known, judged from what was sampled of them.
//!
//! A sampling may be late, incomplete, doubled, restated and out of order. Whatever it is, no finding says yes or no where
//! the story says otherwise, and no interval leaves the truth out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod record;
mod story;

use drill_model::verdict::{Finding, Holds, Judgement, RecoveryTime, Verdict, judge};

use self::record::{LIMIT, PROBE, WITHIN, record};
use self::story::Story;
use stormdrill_tests::chance::Chance;

/// So many stories are told, and each is sampled so many times.
const STORIES: u64 = 600;
const SAMPLINGS: u64 = 3;
/// A length that is said to people is rounded: by no more than this share, and half a second.
const ROUNDED: f64 = 0.05;

#[test]
fn what_is_said_of_a_sampling_is_true_of_the_story() {
    let mut said = Said::default();
    for seed in 0..STORIES {
        let story = Story::tell(&mut Chance::of(seed));
        for sampling in 0..SAMPLINGS {
            let records = record(&story, &mut Chance::of(seed * SAMPLINGS + sampling + 1_000_000));
            let judgement = judge(&records.run, Some(&records.plan), &records.ledger, &records.samples);
            let lies = lies(&story, &judgement);
            assert!(lies.is_empty(), "seed {seed}, sampling {sampling}: {lies:?}\n{story:#?}\n{judgement:#?}");
            said.hear(&judgement);
        }
    }

    println!("{STORIES} stories, {SAMPLINGS} samplings of each: {said:#?}");
    // A judge that always says "unknown" would pass, too.
    let tenth = STORIES * SAMPLINGS / 10;
    for (what, count) in [
        ("steady yes", said.steady[0]),
        ("steady no", said.steady[1]),
        ("steady unknown", said.steady[2]),
        ("fast enough", said.limit[0]),
        ("too slow", said.limit[1]),
        ("recovered", said.recovered),
    ] {
        assert!(count > tenth, "{what}: {count} of {}", STORIES * SAMPLINGS);
    }
    assert!(said.supported > tenth && said.refuted > tenth, "{said:?}");
}

/// What was said, counted.
#[derive(Debug, Default)]
struct Said {
    steady: [u64; 3],
    limit: [u64; 3],
    recovered: u64,
    supported: u64,
    refuted: u64,
}

impl Said {
    fn hear(&mut self, judgement: &Judgement) {
        let place = |holds| match holds {
            Holds::Yes => 0,
            Holds::No => 1,
            Holds::Unknown => 2,
        };
        self.steady[place(about(judgement, PROBE).holds)] += 1;
        self.limit[place(about(judgement, &limit()).holds)] += 1;
        self.recovered += u64::from(matches!(judgement.recovery, RecoveryTime::Recovered { .. }));
        self.supported += u64::from(judgement.verdict == Verdict::Supported);
        self.refuted += u64::from(judgement.verdict == Verdict::Refuted);
    }
}

fn limit() -> String {
    format!("recovered within {LIMIT}")
}

fn about<'a>(judgement: &'a Judgement, what: &str) -> &'a Finding {
    let found = judgement.findings.iter().find(|finding| finding.about == what);
    found.unwrap_or_else(|| panic!("no finding about {what}: {judgement:#?}"))
}

/// Every finding that the story contradicts.
fn lies(story: &Story, judgement: &Judgement) -> Vec<String> {
    let mut lies = Vec::new();
    let mut must = |is_so: bool, what: &str| {
        if !is_so {
            lies.push(what.to_owned());
        }
    };
    let fault = about(judgement, record::FAULT);
    if fault.holds == Holds::Yes {
        must(story.exposure() * 10 >= story.asked * 9, "the fault was not there for 90 % of its time");
    }
    let steady = about(judgement, PROBE);
    match steady.holds {
        Holds::Yes => must(story.longest_breach() as f64 <= may_be_missed(&steady.seen), "a longer breach was missed"),
        Holds::No => must(story.may_have_breached(), "nothing was out while the fault may have been there"),
        Holds::Unknown => {}
    }
    let took = story.recovery();
    let slower = |span: drill_model::quantity::Span| took > i64::try_from(span.as_millis()).unwrap();
    match about(judgement, &limit()).holds {
        Holds::Yes => must(!slower(LIMIT), "it was not fast enough"),
        Holds::No => must(slower(LIMIT), "it was fast enough"),
        Holds::Unknown => {}
    }
    match judgement.recovery {
        RecoveryTime::Recovered { at_least, at_most } => {
            let [at_least, at_most] = [at_least, at_most].map(|span| i64::try_from(span.as_millis()).unwrap());
            must((at_least..=at_most).contains(&took), "the interval leaves the recovery out");
        }
        RecoveryTime::NotRecovered { .. } => must(slower(WITHIN), "it was back in its time"),
        RecoveryTime::Unknown => {}
    }
    match judgement.verdict {
        Verdict::Supported => must(!slower(LIMIT), "supported, and not fast enough"),
        Verdict::Refuted => must(story.may_have_breached() || slower(LIMIT), "refuted, and nothing was out"),
        Verdict::Inconclusive => {}
        other => must(false, &format!("no records say {other}")),
    }
    lies
}

/// How long a breach may be that a finding says it may have missed, in milliseconds.
fn may_be_missed(seen: &str) -> f64 {
    let (_, rest) = seen.split_once("a breach shorter than ").expect("a yes says what it may have missed");
    let (said, _) = rest.split_once(" may have been missed").expect("so it goes on");
    let words: Vec<&str> = said.split(' ').collect();
    let length: f64 = words
        .chunks(2)
        .map(|word| {
            let unit = match word[1] {
                "ms" => 1.0,
                "s" => 1_000.0,
                "min" => 60_000.0,
                other => panic!("{other} in {said}"),
            };
            word[0].parse::<f64>().expect("a number") * unit
        })
        .sum();
    length * (1.0 + ROUNDED) + 500.0
}
