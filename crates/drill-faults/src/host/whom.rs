//! Which processes of a host are meant: what is written has to be so, all of it, and is compared as it stands.

use std::num::NonZeroU16;

use drill_words::ids::{CommandLine, ContainerId, ProcessName, SystemdUnit, UserName};

use super::service_stop::keeps_the_host;
use super::{Parameters, parameters};
use crate::{Problem, Surface};

/// The most processes that one fault may mean, by the documents' own pattern.
const MOST: u16 = 2000;

/// Groups that hold all that runs, name servers' clients and the clock among it.
const WHOLE_HOST: [&str; 3] = ["system.slice", "user.slice", "machine.slice"];

/// What names the processes of a fault.
pub(super) struct Whom<'a> {
    pub process: Option<&'a ProcessName>,
    pub command_line: Option<&'a CommandLine>,
    pub user: Option<&'a UserName>,
    pub unit: Option<&'a SystemdUnit>,
    pub container: Option<&'a ContainerId>,
    pub at_most: Option<NonZeroU16>,
}

impl Whom<'_> {
    /// The parameters of the document: what is not written is not sent.
    pub fn parameters(&self) -> Parameters {
        let named = [
            ("Process", self.process.map(ToString::to_string)),
            ("CommandLine", self.command_line.map(ToString::to_string)),
            ("User", self.user.map(ToString::to_string)),
            ("SystemdUnit", self.unit.map(ToString::to_string)),
            ("Container", self.container.map(ToString::to_string)),
            ("AtMost", self.at_most.map(|most| most.to_string())),
        ];
        parameters(named.map(|(name, value)| (name, value.unwrap_or_default())))
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    /// The process, by the first thing that names it.
    pub fn surface(&self) -> Surface {
        let named = [
            self.process.map(ProcessName::as_str),
            self.unit.map(SystemdUnit::as_str),
            self.command_line.map(CommandLine::as_str),
            self.container.map(ContainerId::as_str),
            self.user.map(UserName::as_str),
        ];
        Surface::process(named.into_iter().flatten().next().unwrap_or_default())
    }

    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.parameters().keys().all(|name| name == "AtMost") {
            problems.push(Problem::new(
                "process",
                "no process is named".to_owned(),
                "write at least one of `process`, `command_line`, `user`, `unit` and `container`".to_owned(),
            ));
        }
        for (field, name) in
            [("process", self.process.map(ProcessName::as_str)), ("unit", self.unit.map(SystemdUnit::as_str))]
        {
            let Some(name) = name.filter(|name| keeps_the_host(name) || WHOLE_HOST.contains(name)) else { continue };
            problems.push(Problem::new(
                field,
                format!("`{name}` is what keeps a host reachable, and is never touched"),
                "name what is your own".to_owned(),
            ));
        }
        if let Some(most) = self.at_most.filter(|most| most.get() > MOST) {
            problems.push(Problem::new(
                "at_most",
                format!("{most} processes are too many for one fault"),
                format!("write at most {MOST}"),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HostFault, ProcessPause, ServiceStop};

    fn pause(text: &str) -> ProcessPause {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn only_what_is_written_is_sent() {
        let fault = pause(
            r#"{"process":"java","command_line":"Dapp=ledger -jar ledger.jar","unit":"ledger.service","at_most":1}"#,
        );

        let sent: Vec<_> = fault.parameters(&Default::default()).into_iter().collect();

        let expected = [
            ("AtMost", "1"),
            ("CommandLine", "Dapp=ledger -jar ledger.jar"),
            ("Process", "java"),
            ("SystemdUnit", "ledger.service"),
        ];
        assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(fault.problems(&Default::default()), []);
    }

    #[test]
    fn a_fault_that_names_nobody_is_a_problem() {
        let named = |text| pause(text).problems(&Default::default()).len();

        assert_eq!((named("{}"), named(r#"{"at_most":3}"#), named(r#"{"user":"deploy"}"#)), (1, 1, 0));
    }

    #[test]
    fn what_keeps_a_host_is_a_problem() {
        for text in [
            r#"{"process":"amazon-ssm-agent"}"#,
            r#"{"process":"sshd"}"#,
            r#"{"process":"systemd"}"#,
            r#"{"unit":"amazon-ssm-agent.service"}"#,
            r#"{"unit":"system.slice"}"#,
            r#"{"unit":"init.scope"}"#,
        ] {
            assert_eq!(pause(text).problems(&Default::default()).len(), 1, "{text}");
        }
        assert_eq!(pause(r#"{"process":"sshuttle","unit":"orders.slice"}"#).problems(&Default::default()), []);
    }

    #[test]
    fn a_service_and_its_process_are_one_thing() {
        let service: ServiceStop = serde_json::from_str(r#"{"service":"ledger.service"}"#).unwrap();

        for same in [r#"{"process":"ledger"}"#, r#"{"unit":"ledger.service"}"#] {
            assert!(service.surface().conflict(&pause(same).surface()).is_some(), "{same}");
        }
        assert!(service.surface().conflict(&pause(r#"{"process":"search"}"#).surface()).is_none());
    }
}
