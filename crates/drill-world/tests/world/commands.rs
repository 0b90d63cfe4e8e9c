use std::time::Duration;

use drill_model::faults::FaultKind;
use drill_model::host::Document;
use drill_phases::ports::{Class, CommandId, HostAnswers, HostHarm, HostHeal, HostProbe};
use drill_world::{HostSpec, Simulation};

use super::fixture::{command, intended, latency, look, order, orders, revert, said};

const A_WHILE: Duration = Duration::from_secs(3);

async fn landed(simulation: &Simulation, hosts: &[drill_model::ids::InstanceId]) -> CommandId {
    intended(simulation, hosts, latency()).await;
    let command = simulation.world.harm_hosts(&order(simulation.now(), hosts)).await.unwrap();
    simulation.world.sleep(A_WHILE).await;
    command
}

#[test]
fn an_order_is_pending_until_it_was_delivered_and_has_run() {
    let (simulation, hosts) = orders(2);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            let command = simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            assert_eq!(said(&simulation, &command).await, ["pending", "pending"]);
            simulation.world.sleep(A_WHILE).await;
            assert_eq!(said(&simulation, &command).await, ["landed", "landed"]);
        })
        .unwrap();
}

#[test]
fn one_bad_id_refuses_the_whole_command_and_names_it() {
    let (simulation, mut hosts) = orders(2);
    let mute = simulation.hosts.add(&HostSpec::new().ready("staging").without_agent());
    hosts.push(mute.clone());

    let error = simulation.play(simulation.world.revert(&revert(&hosts))).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("InvalidInstanceId") && error.message.contains(mute.as_str()), "{error}");
}

#[test]
fn a_command_takes_at_most_fifty_hosts() {
    let (simulation, hosts) = orders(51);

    let error = simulation.play(simulation.world.probe(&look(&hosts))).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Refused);
}

#[test]
fn a_role_cannot_send_a_document_of_another() {
    let (simulation, hosts) = orders(1);
    let harm = command(Document::Fault(FaultKind::CpuStress), &hosts, &[]);

    let error = simulation.play(simulation.world.revert(&harm)).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Refused);
}

#[test]
fn a_parameter_that_its_document_does_not_take_refuses_the_command() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    for (name, value) in [("DelayMs", "100ms"), ("To", "$(reboot)"), ("Unit", "x"), ("Colour", "red")] {
        let mut order = order(simulation.now(), &hosts);
        order.parameters.insert(name.to_owned(), value.to_owned());

        let error = simulation.play(simulation.world.harm_hosts(&order)).unwrap().unwrap_err();

        assert_eq!(error.class, Class::Refused, "{name}");
        assert!(error.message.contains("InvalidParameters"), "{error}");
    }
}

#[test]
fn an_unknown_command_has_no_answers() {
    let (simulation, _) = orders(1);

    let error = simulation.play(simulation.world.answers(&CommandId("x".to_owned()))).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Missing);
}

#[test]
fn an_undelivered_command_times_out_and_is_delivered_all_the_same() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.agent_offline(&hosts[0], true);

    let command = simulation.play(simulation.world.probe(&look(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(89));
    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["pending"]);
    simulation.pass(Duration::from_secs(2));
    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["silent: DeliveryTimedOut"]);
}

#[test]
fn an_order_that_arrives_hours_late_refuses_itself() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.agent_offline(&hosts[0], true);

    simulation.play(landed(&simulation, &hosts)).unwrap();
    simulation.pass(Duration::from_secs(7200));
    simulation.hosts.agent_offline(&hosts[0], false);
    simulation.pass(A_WHILE);

    let alive: Vec<_> = simulation.world.leftovers().into_iter().filter(|left| left.contains("alive")).collect();
    assert_eq!(alive, Vec::<String>::new());
    assert_eq!(simulation.world.violations(), Vec::<String>::new());
}

#[test]
fn a_late_order_lands_where_the_host_does_not_refuse_it() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.agent_offline(&hosts[0], true);

    simulation.play(landed(&simulation, &hosts)).unwrap();
    simulation.pass(Duration::from_secs(20));
    simulation.hosts.agent_offline(&hosts[0], false);
    simulation.pass(A_WHILE);

    assert!(simulation.world.leftovers().iter().any(|left| left.contains("network-latency is alive")));
}

#[test]
fn an_expired_command_never_arrives() {
    let (simulation, hosts) = orders(1);
    simulation.world.timing(|timing| timing.expiry = Some(Duration::from_secs(90)));
    simulation.hosts.agent_offline(&hosts[0], true);

    simulation.play(simulation.world.revert(&revert(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(91));
    simulation.hosts.agent_offline(&hosts[0], false);
    simulation.pass(A_WHILE);

    assert!(simulation.hosts.tombstones(&hosts[0]).is_empty());
}

#[test]
fn a_second_delivery_after_the_revert_finds_the_tombstone() {
    let (simulation, hosts) = orders(1);
    simulation.world.timing(|timing| timing.redelivery = Some(Duration::from_secs(20)));

    simulation.play(landed(&simulation, &hosts)).unwrap();
    simulation.play(simulation.world.revert(&revert(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(25));

    assert!(!simulation.world.leftovers().iter().any(|left| left.contains("alive")));
}

#[test]
fn a_host_that_goes_down_under_a_command_leaves_it_without_an_answer() {
    let (simulation, hosts) = orders(1);

    let command = simulation.play(simulation.world.probe(&look(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_millis(700));
    simulation
        .play(async { super::fixture::Instances::reboot(&simulation.world, &super::fixture::set(&hosts)).await })
        .unwrap()
        .unwrap();
    simulation.pass(Duration::from_secs(61));

    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["silent: ExecutionTimedOut"]);
}

#[test]
fn output_that_is_lost_is_silence() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.quirks(&hosts[0], |quirks| quirks.mute = true);

    let command = simulation.play(landed(&simulation, &hosts)).unwrap();

    assert_eq!(simulation.play(said(&simulation, &command)).unwrap(), ["silent: no report in the output"]);
    assert!(simulation.world.leftovers().iter().any(|left| left.contains("alive")));
}
