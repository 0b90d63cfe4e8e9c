//! The text of a command's id: everything that one order became at the service, and the hosts that it did not reach.
//!
//! Parts are joined by `+`. `<id>@<host>,<host>` is a command of the service and whom it was sent to; `!<host>,<host>`
//! was not sent to; of `?<host>,<host>` it is not known. Every host of the order stands in exactly one part.

use std::fmt::Write as _;

use drill_model::ids::InstanceId;
use drill_phases::ports::CommandId;

/// One order, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    /// The service's commands, and their hosts.
    pub(crate) commands: Vec<(String, Vec<InstanceId>)>,
    /// Hosts that the service takes no command for.
    pub(crate) unsent: Vec<InstanceId>,
    /// Hosts of a call whose reply was lost.
    pub(crate) unknown: Vec<InstanceId>,
}

impl Sent {
    /// The id that stands for all of it.
    pub(crate) fn id(&self) -> CommandId {
        let mut text = String::new();
        let mut part = |mark: &str, hosts: &[InstanceId]| {
            if hosts.is_empty() {
                return;
            }
            let names: Vec<&str> = hosts.iter().map(InstanceId::as_str).collect();
            let joint = if text.is_empty() { "" } else { "+" };
            write!(text, "{joint}{mark}{}", names.join(",")).expect("writing to a String succeeds");
        };
        for (command, hosts) in &self.commands {
            part(&format!("{command}@"), hosts);
        }
        part("!", &self.unsent);
        part("?", &self.unknown);
        CommandId(text)
    }

    /// Reads an id; `None` when this adapter did not make it.
    pub(crate) fn read(id: &CommandId) -> Option<Self> {
        let mut sent = Self::default();
        for part in id.0.split('+') {
            let hosts = |text: &str| -> Option<Vec<InstanceId>> {
                text.split(',').map(|host| InstanceId::try_from(host).ok()).collect()
            };
            if let Some(text) = part.strip_prefix('!') {
                sent.unsent.extend(hosts(text)?);
            } else if let Some(text) = part.strip_prefix('?') {
                sent.unknown.extend(hosts(text)?);
            } else {
                let (command, text) = part.split_once('@').filter(|(command, _)| !command.is_empty())?;
                sent.commands.push((command.to_owned(), hosts(text)?));
            }
        }
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(digit: char) -> InstanceId {
        InstanceId::try_from(format!("i-0000000{digit}")).unwrap()
    }

    #[test]
    fn an_id_tells_where_every_host_stands() {
        let sent = Sent {
            commands: vec![("c-1".to_owned(), vec![host('1'), host('2')]), ("c-2".to_owned(), vec![host('3')])],
            unsent: vec![host('4'), host('5')],
            unknown: vec![host('6')],
        };

        let id = sent.id();

        assert_eq!(id.0, "c-1@i-00000001,i-00000002+c-2@i-00000003+!i-00000004,i-00000005+?i-00000006");
        assert_eq!(Sent::read(&id), Some(sent));
    }

    #[test]
    fn an_id_from_elsewhere_is_not_read() {
        for text in ["", "c-1", "c-1@", "@i-00000001", "c-1@i-00000001+", "!", "?host", "c-1@i-00000001,"] {
            assert_eq!(Sent::read(&CommandId(text.to_owned())), None, "{text:?}");
        }
    }
}
