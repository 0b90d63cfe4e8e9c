//! Report: the verdict, from what was planned and seen; its files; its notice.
//!
//! Next state: Outcome. Fails as `Report.*`, which the machine retries. The verdict is in the record before any file is
//! written or anybody is told: what fails afterwards changes nothing about it.

use drill_model::baton::{Baton, Word};
use drill_model::ids::RunId;
use drill_model::refusal::Refusal;
use drill_model::report::Report;
use drill_model::run::{Ending, Event, Run, Status};
use drill_model::verdict::judge;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::drive::side_by_side;
use crate::ports::has::prelude::*;
use crate::ports::{Class, PortError, Reports, has};
use crate::records::{self, RecordError};

/// What stopped Report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The record could not be read or moved.
    #[error("the report cannot be finished")]
    RunRecord(#[from] RecordError),
    /// A file of the report could not be written; the verdict is in the record all the same.
    #[error("cannot write {file} of the report on run {run}")]
    FileNotWritten {
        /// Which run.
        run: RunId,
        /// Which file.
        file: &'static str,
        /// What the store said.
        #[source]
        source: PortError,
    },
}

has::bundle! {
    /// What Report needs of the world.
    pub trait ReportPorts =
        Clock + Runs + Ledger + Reports + Notices;
}

/// Does what it is called for.
pub async fn reported(world: &impl ReportPorts, call: &Call) -> Result<Option<Baton>, ReportError> {
    match call {
        Call::Ended(baton) => report(world, baton).await.map(Some),
        Call::Died(run) => report_dead(world, run).await,
    }
}

/// Judges a run, writes its report and tells people.
pub async fn report(world: &impl ReportPorts, baton: &Baton) -> Result<Baton, ReportError> {
    let id = &baton.run_id;
    let (run, plan, ledger, samples) = futures_util::join!(
        settle(world, baton),
        world.runs().plan(id),
        world.ledger().rows(id),
        world.runs().samples(id)
    );
    let run = run?;
    let plan = match plan {
        Ok(plan) => Some(plan),
        Err(error) if error.class == Class::Missing => None,
        Err(error) => return Err(RecordError::store(id)(error).into()),
    };
    let ledger = ledger.map_err(RecordError::store(id))?;
    let samples = samples.map_err(RecordError::store(id))?;
    let judgement = judge(&run, plan.as_ref(), &ledger, &samples);
    let run = if run.judgement.as_ref() == Some(&judgement) {
        run
    } else {
        records::update_from(world, run, Event::Judge, |run| run.judgement = Some(judgement.clone())).await?
    };
    let report = Report { run, plan, ledger, samples };
    let rendered = drill_report::render(&report);
    let files = [
        ("report.json", &rendered.json),
        ("report.md", &rendered.markdown),
        ("report.html", &rendered.html),
        ("junit.xml", &rendered.junit),
    ];
    for (file, stored) in
        side_by_side(files, async |(file, content)| (file, world.reports().store(id, file, content).await)).await
    {
        stored.map_err(|source| ReportError::FileNotWritten { run: id.clone(), file, source })?;
    }
    let notice = drill_report::notice(&report);
    let topic = report.plan.as_ref().map_or("default", |plan| plan.scope.experiment.notify.topic.as_str());
    let now = world.clock().now();
    let mark = |run: &mut Run| _ = run.reported_at.get_or_insert(now);
    let (told, marked) = futures_util::join!(
        world.notices().publish(topic, &notice.subject, &notice.body),
        records::update_from(world, report.run.clone(), Event::Judge, mark),
    );
    // The verdict stands and the files are there: a run is not failed because of what comes after.
    if let Err(error) = told {
        tracing::error!(run = %id, %error, "the report is written and nobody could be told");
    }
    if let Err(error) = marked {
        tracing::error!(run = %id, %error, "the report is written, which its record does not say: it may be written again");
    }
    Ok(Baton::new(id.clone(), judgement.verdict.word()).saying(notice.body))
}

/// What Report is called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The machine has come to its end.
    Ended(Baton),
    /// The execution of this run died, and has been cleaned up after.
    Died(RunId),
}

/// Told apart by the verdict: an execution that died has no baton left.
impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Died {
            run_id: RunId,
        }
        let sent = Value::deserialize(from)?;
        if sent.get("verdict").is_some() {
            Baton::deserialize(sent).map(Self::Ended).map_err(D::Error::custom)
        } else {
            Died::deserialize(sent).map(|died| Self::Died(died.run_id)).map_err(D::Error::custom)
        }
    }
}

/// Reports a run whose execution died, as any other; `None` when there is nothing to report. Repeating it changes nothing.
pub async fn report_dead(world: &impl ReportPorts, id: &RunId) -> Result<Option<Baton>, ReportError> {
    let run = match world.runs().run(id).await {
        Ok(run) => run,
        // It died before Prepare wrote anything.
        Err(error) if error.class == Class::Missing => return Ok(None),
        Err(error) => return Err(RecordError::store(id)(error).into()),
    };
    if run.judgement.is_some() && run.reported_at.is_some() {
        return Ok(None);
    }
    let word = if run.status == Status::Clean { Word::Aborted } else { Word::Stuck };
    report(world, &Baton::new(id.clone(), word)).await.map(Some)
}

/// Brings the record to where a verdict can be given, from whatever state the machine came.
async fn settle(world: &impl ReportPorts, baton: &Baton) -> Result<Run, RecordError> {
    let id = &baton.run_id;
    let run = match world.runs().run(id).await {
        Ok(run) => run,
        // Prepare died before it wrote anything: the run is known by its name only.
        Err(error) if error.class == Class::Missing => {
            world.runs().create_run(&Run::new(id.clone(), world.clock().now())).await.map_err(RecordError::store(id))?
        }
        Err(error) => return Err(RecordError::store(id)(error)),
    };
    let ending = records::caught(baton);
    match (baton.verdict, run.status) {
        (Word::Stuck, Status::RollingBack | Status::Stuck) => {
            let why = ending.unwrap_or(Ending::Stopped { how: "cleaning up was given up".to_owned() });
            records::update(world, id, Event::GiveUp, |run| run.end(why.clone())).await
        }
        (_, Status::Preparing | Status::AwaitingApproval | Status::Ready) => {
            let why = match ending {
                Some(Ending::Failed { error, cause }) => format!("{error}: {cause}"),
                _ => baton.notice.clone(),
            };
            let reasons = vec![Refusal::NotPrepared { why }];
            records::update(world, id, Event::Refuse, |run| run.end(Ending::Refused { reasons: reasons.clone() })).await
        }
        _ => Ok(run),
    }
}
