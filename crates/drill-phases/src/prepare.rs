//! Prepare: read the experiment, find and pick the targets, ask every guard, measure the baseline, write the plan.
//!
//! Next state: Announce when it is ready, AwaitApproval when somebody has to agree, Report when it is refused or was a
//! dry run. It changes nothing but its own records; what it looks at, it looks at with reading verbs only.

mod baseline;
mod canary;
mod guards;
mod notice;
mod targets;

use std::time::Duration;

use drill_model::approval::Approval;
use drill_model::baton::{Baton, Word};
use drill_model::experiment::{Experiment, Pick};
use drill_model::faults::FaultSpec;
use drill_model::ids::{Environment, InvalidName, RunId};
use drill_model::pick::Seed;
use drill_model::plan::{Pacing, Plan, PlannedChange, Scope};
use drill_model::quantity::Span;
use drill_model::refusal::Refusal;
use drill_model::run::{Ending, Event, Run, Status};
use drill_model::start::{Asked, Start};
use serde::Deserialize;
use serde_json::Value;

use crate::ports::has::prelude::*;
use crate::ports::{Class, PortError, has};
use crate::records::{self, RecordError};
use crate::undo;

/// What the machine gives to Prepare.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Invocation {
    /// The name of the execution: the run's id.
    pub execution_name: String,
    /// The ARN of the execution.
    pub execution_id: String,
    /// What was asked for.
    pub start: Value,
}

/// What stopped Prepare. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The name of the execution is not one of ours.
    #[error("the execution has a name that no run can have")]
    ExecutionName(#[from] InvalidName),
    /// The record could not be read or moved.
    #[error("preparation cannot continue")]
    RunRecord(#[from] RecordError),
    /// Something that Prepare has to know could not be read; starting again may help.
    #[error("cannot prepare the run: {what} cannot be read")]
    Unreachable {
        /// What, in words.
        what: &'static str,
        /// What the service said.
        #[source]
        source: PortError,
    },
}

has::bundle! {
    /// What Prepare needs of the world: nothing here changes a target.
    pub trait PreparePorts =
        Clock + Place + Experiments + Runs + Leases + EmergencyStop + UndoProof + Sees + Groups + Rehearse + HostProbe +
        HostAnswers + Metrics + Prometheus + Http;
}

/// Every reason that was found against a run.
type Reasons = Vec<Refusal>;

/// Prepares a run. The same execution asked again is the same run: what is decided stays decided.
pub async fn prepare(world: &impl PreparePorts, invocation: &Invocation) -> Result<Baton, PrepareError> {
    let id = RunId::try_from(invocation.execution_name.clone())?;
    let start = Start::read(&invocation.start);
    let run = world.runs().create_run(&record(world, &id, invocation, start.as_ref().ok())).await;
    let run = run.map_err(RecordError::store(&id))?;
    match run.status {
        Status::Preparing | Status::AwaitingApproval => {}
        Status::Refused => return Ok(refused_before(&run)),
        Status::Planned => return Ok(Baton::new(id, Word::Planned)),
        Status::Ready => {
            let plan = world.runs().plan(&id).await.map_err(RecordError::store(&id))?;
            return Ok(Baton::new(id, Word::Ready).saying(notice::ready(&plan, &run)));
        }
        // A run that has begun, or is over, is not prepared again: it is refused without a word to its record.
        Status::Injecting
        | Status::Observing
        | Status::Recovering
        | Status::RollingBack
        | Status::Stuck
        | Status::Clean
        | Status::Judged => {
            return Ok(Baton::new(id, Word::Refused).saying("this run has been started before"));
        }
    }
    let start = match start {
        Ok(start) => start,
        Err(error) => return refuse(world, &id, vec![Refusal::Start { why: error.to_string() }]).await,
    };
    match plan(world, &id, &start).await? {
        Ok(plan) => decide(world, &run, &start, plan).await,
        Err(reasons) => refuse(world, &id, reasons).await,
    }
}

/// A new record.
fn record(world: &impl PreparePorts, id: &RunId, invocation: &Invocation, start: Option<&Start>) -> Run {
    let experiment = start.map(|start| match &start.experiment {
        Asked::Stored(id) => id.clone(),
        Asked::Given(experiment) => experiment.id.clone(),
    });
    let named = Run::new(id.clone(), world.clock().now());
    Run {
        execution: invocation.execution_id.clone(),
        experiment,
        environment: start.and_then(|start| start.environment.clone()),
        requested_by: start.map_or_else(|| named.requested_by.clone(), |start| start.requested_by.clone()),
        dry_run: start.is_some_and(|start| start.dry_run),
        ..named
    }
}

/// Makes the plan, or says every reason against it.
async fn plan(world: &impl PreparePorts, id: &RunId, start: &Start) -> Result<Result<Plan, Reasons>, PrepareError> {
    let experiment = match load(world, &start.experiment).await? {
        Ok(experiment) => experiment,
        Err(reason) => return Ok(Err(vec![reason])),
    };
    let environment = match environment(&experiment, start.environment.as_ref()) {
        Ok(environment) => environment,
        Err(reason) => return Ok(Err(vec![reason])),
    };
    let length = experiment.schedule().iter().map(|slot| slot.to).max().unwrap_or(Span::ZERO);
    let seed = Seed::of(id);
    let found = targets::resolve(world, id, &experiment, &environment, seed).await?;
    let changed = |spec: &FaultSpec| found.targets.get(&spec.on).map_or(0, |targets| targets.selected.len());
    let worst_case = length.plus(undo::longest(experiment.faults.iter().map(|spec| (&spec.fault, changed(spec)))));
    let mut reasons = guards::ask(world, &experiment, worst_case).await?;
    reasons.extend(found.reasons);
    let pacing = Pacing::of(length, experiment.observe.every);
    reasons.extend(pacing.as_ref().err().map(|error| Refusal::Pacing { why: error.to_string() }));
    // What is asked below costs time or touches hosts; there is no need for it when the run is refused anyway.
    let (true, Ok(pacing)) = (reasons.is_empty(), pacing) else { return Ok(Err(reasons)) };
    let changes: Vec<PlannedChange> = experiment
        .faults
        .iter()
        .zip(experiment.schedule())
        .map(|(spec, slot)| PlannedChange {
            fault: spec.name.clone(),
            on: spec.on.clone(),
            change: spec.fault.change(&experiment.dependencies),
            slot,
        })
        .collect();
    let scope = Scope {
        run_id: id.clone(),
        account: world.place().account(),
        region: world.place().region(),
        environment,
        seed,
        targets: found.targets,
        shares: found.shares,
        changes,
        pacing,
        worst_case,
        experiment,
    };
    reasons.extend(guards::rehearse(world, &scope, &found.selected).await?);
    reasons.extend(canary::ask(world, &scope).await);
    if !reasons.is_empty() {
        return Ok(Err(reasons));
    }
    let baseline = baseline::measure(world, &scope).await?;
    let reasons = baseline.reasons;
    if !reasons.is_empty() {
        return Ok(Err(reasons));
    }
    Ok(Ok(Plan { scope, made_at: world.clock().now(), baseline: baseline.baseline }))
}

async fn load(world: &impl PreparePorts, asked: &Asked) -> Result<Result<Experiment, Refusal>, PrepareError> {
    let id = match asked {
        Asked::Given(experiment) => return Ok(Ok((**experiment).clone())),
        Asked::Stored(id) => id,
    };
    match world.experiments().experiment(id).await {
        Ok(text) => {
            let read = drill_model::read::experiment(&text);
            Ok(read.map_err(|error| Refusal::Experiment { id: id.clone(), why: error.to_string() }))
        }
        Err(error) if error.class == Class::Missing => Ok(Err(Refusal::NoExperiment { id: id.clone() })),
        Err(source) => Err(PrepareError::Unreachable { what: "the experiment", source }),
    }
}

fn environment(experiment: &Experiment, asked: Option<&Environment>) -> Result<Environment, Refusal> {
    let known = || experiment.environments.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (asked, experiment.environments.as_slice()) {
        (Some(asked), allowed) if allowed.contains(asked) => Ok(asked.clone()),
        (Some(asked), _) => Err(Refusal::Environment {
            asked: Some(asked.clone()),
            why: format!("experiment {} may not run in {asked}: its environments are {}", experiment.id, known()),
        }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Refusal::Environment {
            asked: None,
            why: format!("say in which environment experiment {} is to run: {}", experiment.id, known()),
        }),
    }
}

/// The plan is made: a dry run ends here, an agreement may be needed, or it is ready.
async fn decide(world: &impl PreparePorts, run: &Run, start: &Start, plan: Plan) -> Result<Baton, PrepareError> {
    let id = &run.id;
    let digest = plan.scope.digest();
    if start.dry_run {
        world.runs().put_plan(&plan).await.map_err(RecordError::store(id))?;
        records::update_from(world, run.clone(), Event::PlanOnly, |run| {
            run.plan = Some(digest.clone());
            run.environment = Some(plan.scope.environment.clone());
            run.end(Ending::DryRun);
        })
        .await?;
        return Ok(Baton::new(id.clone(), Word::Planned).saying(notice::planned(&plan)));
    }
    let asks = plan.scope.experiment.guards.approval;
    let all = plan.scope.experiment.targets.values().any(|spec| spec.pick == Pick::All);
    match &run.approval {
        Approval::Given { plan: agreed, .. } if *agreed == digest => {}
        Approval::Given { plan: agreed, .. } => {
            let changed = Refusal::PlanChanged { agreed: agreed.clone(), now: digest };
            return refuse(world, id, vec![changed]).await;
        }
        Approval::Denied { by, why } => {
            return refuse(world, id, vec![Refusal::Denied { by: by.clone(), why: why.clone() }]).await;
        }
        Approval::NotNeeded | Approval::Asked { .. } if asks.is_some() || all => {
            let within = asks.unwrap_or_default().within;
            world.runs().put_plan(&plan).await.map_err(RecordError::store(id))?;
            let until = world.clock().now() + Duration::from(within);
            records::update_from(world, run.clone(), Event::AskApproval, |run| {
                run.plan = Some(digest.clone());
                run.environment = Some(plan.scope.environment.clone());
                run.approval = Approval::Asked { plan: digest.clone(), until };
            })
            .await?;
            let seconds = u32::try_from(within.as_seconds()).unwrap_or(u32::MAX);
            return Ok(Baton::new(id.clone(), Word::Approval).holding(seconds).saying(notice::planned(&plan)));
        }
        Approval::NotNeeded | Approval::Asked { .. } => {}
    }
    world.runs().put_plan(&plan).await.map_err(RecordError::store(id))?;
    let run = records::update_from(world, run.clone(), Event::MakeReady, |run| {
        run.plan = Some(digest.clone());
        run.environment = Some(plan.scope.environment.clone());
    })
    .await?;
    Ok(Baton::new(id.clone(), Word::Ready).saying(notice::ready(&plan, &run)))
}

async fn refuse(world: &impl PreparePorts, id: &RunId, reasons: Reasons) -> Result<Baton, PrepareError> {
    let run =
        records::update(world, id, Event::Refuse, |run| run.end(Ending::Refused { reasons: reasons.clone() })).await?;
    Ok(refused_before(&run))
}

fn refused_before(run: &Run) -> Baton {
    let text = match &run.ending {
        Some(Ending::Refused { reasons }) => reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        _ => "refused".to_owned(),
    };
    Baton::new(run.id.clone(), Word::Refused).saying(text)
}
