//! How busy each host's processor is, as `AWS/EC2 CPUUtilization` says it: a share of what the host may use.
//!
//! Counted by the kernel for the whole host, faults included. A host that is not bounded has no such share, so nothing
//! is measured of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Lab;
use super::measured::{Measured, Unit};
use crate::bounds::processor_time;
use crate::clock;
use crate::host::HostState;

/// What each host had used when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Processors {
    seen: BTreeMap<String, (Instant, Duration)>,
}

impl Lab {
    pub(super) fn read_processors(&self) {
        let (now, at) = (clock::instant(), clock::now());
        let used: Vec<_> = {
            let state = self.state();
            let running = state.hosts.values().filter(|host| host.view.state == HostState::Running);
            let read = running.filter_map(|host| {
                let (used, share) = (processor_time(&host.cgroups)?, host.view.bounds.cpu_percent?);
                Some((host.view.instance_id.clone(), used, share))
            });
            read.collect()
        };
        for (instance_id, used, share) in used {
            let Some(percent) = self.meter().processors.note(&instance_id, now, used, share) else { continue };
            let dimensions = [("InstanceId".to_owned(), instance_id)];
            let measured = Measured::one(at, "AWS/EC2", "CPUUtilization", dimensions, percent);
            self.hear(Measured { unit: Unit::Percent, ..measured });
        }
    }
}

impl Processors {
    /// The share in percent since the last look; nothing at the first.
    fn note(&mut self, instance_id: &str, now: Instant, used: Duration, share: u32) -> Option<f64> {
        let (then, before) = self.seen.insert(instance_id.to_owned(), (now, used))?;
        let (passed, burnt) = (now.checked_duration_since(then)?, used.checked_sub(before)?);
        let allowed = passed.as_secs_f64() * f64::from(share) / 100.0;
        (allowed > 0.0).then(|| burnt.as_secs_f64() / allowed * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_what_the_host_may_use_since_the_last_look() {
        let (mut processors, start) = (Processors::default(), clock::instant());
        let second = Duration::from_secs(1);

        assert_eq!(processors.note("i-1", start, second, 50), None);
        assert_eq!(processors.note("i-1", start + second, second + second / 4, 50), Some(50.0));
        assert_eq!(processors.note("i-1", start + 2 * second, second, 50), None, "counted from the beginning again");
    }
}
