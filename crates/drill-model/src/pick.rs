//! Which targets of a population: a function of a seed and the ids, so that the same seed picks the same for ever.

use std::collections::BTreeSet;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::experiment::Pick;
use crate::ids::{RunId, TargetName};
use crate::quantity::Percent;
use crate::target::TargetId;

/// Where a run's choices come from. It is in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(u64);

impl Seed {
    /// The seed of a run: its id decides, so that a start repeated picks the same.
    pub fn of(run: &RunId) -> Self {
        let digest = Sha256::digest(run.as_str().as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// A generator for one purpose: two purposes never share a stream.
    fn generator(self, purpose: &str) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(self.0.to_be_bytes());
        hash.update(purpose.as_bytes());
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}

/// A pick that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpickable {
    /// Nothing matches.
    #[error(
        "no target matches the selector of `{0}`: check its tags, ids, group and zone, and that the targets are there and whole"
    )]
    Empty(TargetName),
    /// Fewer match than are asked for.
    #[error("`{name}` asks for {asked} targets and {population} match: ask for fewer, or widen the selector")]
    TooFew {
        /// Whose.
        name: TargetName,
        /// How many are asked for.
        asked: u32,
        /// How many match.
        population: usize,
    },
    /// A share that rounds down to nobody.
    #[error(
        "{percent}% of {population} targets of `{name}` is nobody (shares are rounded down): use `count: 1`, or a larger share"
    )]
    RoundsToNone {
        /// Whose.
        name: TargetName,
        /// The share.
        percent: String,
        /// How many match.
        population: usize,
    },
    /// More than the largest blast radius.
    #[error("{picked} of {population} targets of `{name}` is more than max_blast_radius {limit}: pick fewer")]
    TooMany {
        /// Whose.
        name: TargetName,
        /// How many would be picked.
        picked: usize,
        /// How many match.
        population: usize,
        /// The limit.
        limit: String,
    },
}

/// Picks from a population: never an empty set, never more than the largest blast radius.
pub fn pick(
    name: &TargetName,
    pick: Pick,
    population: &BTreeSet<TargetId>,
    limit: Percent,
    seed: Seed,
) -> Result<BTreeSet<TargetId>, Unpickable> {
    let size = population.len();
    if size == 0 {
        return Err(Unpickable::Empty(name.clone()));
    }
    let count = match pick {
        Pick::All => size,
        Pick::Count(count) => match usize::try_from(count.get()) {
            Ok(count) if count <= size => count,
            _ => return Err(Unpickable::TooFew { name: name.clone(), asked: count.get(), population: size }),
        },
        Pick::Percent(share) => match share_of(size, share.get()) {
            0 => {
                let percent = share.get().to_string();
                return Err(Unpickable::RoundsToNone { name: name.clone(), percent, population: size });
            }
            count => count,
        },
    };
    if count > share_of(size, limit.get()) {
        let limit = limit.to_string();
        return Err(Unpickable::TooMany { name: name.clone(), picked: count, population: size, limit });
    }
    let mut ids: Vec<&TargetId> = population.iter().collect();
    let mut generator = seed.generator(name.as_str());
    for place in 0..count {
        let other = place + below(&mut generator, ids.len() - place);
        ids.swap(place, other);
    }
    Ok(ids.into_iter().take(count).cloned().collect())
}

/// A share of a size, rounded down. Shares have at most a few decimals, so that ten-thousandths of a percent are exact.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 100")]
pub fn share_of(size: usize, percent: f64) -> usize {
    let parts = (percent * 10_000.0).round() as u128;
    usize::try_from(size as u128 * parts / 1_000_000).unwrap_or(size)
}

/// A number below `bound`, each equally likely.
fn below(generator: &mut ChaCha20Rng, bound: usize) -> usize {
    let bound = bound as u64;
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        let number = generator.next_u64();
        if number < fair {
            return usize::try_from(number % bound).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests;
