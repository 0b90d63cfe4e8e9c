//! What must be the same in both worlds. A case asserts what the ports promise, in a world that was made as [`Facts`] say.

mod subnets;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::experiment::{CloudWatchProbe, Selector, TargetKind};
use drill_model::faults::ec2::{Harm, Heal, Instance, InstanceState};
use drill_model::faults::{Kind, Seen, Sight};
use drill_model::ids::{AlarmName, GroupName, InstanceId};
use drill_model::observation::AlarmState;
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{Answer, Class, Clock, Groups, Harms, Heals, Metrics, Rehearsal, Rehearse, Sees};
use jiff::Timestamp;

/// What a case may ask for.
pub trait Ports: Clock + Sees + Groups + Harms + Heals + Rehearse + Metrics {}
impl<T: Clock + Sees + Groups + Harms + Heals + Rehearse + Metrics> Ports for T {}

/// A world's instances, as EC2 is asked for them.
struct Ec2<'a, P> {
    ports: &'a P,
    home: Home,
}

impl<P: Ports> Ec2<'_, P> {
    fn targets(&self, ids: &BTreeSet<InstanceId>) -> BTreeSet<TargetId> {
        ids.iter().map(|id| self.home.instance(id)).collect()
    }

    async fn harm(&self, call: Harm, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.ports.harm(&call.into(), &self.targets(ids)).await
    }

    async fn start(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.ports.heal(&Heal::Start.into(), &self.targets(ids)).await
    }

    async fn rehearse(&self, call: &Rehearsal, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.ports.rehearse(call, &self.targets(ids)).await
    }

    async fn describe(&self, ids: &BTreeSet<InstanceId>) -> Vec<Instance> {
        let seen = self.ports.see(Kind::Ec2Instance, &self.targets(ids)).await.unwrap();
        seen.into_iter().map(|seen| instance(seen, &self.home)).collect()
    }
}

/// The instance that was seen, whose ARN is that of its id.
fn instance(seen: Seen, home: &Home) -> Instance {
    match seen.sight {
        Sight::Ec2Instance(instance) => {
            assert_eq!(seen.id, home.instance(&instance.id));
            instance
        }
        Sight::Subnet(subnet) => panic!("{subnet:?}"),
    }
}

/// How both worlds are made.
pub struct Facts {
    /// Three that run, opted in, tagged `Service` = `orders`. Beside them one tagged `Service` = `orders-2`.
    pub orders: BTreeSet<InstanceId>,
    /// The group `orders-group` wants two hosts and has them.
    pub group: GroupName,
    /// Two subnets of one VPC that opted in: the first in zone `a`, tagged `Service` = `orders`, the second in zone `b`,
    /// tagged `Service` = `orders-2`. Each has an ACL that allows everything.
    pub subnets: [TargetId; 2],
    /// The one instance in the first of them.
    pub inside: TargetId,
    /// Where all of this lies.
    pub home: Home,
    /// The beginning of a minute that is over. In it `Orders Latency` of `Service` = `orders` was 0, 10, 20, 30, 40, 50.
    pub minute: Timestamp,
}

/// `budget` is in alarm, `quiet` is OK, `blind` has insufficient data.
pub const ALARMS: [(&str, &str); 3] = [("budget", "ALARM"), ("quiet", "OK"), ("blind", "INSUFFICIENT_DATA")];

/// How long a change may take to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub enum Case {
    Found,
    Described,
    StoppedAndStarted,
    Terminated,
    Rehearsed,
    Refused,
    Grouped,
    Measured,
    Alarmed,
    SubnetsFound,
    SubnetCutAndMended,
    SubnetRehearsed,
    SubnetsRefused,
}

impl Case {
    pub const ALL: &[(&str, Self)] = &[
        ("a selector matches what it says, to the letter", Self::Found),
        ("a description leaves out who does not exist", Self::Described),
        ("what is stopped starts again, and verbs can be repeated", Self::StoppedAndStarted),
        ("what is terminated is seen to go", Self::Terminated),
        ("a rehearsal says yes and does nothing", Self::Rehearsed),
        ("nobody, too many and strangers are refused by every verb", Self::Refused),
        ("a group says what it wants and has, and none is missing", Self::Grouped),
        ("datapoints are those of the period, in the time asked for", Self::Measured),
        ("every alarm has its state, and one that is not there is missing", Self::Alarmed),
        ("a subnet is seen with its ACL, its zone and what lies in it", Self::SubnetsFound),
        ("a subnet takes an ACL of ours and its own back, and what was used up is refused", Self::SubnetCutAndMended),
        ("a rehearsal on a subnet does nothing", Self::SubnetRehearsed),
        ("no subnet, two, and ACLs that are not there are refused", Self::SubnetsRefused),
    ];

    pub async fn run(self, ports: &impl Ports, facts: &Facts) {
        match self {
            Self::Found => found(ports, facts).await,
            Self::Described => described(ports, facts).await,
            Self::StoppedAndStarted => stopped_and_started(ports, facts).await,
            Self::Terminated => terminated(ports, facts).await,
            Self::Rehearsed => rehearsed(ports, facts).await,
            Self::Refused => refused(ports, facts).await,
            Self::Grouped => grouped(ports, facts).await,
            Self::Measured => measured(ports, facts).await,
            Self::Alarmed => alarmed(ports).await,
            Self::SubnetsFound => subnets::found(ports, facts).await,
            Self::SubnetCutAndMended => subnets::cut_and_mended(ports, facts).await,
            Self::SubnetRehearsed => subnets::rehearsed(ports, facts).await,
            Self::SubnetsRefused => subnets::refused(ports, facts).await,
        }
    }
}

fn stranger() -> InstanceId {
    InstanceId::try_from("i-0123456789abcdef0").unwrap()
}

fn selector(tags: &[(&str, &str)], ids: &[InstanceId], group: Option<&GroupName>) -> Selector {
    Selector {
        kind: TargetKind::Ec2Instance,
        tags: tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        ids: ids.iter().map(|id| id.as_str().try_into().unwrap()).collect(),
        group: group.cloned(),
        zone: None,
    }
}

async fn ids(ports: &impl Ports, selector: &Selector) -> BTreeSet<InstanceId> {
    let found = ports.find(selector).await.unwrap();
    let ids: BTreeSet<InstanceId> = found.iter().filter_map(|seen| seen.id.instance()).collect();
    assert_eq!(ids.len(), found.len(), "nobody is there twice");
    ids
}

/// The states of these instances; one that is not described any more has none.
async fn states(ec2: &Ec2<'_, impl Ports>, ids: &BTreeSet<InstanceId>) -> BTreeMap<InstanceId, InstanceState> {
    ec2.describe(ids).await.into_iter().map(|instance| (instance.id, instance.state)).collect()
}

/// Waits until all of these are in a state.
async fn until(ec2: &Ec2<'_, impl Ports>, ids: &BTreeSet<InstanceId>, state: InstanceState) {
    let ports = ec2.ports;
    let give_up = ports.now() + PATIENCE;
    loop {
        let seen = states(ec2, ids).await;
        if ids.iter().all(|id| seen.get(id) == Some(&state)) {
            return;
        }
        assert!(ports.now() < give_up, "{seen:?} and not {state:?}");
        ports.pause(Duration::from_millis(500)).await;
    }
}

async fn found(ports: &impl Ports, facts: &Facts) {
    let one = facts.orders.first().unwrap();

    assert_eq!(ids(ports, &selector(&[("Service", "orders")], &[], None)).await, facts.orders);
    for nobody in ["ord*", "order?", "ORDERS", "", "orders\\"] {
        assert_eq!(ids(ports, &selector(&[("Service", nobody)], &[], None)).await, BTreeSet::new(), "{nobody}");
    }
    let both = [("Service", "orders"), ("StormdrillReady", "staging")];
    assert_eq!(ids(ports, &selector(&both, &[], None)).await, facts.orders);
    assert_eq!(ids(ports, &selector(&[], &[one.clone(), stranger()], None)).await, [one.clone()].into());
    assert_eq!(
        ids(ports, &selector(&[("Service", "orders-2")], std::slice::from_ref(one), None)).await,
        BTreeSet::new()
    );
    assert_eq!(ids(ports, &selector(&[], &[], Some(&facts.group))).await.len(), 2);

    let whole = async |selector: &Selector| -> Vec<Instance> {
        let found = ports.find(selector).await.unwrap();
        found.into_iter().map(|seen| instance(seen, &facts.home)).collect()
    };
    let found = whole(&selector(&[], std::slice::from_ref(one), None)).await;
    assert_eq!((found[0].state, found[0].healthy, found[0].spot), (InstanceState::Running, Some(true), false));
    assert_eq!((found[0].tags["Service"].as_str(), &found[0].group), ("orders", &None));
    let members = whole(&selector(&[], &[], Some(&facts.group))).await;
    assert!(members.iter().all(|member| member.group.as_ref() == Some(&facts.group)));
}

async fn described(ports: &impl Ports, facts: &Facts) {
    let ec2 = Ec2 { ports, home: facts.home.clone() };
    let mut asked = facts.orders.clone();
    asked.insert(stranger());

    let seen = states(&ec2, &asked).await;

    assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), facts.orders);
    assert_eq!(states(&ec2, &[stranger()].into()).await, BTreeMap::new());
    assert_eq!(states(&ec2, &BTreeSet::new()).await, BTreeMap::new());
}

async fn stopped_and_started(ports: &impl Ports, facts: &Facts) {
    let ec2 = Ec2 { ports, home: facts.home.clone() };
    let two: BTreeSet<InstanceId> = facts.orders.iter().take(2).cloned().collect();

    ec2.harm(Harm::Stop, &two).await.unwrap();
    until(&ec2, &two, InstanceState::Stopped).await;
    ec2.harm(Harm::Stop, &two).await.unwrap();
    until(&ec2, &two, InstanceState::Stopped).await;
    ec2.start(&two).await.unwrap();
    until(&ec2, &two, InstanceState::Running).await;
    ec2.start(&two).await.unwrap();
    ec2.harm(Harm::Reboot, &two).await.unwrap();
    until(&ec2, &two, InstanceState::Running).await;

    until(&ec2, &facts.orders, InstanceState::Running).await;
}

async fn terminated(ports: &impl Ports, facts: &Facts) {
    let ec2 = Ec2 { ports, home: facts.home.clone() };
    let one: BTreeSet<InstanceId> = facts.orders.iter().take(1).cloned().collect();

    ec2.harm(Harm::Terminate, &one).await.unwrap();
    ec2.harm(Harm::Terminate, &one).await.unwrap();
    until(&ec2, &one, InstanceState::Terminated).await;

    let others: BTreeSet<InstanceId> = facts.orders.difference(&one).cloned().collect();
    until(&ec2, &others, InstanceState::Running).await;
}

async fn rehearsed(ports: &impl Ports, facts: &Facts) {
    let ec2 = Ec2 { ports, home: facts.home.clone() };
    let harms = [Harm::Stop, Harm::Reboot, Harm::Terminate].map(|call| Rehearsal::Harm(call.into()));
    for call in harms.into_iter().chain([Rehearsal::Heal(Heal::Start.into())]) {
        assert_eq!(ec2.rehearse(&call, &facts.orders).await, Ok(()), "{call:?}");
    }

    // When a later change is seen, an earlier one would be seen too.
    let one: BTreeSet<InstanceId> = facts.orders.iter().take(1).cloned().collect();
    ec2.harm(Harm::Stop, &one).await.unwrap();
    until(&ec2, &one, InstanceState::Stopped).await;
    let others: BTreeSet<InstanceId> = facts.orders.difference(&one).cloned().collect();
    assert!(states(&ec2, &others).await.values().all(|state| *state == InstanceState::Running));
}

async fn refused(ports: &impl Ports, facts: &Facts) {
    let ec2 = Ec2 { ports, home: facts.home.clone() };
    let many: BTreeSet<InstanceId> =
        (0..51).map(|number| InstanceId::try_from(format!("i-{number:017x}")).unwrap()).collect();
    let mut mixed = facts.orders.clone();
    mixed.insert(stranger());
    for (ids, class) in [(BTreeSet::new(), Class::Refused), (many, Class::Refused), (mixed, Class::Missing)] {
        let mut answers = vec![
            ec2.harm(Harm::Stop, &ids).await,
            ec2.harm(Harm::Reboot, &ids).await,
            ec2.harm(Harm::Terminate, &ids).await,
        ];
        // Whether a rehearsal looks at the ids at all is the service's affair.
        if class == Class::Refused {
            let (stop, start) = (Rehearsal::Harm(Harm::Stop.into()), Rehearsal::Heal(Heal::Start.into()));
            answers.extend([ec2.rehearse(&stop, &ids).await, ec2.rehearse(&start, &ids).await]);
        }
        for answer in answers {
            assert_eq!(answer.unwrap_err().class, class, "{} ids", ids.len());
        }
    }
    assert_eq!(ec2.start(&[stranger()].into()).await.unwrap_err().class, Class::Missing);
    assert_eq!(ec2.start(&BTreeSet::new()).await.unwrap_err().class, Class::Refused);

    until(&ec2, &facts.orders, InstanceState::Running).await;
}

async fn grouped(ports: &impl Ports, facts: &Facts) {
    let group = ports.group(&facts.group).await.unwrap();
    let none = ports.group(&GroupName::try_from("nobody").unwrap()).await.unwrap_err();

    assert_eq!((group.name, group.desired, group.in_service), (facts.group.clone(), 2, 2));
    assert_eq!(none.class, Class::Missing);
}

fn probe(metric: &str, statistic: &str, period: &str) -> CloudWatchProbe {
    serde_json::from_value(serde_json::json!({
        "namespace": "Orders", "metric": metric, "dimensions": { "Service": "orders" },
        "statistic": statistic, "period": period,
    }))
    .unwrap()
}

async fn measured(ports: &impl Ports, facts: &Facts) {
    let minute = Duration::from_secs(60);
    let statistics = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"];
    let mut probes: Vec<CloudWatchProbe> = statistics.map(|name| probe("Latency", name, "60s")).into();
    probes.push(probe("Nothing", "Sum", "60s"));
    let read = async |from, to| -> Vec<Vec<(Timestamp, f64)>> {
        let found = ports.metrics(&probes, from, to).await.unwrap();
        found.into_iter().map(|points| points.into_iter().map(|point| (point.at, point.value)).collect()).collect()
    };

    let expected: Vec<Vec<(Timestamp, f64)>> = [Some(25.0), Some(150.0), Some(0.0), Some(50.0), Some(6.0), None]
        .map(|value| value.map(|value| (facts.minute, value)).into_iter().collect())
        .into();
    assert_eq!(read(facts.minute - minute * 2, facts.minute + minute).await, expected);
    let nothing = vec![Vec::new(); probes.len()];
    assert_eq!(read(facts.minute - minute * 2, facts.minute).await, nothing, "the end is not included");
    assert_eq!(ports.metrics(&[], facts.minute, facts.minute + minute).await, Ok(Vec::new()));
}

async fn alarmed(ports: &impl Ports) {
    let names = ["quiet", "gone", "budget", "blind"].map(|name| AlarmName::try_from(name).unwrap());

    let found = ports.alarms(&names).await.unwrap();

    let found: Vec<_> = found.into_iter().map(|reading| (reading.alarm.to_string(), reading.state)).collect();
    let expected = [
        ("quiet", AlarmState::Ok),
        ("gone", AlarmState::Missing),
        ("budget", AlarmState::InAlarm),
        ("blind", AlarmState::InsufficientData),
    ];
    assert_eq!(found, expected.map(|(name, state)| (name.to_owned(), state)));
}
