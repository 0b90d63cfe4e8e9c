use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::*;
use crate::experiment::Share;

fn hosts() -> TargetName {
    TargetName::try_from("order-hosts").unwrap()
}

fn population(size: usize) -> BTreeSet<TargetId> {
    let home = crate::target::Home { account: "123456789012".into(), region: "eu-central-1".into() };
    (0..size).map(|number| home.instance(&format!("i-{number:017x}").parse().unwrap())).collect()
}

fn percent(share: f64) -> Percent {
    Percent::try_from(share).unwrap()
}

fn any_pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        (1u32..80).prop_map(|count| Pick::Count(NonZeroU32::new(count).unwrap())),
        (1u32..=10_000).prop_map(|parts| Pick::Percent(Share::try_from(f64::from(parts) / 100.0).unwrap())),
        Just(Pick::All),
    ]
}

proptest! {
    #[test]
    fn the_same_seed_picks_the_same_whatever_the_order_of_the_ids(
        chosen in any_pick(),
        (sorted, shuffled) in (0usize..60).prop_flat_map(|size| {
            let ids: Vec<TargetId> = population(size).into_iter().collect();
            (Just(ids.clone()), Just(ids).prop_shuffle())
        }),
        seed in any::<u64>(),
    ) {
        let picked = |ids: Vec<TargetId>| pick(&hosts(), chosen, &ids.into_iter().collect(), percent(100.0), Seed(seed));

        prop_assert_eq!(picked(sorted), picked(shuffled));
    }

    #[test]
    fn a_pick_is_never_empty_never_foreign_and_never_above_the_limit(
        chosen in any_pick(),
        size in 0usize..60,
        limit in 0u32..=100,
        seed in any::<u64>(),
    ) {
        let population = population(size);

        if let Ok(picked) = pick(&hosts(), chosen, &population, percent(f64::from(limit)), Seed(seed)) {
            prop_assert!(!picked.is_empty());
            prop_assert!(picked.is_subset(&population));
            prop_assert!(picked.len() * 100 <= size * usize::try_from(limit).unwrap());
        }
    }

    #[test]
    fn a_share_is_rounded_down(hundredths in 1u32..=10_000, size in 1usize..500, seed in any::<u64>()) {
        let share = Share::try_from(f64::from(hundredths) / 100.0).unwrap();
        let expected = size * usize::try_from(hundredths).unwrap() / 10_000;

        let picked = pick(&hosts(), Pick::Percent(share), &population(size), percent(100.0), Seed(seed));

        match picked {
            Ok(picked) => prop_assert_eq!(picked.len(), expected),
            Err(error) => {
                prop_assert_eq!(expected, 0);
                let is_none = matches!(error, Unpickable::RoundsToNone { .. });
                prop_assert!(is_none);
            }
        }
    }

    #[test]
    fn a_count_is_exact_or_refused(count in 1u32..80, size in 1usize..60, seed in any::<u64>()) {
        let chosen = Pick::Count(NonZeroU32::new(count).unwrap());
        let asked = usize::try_from(count).unwrap();

        match pick(&hosts(), chosen, &population(size), percent(100.0), Seed(seed)) {
            Ok(picked) => prop_assert_eq!(picked.len(), asked),
            Err(error) => {
                prop_assert_eq!(error, Unpickable::TooFew { name: hosts(), asked: count, population: size });
                prop_assert!(asked > size);
            }
        }
    }
}

/// These picks are in reports and approvals: a change of the stream would make them say something else.
///
/// The numbers come from another implementation of ChaCha20.
#[test]
fn the_stream_never_changes_between_versions() {
    let seed = Seed::of(&RunId::try_from("run-1").unwrap());
    let chosen = Pick::Count(NonZeroU32::new(4).unwrap());

    let picked = pick(&hosts(), chosen, &population(40), percent(100.0), seed).unwrap();

    let picked: Vec<&str> = picked.iter().map(|id| id.name().trim_start_matches("i-000000000000000")).collect();
    assert_eq!((seed, picked.join(" ")), (Seed(5_649_154_386_500_085_045), "02 0f 14 15".to_owned()));
}

#[test]
fn everybody_is_equally_likely() {
    let (chosen, mut times) = (Pick::Count(NonZeroU32::new(2).unwrap()), BTreeMap::<TargetId, u32>::new());
    for seed in 0..6_000 {
        for id in pick(&hosts(), chosen, &population(6), percent(100.0), Seed(seed)).unwrap() {
            *times.entry(id).or_default() += 1;
        }
    }

    // 2,000 are expected of each, with a standard deviation of 37.
    assert!(times.len() == 6 && times.values().all(|times| (1_850..2_150).contains(times)), "{times:?}");
}

#[test]
fn an_empty_population_and_a_limit_of_nothing_are_refused() {
    let all = |size: usize, limit: f64| pick(&hosts(), Pick::All, &population(size), percent(limit), Seed(1));

    assert_eq!(all(0, 100.0), Err(Unpickable::Empty(hosts())));
    assert_eq!(
        all(3, 99.0).unwrap_err().to_string(),
        "3 of 3 targets of `order-hosts` is more than max_blast_radius 99%: pick fewer"
    );
}
