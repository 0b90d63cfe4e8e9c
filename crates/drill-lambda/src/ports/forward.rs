//! What [`ports!`](crate::ports!) writes for each port: every method, passed on to the adapter.

/// A port of a struct, answered by one of its fields.
#[doc(hidden)]
#[macro_export]
macro_rules! port {
    (Clock for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Clock for $ports {
            fn now(&self) -> $crate::Timestamp {
                $crate::phases::ports::Clock::now(&self.$field)
            }

            async fn pause(&self, time: ::core::time::Duration) {
                $crate::phases::ports::Clock::pause(&self.$field, time).await
            }
        }
    };
    (Place for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Place for $ports {
            fn account(&self) -> String {
                $crate::phases::ports::Place::account(&self.$field)
            }

            fn region(&self) -> String {
                $crate::phases::ports::Place::region(&self.$field)
            }
        }
    };
    (Experiments for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Experiments for $ports {
            async fn experiment(&self, id: &$crate::model::ids::ExperimentId) -> $crate::phases::ports::Answer<String> {
                $crate::phases::ports::Experiments::experiment(&self.$field, id).await
            }
        }
    };
    (Runs for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Runs for $ports {
            async fn create_run(
                &self,
                run: &$crate::model::run::Run,
            ) -> $crate::phases::ports::Answer<$crate::model::run::Run> {
                $crate::phases::ports::Runs::create_run(&self.$field, run).await
            }

            async fn run(
                &self,
                id: &$crate::model::ids::RunId,
            ) -> $crate::phases::ports::Answer<$crate::model::run::Run> {
                $crate::phases::ports::Runs::run(&self.$field, id).await
            }

            async fn save_run(
                &self,
                run: &$crate::model::run::Run,
            ) -> $crate::phases::ports::Answer<$crate::model::run::Run> {
                $crate::phases::ports::Runs::save_run(&self.$field, run).await
            }

            async fn put_plan(&self, plan: &$crate::model::plan::Plan) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Runs::put_plan(&self.$field, plan).await
            }

            async fn plan(
                &self,
                id: &$crate::model::ids::RunId,
            ) -> $crate::phases::ports::Answer<$crate::model::plan::Plan> {
                $crate::phases::ports::Runs::plan(&self.$field, id).await
            }

            async fn record_samples(
                &self,
                id: &$crate::model::ids::RunId,
                samples: &[$crate::model::observation::Sample],
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Runs::record_samples(&self.$field, id, samples).await
            }

            async fn samples(
                &self,
                id: &$crate::model::ids::RunId,
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::observation::Sample>> {
                $crate::phases::ports::Runs::samples(&self.$field, id).await
            }

            async fn latest_samples(
                &self,
                id: &$crate::model::ids::RunId,
                stage: $crate::model::observation::Stage,
                most: u32,
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::observation::Sample>> {
                $crate::phases::ports::Runs::latest_samples(&self.$field, id, stage, most).await
            }
        }
    };
    (Ledger for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Ledger for $ports {
            async fn intend(
                &self,
                run: &$crate::model::ids::RunId,
                rows: &[$crate::model::ledger::Row],
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Ledger::intend(&self.$field, run, rows).await
            }

            async fn advance(
                &self,
                steps: &[$crate::phases::ports::Step],
                at: $crate::Timestamp,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Ledger::advance(&self.$field, steps, at).await
            }

            async fn rows(
                &self,
                run: &$crate::model::ids::RunId,
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::ledger::Row>> {
                $crate::phases::ports::Ledger::rows(&self.$field, run).await
            }

            async fn overdue(
                &self,
                before: $crate::Timestamp,
            ) -> $crate::phases::ports::Answer<::std::collections::BTreeSet<$crate::model::ids::RunId>> {
                $crate::phases::ports::Ledger::overdue(&self.$field, before).await
            }
        }
    };
    (Leases for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Leases for $ports {
            async fn lease(
                &self,
                run: &$crate::model::ids::RunId,
                holding: &$crate::phases::ports::Holding,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Leases::lease(&self.$field, run, holding).await
            }

            async fn holders(
                &self,
                run: &$crate::model::ids::RunId,
                holding: &$crate::phases::ports::Holding,
            ) -> $crate::phases::ports::Answer<Vec<($crate::model::target::TargetId, $crate::model::ids::RunId)>> {
                $crate::phases::ports::Leases::holders(&self.$field, run, holding).await
            }

            async fn release(
                &self,
                run: &$crate::model::ids::RunId,
                holding: &$crate::phases::ports::Holding,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Leases::release(&self.$field, run, holding).await
            }
        }
    };
    (EmergencyStop for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::EmergencyStop for $ports {
            async fn lever(&self) -> $crate::phases::ports::Answer<Option<String>> {
                $crate::phases::ports::EmergencyStop::lever(&self.$field).await
            }
        }
    };
    (AlarmClock for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::AlarmClock for $ports {
            async fn set_clock(
                &self,
                run: &$crate::model::ids::RunId,
                at: $crate::Timestamp,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::AlarmClock::set_clock(&self.$field, run, at).await
            }

            async fn clear_clock(&self, run: &$crate::model::ids::RunId) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::AlarmClock::clear_clock(&self.$field, run).await
            }
        }
    };
    (ArmUndo for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::ArmUndo for $ports {
            async fn arm(&self, undo: &$crate::phases::ports::TimedUndo) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::ArmUndo::arm(&self.$field, undo).await
            }

            async fn armed(
                &self,
                name: &str,
            ) -> $crate::phases::ports::Answer<Option<$crate::phases::ports::TimedUndo>> {
                $crate::phases::ports::ArmUndo::armed(&self.$field, name).await
            }
        }
    };
    (DisarmUndo for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::DisarmUndo for $ports {
            async fn disarm(&self, unit: &$crate::model::ids::UnitId) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::DisarmUndo::disarm(&self.$field, unit).await
            }
        }
    };
    (Sees for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Sees for $ports {
            async fn find(
                &self,
                selector: &$crate::model::experiment::Selector,
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::faults::Seen>> {
                $crate::phases::ports::Sees::find(&self.$field, selector).await
            }

            async fn see(
                &self,
                kind: $crate::model::faults::Kind,
                ids: &::std::collections::BTreeSet<$crate::model::target::TargetId>,
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::faults::Seen>> {
                $crate::phases::ports::Sees::see(&self.$field, kind, ids).await
            }
        }
    };
    (Groups for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Groups for $ports {
            async fn group(
                &self,
                name: &$crate::model::ids::GroupName,
            ) -> $crate::phases::ports::Answer<$crate::phases::ports::Group> {
                $crate::phases::ports::Groups::group(&self.$field, name).await
            }
        }
    };
    (Harms for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Harms for $ports {
            async fn harm(
                &self,
                call: &$crate::model::faults::Harm,
                on: &::std::collections::BTreeSet<$crate::model::target::TargetId>,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Harms::harm(&self.$field, call, on).await
            }
        }
    };
    (Heals for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Heals for $ports {
            async fn heal(
                &self,
                call: &$crate::model::faults::Heal,
                on: &::std::collections::BTreeSet<$crate::model::target::TargetId>,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Heals::heal(&self.$field, call, on).await
            }
        }
    };
    (Rehearse for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Rehearse for $ports {
            async fn rehearse(
                &self,
                call: &$crate::phases::ports::Rehearsal,
                on: &::std::collections::BTreeSet<$crate::model::target::TargetId>,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Rehearse::rehearse(&self.$field, call, on).await
            }
        }
    };
    (HostHarm for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::HostHarm for $ports {
            async fn harm_hosts(
                &self,
                order: &$crate::phases::ports::HostCommand,
            ) -> $crate::phases::ports::Answer<$crate::phases::ports::CommandId> {
                $crate::phases::ports::HostHarm::harm_hosts(&self.$field, order).await
            }
        }
    };
    (HostHeal for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::HostHeal for $ports {
            async fn revert(
                &self,
                order: &$crate::phases::ports::HostCommand,
            ) -> $crate::phases::ports::Answer<$crate::phases::ports::CommandId> {
                $crate::phases::ports::HostHeal::revert(&self.$field, order).await
            }
        }
    };
    (HostProbe for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::HostProbe for $ports {
            async fn probe(
                &self,
                order: &$crate::phases::ports::HostCommand,
            ) -> $crate::phases::ports::Answer<$crate::phases::ports::CommandId> {
                $crate::phases::ports::HostProbe::probe(&self.$field, order).await
            }
        }
    };
    (HostAnswers for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::HostAnswers for $ports {
            async fn answers(
                &self,
                command: &$crate::phases::ports::CommandId,
            ) -> $crate::phases::ports::Answer<Vec<($crate::model::ids::InstanceId, $crate::phases::ports::HostAnswer)>>
            {
                $crate::phases::ports::HostAnswers::answers(&self.$field, command).await
            }
        }
    };
    (Metrics for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Metrics for $ports {
            async fn metrics(
                &self,
                probes: &[$crate::model::experiment::CloudWatchProbe],
                from: $crate::Timestamp,
                to: $crate::Timestamp,
            ) -> $crate::phases::ports::Answer<Vec<Vec<$crate::phases::ports::Datapoint>>> {
                $crate::phases::ports::Metrics::metrics(&self.$field, probes, from, to).await
            }

            async fn alarms(
                &self,
                names: &[$crate::model::ids::AlarmName],
            ) -> $crate::phases::ports::Answer<Vec<$crate::model::observation::AlarmReading>> {
                $crate::phases::ports::Metrics::alarms(&self.$field, names).await
            }
        }
    };
    (Prometheus for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Prometheus for $ports {
            async fn prometheus(&self, query: &str, at: $crate::Timestamp) -> $crate::phases::ports::Answer<f64> {
                $crate::phases::ports::Prometheus::prometheus(&self.$field, query, at).await
            }
        }
    };
    (Http for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Http for $ports {
            async fn http(
                &self,
                probe: &$crate::model::experiment::HttpProbe,
            ) -> $crate::phases::ports::Answer<$crate::phases::ports::HttpReading> {
                $crate::phases::ports::Http::http(&self.$field, probe).await
            }
        }
    };
    (Notices for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Notices for $ports {
            async fn publish(&self, topic: &str, subject: &str, body: &str) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Notices::publish(&self.$field, topic, subject, body).await
            }
        }
    };
    (Reports for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Reports for $ports {
            async fn store(
                &self,
                run: &$crate::model::ids::RunId,
                name: &str,
                content: &str,
            ) -> $crate::phases::ports::Answer<String> {
                $crate::phases::ports::Reports::store(&self.$field, run, name, content).await
            }
        }
    };
    (TaskTokens for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::TaskTokens for $ports {
            async fn keep_token(
                &self,
                run: &$crate::model::ids::RunId,
                token: &str,
            ) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::TaskTokens::keep_token(&self.$field, run, token).await
            }

            async fn token(&self, run: &$crate::model::ids::RunId) -> $crate::phases::ports::Answer<String> {
                $crate::phases::ports::TaskTokens::token(&self.$field, run).await
            }
        }
    };
    (Callback for $ports:ident by $field:ident) => {
        impl $crate::phases::ports::Callback for $ports {
            async fn resume(&self, token: &str) -> $crate::phases::ports::Answer<()> {
                $crate::phases::ports::Callback::resume(&self.$field, token).await
            }
        }
    };
}
