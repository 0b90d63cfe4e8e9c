//! What the run was bound to: enough to find it, to repeat it, and to know that two runs did the same.

use drill_model::approval::Approval;
use drill_model::report::Report;

use crate::words::instant;

/// A name and its value.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

pub(crate) fn of(report: &Report) -> Vec<Setting> {
    let run = &report.run;
    let mut settings = Vec::new();
    let mut add = |name, value: String| settings.push(Setting { name, value });
    add("run", run.id.to_string());
    add("execution", run.execution.clone());
    if let Some(experiment) = &run.experiment {
        add("experiment", experiment.to_string());
    }
    if let Some(environment) = &run.environment {
        add("environment", environment.to_string());
    }
    add("requested by", run.requested_by.clone());
    add("approval", approval(&run.approval));
    if let Some(plan) = &report.plan {
        let scope = &plan.scope;
        add("account and region", format!("{}, {}", scope.account, scope.region));
        add("seed", serde_json::to_string(&scope.seed).expect("a seed is a number"));
        add("sampled every", scope.pacing.every.to_string());
        add("longest possible run", scope.worst_case.to_string());
    }
    let digest = run.plan.clone().or_else(|| report.plan.as_ref().map(|plan| plan.scope.digest()));
    add("plan digest", digest.map_or_else(|| "none: there was no plan".to_owned(), |digest| digest.to_string()));
    if let Some(armed) = &run.armed {
        add("gone at the latest", instant(armed.deadline));
    }
    settings
}

fn approval(approval: &Approval) -> String {
    match approval {
        Approval::NotNeeded => "not needed".to_owned(),
        Approval::Asked { until, .. } => format!("asked for until {}, and not given", instant(*until)),
        Approval::Given { by, at, .. } => format!("given by {by} at {}", instant(*at)),
        Approval::Denied { by, why } => format!("denied by {by}: {why}"),
    }
}
