//! What is promised of probabilities, by simulation: fixed seeds, a fixed number of runs, the same result everywhere.

mod change;
mod degraded;
mod noise;
mod recovery;
