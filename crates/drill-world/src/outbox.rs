//! Notices that were published and reports that were stored.

use std::collections::BTreeMap;
use std::path::PathBuf;

use drill_model::ids::RunId;
use drill_phases::ports::{Answer, Class, Notices, PortError, Reports};
use jiff::Timestamp;

use crate::calls::Method;
use crate::world::World;

/// What SNS takes.
const LONGEST_SUBJECT: usize = 99;
const LARGEST_BODY: usize = 256 * 1024;

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Notice {
    pub at: Timestamp,
    pub topic: String,
    pub subject: String,
    pub body: String,
}

/// What went out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    notices: Vec<Notice>,
    reports: BTreeMap<(RunId, String), String>,
    pub(crate) folder: Option<PathBuf>,
}

impl World {
    /// Every notice so far.
    pub fn notices(&self) -> Vec<Notice> {
        self.state().outbox.notices.clone()
    }

    /// Every file of a run's report, by its name.
    pub fn reports(&self, run: &RunId) -> BTreeMap<String, String> {
        let state = self.state();
        let of_run = state.outbox.reports.iter().filter(|((of, _), _)| of == run);
        of_run.map(|((_, name), content)| (name.clone(), content.clone())).collect()
    }
}

impl Notices for World {
    async fn publish(&self, topic: &str, subject: &str, body: &str) -> Answer<()> {
        const METHOD: Method = Method::Publish;
        self.call(METHOD, async |_| {
            let invalid =
                |what: &str| Err(PortError::new(Class::Refused, METHOD.api(), format!("InvalidParameter: {what}")));
            let plain = |c: char| c.is_ascii() && !c.is_ascii_control();
            if subject.is_empty() || subject.len() > LONGEST_SUBJECT || !subject.chars().all(plain) {
                return invalid("Subject");
            }
            if body.is_empty() || body.len() > LARGEST_BODY {
                return invalid("Message");
            }
            let at = self.time().now();
            let (topic, subject, body) = (topic.to_owned(), subject.to_owned(), body.to_owned());
            self.state().outbox.notices.push(Notice { at, topic, subject, body });
            Ok(())
        })
        .await
    }
}

impl Reports for World {
    async fn store(&self, run: &RunId, name: &str, content: &str) -> Answer<String> {
        const METHOD: Method = Method::Store;
        self.call(METHOD, async |_| {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            if !plain || name.is_empty() || name.starts_with('.') {
                let what = "the name of a report is not a plain file name";
                return Err(PortError::new(Class::Refused, METHOD.api(), what));
            }
            let mut state = self.state();
            state.outbox.reports.insert((run.clone(), name.to_owned()), content.to_owned());
            let Some(folder) = &state.outbox.folder else { return Ok(format!("memory://{run}/{name}")) };
            let folder = folder.join(run.as_str());
            let path = folder.join(name);
            match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, content)) {
                Ok(()) => Ok(path.display().to_string()),
                Err(error) => Err(PortError::new(
                    Class::Refused,
                    METHOD.api(),
                    format!("could not write {}: {error}", path.display()),
                )),
            }
        })
        .await
    }
}
