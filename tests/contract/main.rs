//! The contract ring: what the ports promise, asked of the in-memory world and of the adapters on moto.
//!
//! One suite, two grounds: what holds on both is what the journeys may build on. Where moto is missing, its trials count
//! as ignored and the reason is printed. Next: a new port gets a method in `ground.rs` and a file in `suite/`.

#![expect(
    clippy::unwrap_used,
    reason = "a trial fails by a panic; this target has no harness to say that it is a test"
)]

mod fixtures;
mod ground;
mod memory;
mod moto;
mod suite;

use std::io::Write as _;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::moto::Server;

/// One fact, on either ground.
struct Fact {
    name: &'static str,
    on_memory: fn(),
    on_moto: fn(&Server),
}

/// A fact of the suite: an async function over any ground.
macro_rules! facts {
    ($($module:ident :: $name:ident),* $(,)?) => {
        const FACTS: &[Fact] = &[$(Fact {
            name: concat!(stringify!($module), "::", stringify!($name)),
            on_memory: || memory::play(async |ground| suite::$module::$name(ground).await),
            on_moto: |server| moto::play(server, async |ground| suite::$module::$name(ground).await),
        }),*];
    };
}

facts![
    clocks::a_clock_is_set_once,
    clocks::a_clock_is_cleared_and_may_not_be_there,
    leases::a_lease_needs_a_run_that_injects,
    leases::a_target_has_one_owner,
    leases::a_refused_lease_takes_nothing_new,
    leases::a_refused_lease_of_many_takes_nothing_new,
    leases::of_two_runs_at_once_one_wins,
    leases::only_what_is_held_is_given_back,
    leases::shares_stand_beside_shares_and_not_beside_an_owner,
    ledger::an_intent_needs_a_run_that_injects,
    ledger::an_intent_needs_the_emergency_stop_at_rest,
    ledger::an_intent_needs_every_lease,
    ledger::an_intent_is_written_once,
    ledger::a_repeated_intent_needs_its_conditions_again,
    ledger::a_full_batch_is_written_and_more_is_refused,
    ledger::a_row_of_another_run_is_refused,
    ledger::a_row_goes_forward_only,
    ledger::many_rows_go_forward_at_once,
    ledger::of_two_closings_at_once_one_counts,
    ledger::a_step_of_no_row_is_passed_over,
    ledger::rows_are_those_of_the_run,
    ledger::overdue_are_runs_with_open_rows_past_their_deadline,
    ledger::overdue_are_runs_that_were_armed_until_they_have_given_back_what_they_held,
    outside::a_report_is_stored_and_replaced,
    outside::a_report_stays_in_its_place,
    outside::a_notice_is_published,
    outside::a_subject_that_the_service_refuses_is_refused,
    outside::nobody_waits_with_a_token_that_was_never_given,
    runs::a_run_that_is_not_there_is_missing,
    runs::a_repeated_start_is_one_run,
    runs::a_record_is_replaced_by_who_knows_its_version,
    runs::of_two_writers_at_once_one_wins,
    runs::a_plan_is_the_one_written_last,
    runs::samples_are_written_once_and_read_in_order,
    runs::the_latest_samples_are_the_last_of_their_stage,
    runs::the_lever_is_read_as_it_stands,
    runs::the_proof_of_the_undo_is_read_as_it_stands,
    runs::a_new_token_replaces_the_old,
    runs::an_experiment_is_its_text,
    undos::what_was_armed_is_read_back_as_it_was_armed,
    undos::an_undo_is_armed_once,
    undos::nothing_is_armed_under_a_name_that_nobody_used,
    undos::disarming_a_change_takes_all_of_it_and_nothing_else,
];

fn main() -> std::process::ExitCode {
    let mut arguments = Arguments::from_args();
    let server = if arguments.list { Err("only listed".to_owned()) } else { Server::start() };
    let missing = server.as_ref().err().cloned();
    let server = server.ok().map(Arc::new);
    // The server answers one request after the other.
    arguments.test_threads.get_or_insert(4);
    let mut trials = Vec::new();
    for fact in FACTS {
        trials.push(Trial::test(format!("memory::{}", fact.name), || {
            (fact.on_memory)();
            Ok(())
        }));
        let on = server.clone();
        let trial = Trial::test(format!("moto::{}", fact.name), move || {
            (fact.on_moto)(on.as_ref().ok_or("moto is not there")?);
            Ok(())
        });
        trials.push(trial.with_ignored_flag(missing.is_some()));
    }

    say(missing.as_deref());
    let conclusion = libtest_mimic::run(&arguments, trials);
    say(missing.as_deref());
    conclusion.exit_code()
}

/// What was not tried, and why; straight to the terminal, so that it is not lost in captured output.
fn say(missing: Option<&str>) {
    if let Some(why) = missing {
        writeln!(std::io::stderr(), "skipped: the adapters on moto: {why}").unwrap_or_default();
    }
}
