//! Status checks: DescribeInstanceStatus for instances that run.
//!
//! Both checks passed is healthy, one failed is not; a check that is still being made, or cannot be, is not known.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{InstanceStatus, SummaryStatus};
use drill_aws_config::classify;
use drill_model::ids::InstanceId;
use drill_phases::ports::Answer;

use crate::remains::{is_unknown_id, named, remains};

const STATUS: &str = "ec2:DescribeInstanceStatus";
/// The most ids of one call.
const IDS: usize = 100;

/// The health of each of these that is known. One that is gone by now is not known.
pub(crate) async fn read(client: &Client, ids: Vec<InstanceId>) -> Answer<BTreeMap<InstanceId, bool>> {
    let mut known = BTreeMap::new();
    let mut chunks: Vec<Vec<InstanceId>> = ids.chunks(IDS).rev().map(<[_]>::to_vec).collect();
    while let Some(chunk) = chunks.pop() {
        let mut next = None;
        loop {
            let request = client.describe_instance_status().set_next_token(next);
            let request = request.set_instance_ids(Some(chunk.iter().map(ToString::to_string).collect()));
            let page = match request.send().await {
                Ok(page) => page,
                Err(error) if is_unknown_id(&error) => {
                    let named = named(&error, &chunk);
                    chunks.extend(remains(chunk, &named));
                    break;
                }
                Err(error) => return Err(classify(STATUS, &error)),
            };
            known.extend(
                page.instance_statuses()
                    .iter()
                    .filter_map(|status| Some((InstanceId::try_from(status.instance_id()?).ok()?, healthy(status)?))),
            );
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
    }
    Ok(known)
}

fn healthy(status: &InstanceStatus) -> Option<bool> {
    let checks = [status.instance_status(), status.system_status()].map(|check| check.and_then(|check| check.status()));
    if checks.contains(&Some(&SummaryStatus::Impaired)) {
        return Some(false);
    }
    checks.iter().all(|check| *check == Some(&SummaryStatus::Ok)).then_some(true)
}
