//! The table of experiments: one item for each, with the text as its author wrote it.

use aws_sdk_dynamodb::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready, variable};
use drill_model::ids::ExperimentId;
use drill_phases::ports::{Answer, Class, Experiments, PortError};

use crate::calls::GET;
use crate::failure::{failure, unreadable};
use crate::item::{string, text};

/// The table of experiments: the key is `id`, the text is in `text`.
#[derive(Debug, Clone)]
pub struct ExperimentTable {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl ExperimentTable {
    /// The table of this name.
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self { client: Client::new(config), name: name.into() }
    }
}

impl Adapter for ExperimentTable {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_EXPERIMENTS_TABLE")?))
    }
}

impl Experiments for ExperimentTable {
    /// On the table of experiments.
    const ACTIONS: &'static [&'static str] = &["dynamodb:GetItem"];

    /// One round trip.
    async fn experiment(&self, id: &ExperimentId) -> Answer<String> {
        let get = self.client.get_item().table_name(&self.name).key("id", string(id.as_str())).consistent_read(true);
        let found = get.send().await.map_err(|error| failure(GET, &error))?.item;
        let missing = || PortError::new(Class::Missing, GET, format!("there is no experiment {id}"));
        let item = found.ok_or_else(missing)?;
        text(&item, "text")
            .map(str::to_owned)
            .ok_or_else(|| unreadable(GET, &format!("experiment {id}"), "it has no `text`"))
    }
}
