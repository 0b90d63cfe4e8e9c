//! The port `Rehearse`: the verbs with `DryRun`, whose good answer is an error called `DryRunOperation`.

use std::collections::BTreeSet;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use drill_model::ids::InstanceId;
use drill_phases::ports::{Answer, Class, PortError, Rehearse, Verb};

use crate::Ec2;
use crate::remains::{code, failed};
use crate::verbs::{REBOOT, START, STOP, TERMINATE, batch, texts};

/// The code that says: you may.
const ALLOWED: &str = "DryRunOperation";

impl Rehearse for Ec2 {
    /// One call, which does nothing whatever it answers.
    async fn rehearse(&self, verb: Verb, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        match verb {
            Verb::Stop => {
                let ids = batch(STOP, ids)?;
                let request = self.client.stop_instances().set_instance_ids(Some(texts(&ids))).dry_run(true);
                judge(STOP, request.send().await, &ids)
            }
            Verb::Start => {
                let ids = batch(START, ids)?;
                let request = self.client.start_instances().set_instance_ids(Some(texts(&ids))).dry_run(true);
                judge(START, request.send().await, &ids)
            }
            Verb::Reboot => {
                let ids = batch(REBOOT, ids)?;
                let request = self.client.reboot_instances().set_instance_ids(Some(texts(&ids))).dry_run(true);
                judge(REBOOT, request.send().await, &ids)
            }
            Verb::Terminate => {
                let ids = batch(TERMINATE, ids)?;
                let request = self.client.terminate_instances().set_instance_ids(Some(texts(&ids))).dry_run(true);
                judge(TERMINATE, request.send().await, &ids)
            }
        }
    }
}

fn judge<O, E>(call: &'static str, answer: Result<O, SdkError<E, HttpResponse>>, ids: &[InstanceId]) -> Answer<()>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Err(error) if code(&error) == Some(ALLOWED) => Ok(()),
        Err(error) => Err(failed(call, &error, ids)),
        // A service that succeeds at a dry run has not understood that it was one.
        Ok(_) => Err(PortError::new(Class::Ambiguous, call, "the dry run was answered as if it had been done")),
    }
}
