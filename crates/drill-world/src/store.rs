//! Experiments, runs, plans and samples: a table with conditional writes.
//!
//! Records are kept as the JSON that a real table would keep, so what does not survive being written does not survive here.

use std::collections::BTreeMap;

use drill_model::ids::{ExperimentId, RunId};
use drill_model::observation::{Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::{Run, Status};
use drill_phases::ports::{Answer, Class, EmergencyStop, Experiments, PortError, Runs, UndoProof};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::calls::Method;
use crate::world::World;

/// No item is larger, in bytes.
pub(crate) const LARGEST_ITEM: usize = 400 * 1024;
/// The most items of one BatchWriteItem.
const WRITES: usize = 25;

/// What is stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    experiments: BTreeMap<ExperimentId, String>,
    runs: BTreeMap<RunId, String>,
    plans: BTreeMap<RunId, String>,
    samples: BTreeMap<RunId, BTreeMap<(Stage, u32), String>>,
    unfinished: BTreeMap<RunId, Unfinished>,
}

/// What the index knows of a run that is or was unfinished.
#[derive(Debug)]
struct Unfinished {
    deadline: Timestamp,
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Store {
    pub(crate) fn run(&self, id: &RunId) -> Option<Run> {
        serde_json::from_str(self.runs.get(id)?).ok()
    }

    /// Whether a run injects, and where it stands when it does not.
    pub(crate) fn injects(&self, id: &RunId) -> Result<(), String> {
        match self.run(id).map(|run| run.status) {
            Some(Status::Injecting) => Ok(()),
            Some(other) => Err(format!("run {id} is {other:?}, not injecting")),
            None => Err(format!("there is no run {id}")),
        }
    }

    /// Keeps the index as a record is written.
    fn index(&mut self, run: &Run, at: Timestamp) {
        match (run.unfinished(), self.unfinished.get_mut(&run.id)) {
            (Some(deadline), None) => {
                self.unfinished.insert(run.id.clone(), Unfinished { deadline, since: at, until: None });
            }
            (None, Some(known)) => _ = known.until.get_or_insert(at),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The runs that were to be finished before an instant and were not, as the index showed it at another.
    pub(crate) fn unfinished(&self, before: Timestamp, index: Timestamp) -> impl Iterator<Item = RunId> {
        let shown = move |run: &&Unfinished| run.since <= index && run.until.is_none_or(|until| until > index);
        let late = self.unfinished.iter().filter(move |(_, run)| shown(run) && run.deadline < before);
        late.map(|(id, _)| id.clone())
    }

    /// Every sample of a run.
    pub(crate) fn samples_of(&self, id: &RunId) -> Vec<Sample> {
        let kept = self.samples.get(id).into_iter().flat_map(BTreeMap::values);
        kept.filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

pub(crate) fn written<T: Serialize>(method: Method, item: &T) -> Answer<String> {
    let refused = |what: String| PortError::new(Class::Refused, method.api(), what);
    let text = serde_json::to_string(item).map_err(|error| refused(format!("the item cannot be written: {error}")))?;
    match text.len() {
        length if length > LARGEST_ITEM => Err(refused(format!(
            "ValidationException: item size has exceeded the maximum allowed size: {length} bytes"
        ))),
        _ => Ok(text),
    }
}

fn read<T: DeserializeOwned>(method: Method, text: Option<&String>, what: &str) -> Answer<T> {
    let text = text.ok_or_else(|| PortError::new(Class::Missing, method.api(), format!("there is no {what}")))?;
    serde_json::from_str(text)
        .map_err(|error| PortError::new(Class::Refused, method.api(), format!("the {what} cannot be read: {error}")))
}

impl World {
    /// Stores an experiment, as its author wrote it.
    pub fn put_experiment(&self, id: &ExperimentId, text: &str) {
        self.state().store.experiments.insert(id.clone(), text.to_owned());
    }

    /// Every run there is a record of.
    pub fn run_ids(&self) -> Vec<RunId> {
        self.state().store.runs.keys().cloned().collect()
    }

    /// Pulls the emergency stop.
    pub fn pull_lever(&self, reason: &str) {
        self.state().lever = Some(reason.to_owned());
    }

    /// Puts the emergency stop back.
    pub fn release_lever(&self) {
        self.state().lever = None;
    }
}

impl World {
    /// When it was proven that the scheduler makes undo calls; before any world began, unless a test says otherwise.
    pub fn set_undo_proven(&self, at: Option<Timestamp>) {
        self.state().undo_proven = at;
    }
}

impl UndoProof for World {
    async fn undo_proven(&self) -> Answer<Option<Timestamp>> {
        self.call(Method::UndoProven, async |_| Ok(self.state().undo_proven)).await
    }
}

impl EmergencyStop for World {
    async fn lever(&self) -> Answer<Option<String>> {
        self.call(Method::Lever, async |_| Ok(self.state().lever.clone())).await
    }
}

impl Experiments for World {
    async fn experiment(&self, id: &ExperimentId) -> Answer<String> {
        self.call(Method::Experiment, async |_| {
            self.state().store.experiments.get(id).cloned().ok_or_else(|| {
                PortError::new(Class::Missing, Method::Experiment.api(), format!("there is no experiment {id}"))
            })
        })
        .await
    }
}

impl World {
    /// The record of a run as it is, asked by nobody: no call is made.
    pub fn record(&self, run: &RunId) -> Option<Run> {
        read(Method::Run, self.state().store.runs.get(run), "run").ok()
    }
}

impl Runs for World {
    async fn create_run(&self, run: &Run) -> Answer<Run> {
        const METHOD: Method = Method::CreateRun;
        self.call(METHOD, async |_| {
            let text = written(METHOD, run)?;
            let now = self.time().now();
            let mut state = self.state();
            let kept = state.store.runs.entry(run.id.clone()).or_insert(text);
            let kept = read(METHOD, Some(kept), "run")?;
            state.store.index(&kept, now);
            Ok(kept)
        })
        .await
    }

    async fn run(&self, id: &RunId) -> Answer<Run> {
        self.call(Method::Run, async |_| read(Method::Run, self.state().store.runs.get(id), &format!("run {id}"))).await
    }

    async fn save_run(&self, run: &Run) -> Answer<Run> {
        const METHOD: Method = Method::SaveRun;
        self.call(METHOD, async |_| {
            let next = Run { version: run.version + 1, ..run.clone() };
            let text = written(METHOD, &next)?;
            let now = self.time().now();
            let mut state = self.state();
            let stored: Run = read(METHOD, state.store.runs.get(&run.id), &format!("run {}", run.id))?;
            if stored.version != run.version {
                let what = format!(
                    "ConditionalCheckFailedException: run {} is at version {}, not {}",
                    run.id, stored.version, run.version
                );
                return Err(PortError::new(Class::Conflict, METHOD.api(), what));
            }
            state.store.runs.insert(run.id.clone(), text);
            state.store.index(&next, now);
            drop(state);
            self.judge_record(&stored, &next);
            Ok(next)
        })
        .await
    }

    async fn put_plan(&self, plan: &Plan) -> Answer<()> {
        self.call(Method::PutPlan, async |_| {
            // In parts: a plan may be larger than an item.
            let text = serde_json::to_string(plan)
                .map_err(|error| PortError::new(Class::Refused, Method::PutPlan.api(), error.to_string()))?;
            self.state().store.plans.insert(plan.scope.run_id.clone(), text);
            Ok(())
        })
        .await
    }

    async fn plan(&self, id: &RunId) -> Answer<Plan> {
        self.call(Method::Plan, async |_| {
            read(Method::Plan, self.state().store.plans.get(id), &format!("plan of run {id}"))
        })
        .await
    }

    async fn record_samples(&self, id: &RunId, samples: &[Sample]) -> Answer<()> {
        const METHOD: Method = Method::RecordSamples;
        self.call(METHOD, async |_| {
            let written: Vec<_> = samples
                .iter()
                .map(|sample| Ok(((sample.stage, sample.number), written(METHOD, sample)?)))
                .collect::<Answer<_>>()?;
            let mut state = self.state();
            state.calls.request(METHOD.api(), (samples.len().div_ceil(WRITES)).saturating_sub(1) as u64);
            let kept = state.store.samples.entry(id.clone()).or_default();
            for (key, text) in written {
                kept.entry(key).or_insert(text);
            }
            Ok(())
        })
        .await
    }

    async fn samples(&self, id: &RunId) -> Answer<Vec<Sample>> {
        self.call(Method::Samples, async |_| {
            let state = self.state();
            let kept = state.store.samples.get(id);
            kept.into_iter()
                .flat_map(|kept| kept.values())
                .map(|text| read(Method::Samples, Some(text), "sample"))
                .collect()
        })
        .await
    }

    async fn latest_samples(&self, id: &RunId, stage: Stage, most: u32) -> Answer<Vec<Sample>> {
        const METHOD: Method = Method::LatestSamples;
        self.call(METHOD, async |_| {
            let state = self.state();
            let kept = state.store.samples.get(id);
            let of_stage: Vec<&String> = kept
                .into_iter()
                .flat_map(|kept| kept.range((stage, 0)..=(stage, u32::MAX)))
                .map(|(_, text)| text)
                .collect();
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let first = of_stage.len().saturating_sub(most);
            of_stage[first..].iter().map(|text| read(METHOD, Some(text), "sample")).collect()
        })
        .await
    }
}
