//! The in-memory world as a ground.

use std::time::Duration;

use drill_model::ids::{ExperimentId, RunId};
use drill_phases::ports::{
    AlarmClock, ArmUndo, Callback, ClearClock, Clock as _, DisarmUndo, Experiments, Notices, Reports,
};
use drill_world::{Simulation, World};
use jiff::Timestamp;

use crate::ground::Ground;

/// A world that nobody else has.
pub struct Memory {
    world: World,
}

/// Plays a fact in a new world.
pub fn play(fact: impl AsyncFnOnce(&Memory)) {
    let simulation = Simulation::new(1);
    let ground = Memory { world: simulation.world.clone() };
    ground.world.set_undo_proven(None);
    simulation.play(fact(&ground)).unwrap();
}

impl Ground for Memory {
    type Store = World;

    fn store(&self) -> &World {
        &self.world
    }

    fn experiments(&self) -> &impl Experiments {
        &self.world
    }

    fn clocks(&self) -> &(impl AlarmClock + ClearClock) {
        &self.world
    }

    fn arms(&self) -> &impl ArmUndo {
        &self.world
    }

    fn disarms(&self) -> &impl DisarmUndo {
        &self.world
    }

    fn notices(&self) -> &impl Notices {
        &self.world
    }

    fn reports(&self) -> &impl Reports {
        &self.world
    }

    fn callback(&self) -> &impl Callback {
        &self.world
    }

    async fn put_experiment(&self, id: &ExperimentId, text: &str) {
        self.world.put_experiment(id, text);
    }

    async fn pull_lever(&self, reason: &str) {
        self.world.pull_lever(reason);
    }

    async fn prove_undo(&self, at: Timestamp) {
        self.world.set_undo_proven(Some(at));
    }

    async fn release_lever(&self) {
        self.world.release_lever();
    }

    /// Lets more time pass than any clock of the suite is set for, and sees which rings.
    async fn clock(&self, run: &RunId) -> Option<Timestamp> {
        let longest = crate::fixtures::at(7_200).duration_since(self.world.now());
        self.world.pause(Duration::try_from(longest).unwrap_or_default()).await;
        self.world.due().into_iter().find(|fired| fired.run == *run).map(|fired| fired.at)
    }

    async fn report(&self, run: &RunId, name: &str) -> Option<String> {
        self.world.reports(run).remove(name)
    }

    async fn settle(&self) {
        self.world.pause(Duration::from_secs(10)).await;
    }
}
