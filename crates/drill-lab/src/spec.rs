//! What a fleet is made of, before anything runs: hosts, the services on them, and the groups that keep them alive.
//!
//! A spec is a value: the same spec gives the same names, addresses and instance ids.
//! Next: [`crate::Lab::up`] makes it real.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fleet: hosts that stand alone, and groups whose members are replaced when they die.
#[derive(Clone, Debug)]
pub struct FleetSpec {
    /// The lab's name. Instance ids are derived from it.
    pub name: String,
    /// Hosts that no group looks after.
    pub hosts: Vec<HostSpec>,
    /// Groups of like hosts.
    pub groups: Vec<GroupSpec>,
    /// The host whose `order-client` measures the fleet, when there is one.
    pub meter: Option<String>,
}

/// One host: its name, its tags, its size and its services.
#[derive(Clone, Debug)]
pub struct HostSpec {
    /// What the host is called in the lab and in every host's `/etc/hosts`.
    pub name: String,
    /// Tags, as on an EC2 instance.
    pub tags: BTreeMap<String, String>,
    /// The most it may use of the machine.
    pub size: HostSize,
    /// What its supervisor keeps running.
    pub services: Vec<ServiceSpec>,
}

/// The most a host may use of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSize {
    /// Hundredths of one processor.
    pub cpu_percent: u32,
    /// Memory, including what the host keeps on its disk: the disk is in memory.
    pub memory_mib: u32,
    /// The root file system.
    pub disk_mib: u32,
    /// Processes and threads.
    pub processes: u32,
}

impl Default for HostSize {
    fn default() -> Self {
        HostSize { cpu_percent: 50, memory_mib: 256, disk_mib: 64, processes: 512 }
    }
}

/// One supervised service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// What `service NAME status` calls it, and for the demo's own services the process name.
    pub name: String,
    /// The program and its arguments; a bare name of a demo service is found on the host's `PATH`.
    pub command: Vec<String>,
    /// Its environment, besides `PATH` and the lab's id.
    pub environment: BTreeMap<String, String>,
    /// The port that answers `/health` and `/metrics`, when it has one.
    pub port: Option<u16>,
    /// How long after its death it is started again.
    pub restart_delay: Duration,
}

/// An Auto Scaling group: what dies is replaced by a new instance with a new id and address.
#[derive(Clone, Debug)]
pub struct GroupSpec {
    /// The group's name.
    pub name: String,
    /// The fewest hosts it may be set to.
    pub min: usize,
    /// How many hosts it keeps.
    pub desired: usize,
    /// The most hosts it may be set to.
    pub max: usize,
    /// What each member is like; its name gets a number.
    pub template: HostSpec,
    /// From the loss of a member to the start of its replacement.
    pub boot_delay: Duration,
    /// How long a member may be stopped until its health check has it terminated and replaced; never without.
    pub stopped_grace: Option<Duration>,
    /// The host running `order-lb` at which members are registered.
    pub load_balancer: Option<String>,
}

impl HostSpec {
    /// A host with nothing on it.
    pub fn bare(name: &str) -> HostSpec {
        HostSpec { name: name.to_owned(), tags: BTreeMap::new(), size: HostSize::default(), services: Vec::new() }
    }

    /// The same host with one more tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> HostSpec {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same host with one more service.
    #[must_use]
    pub fn service(mut self, service: ServiceSpec) -> HostSpec {
        self.services.push(service);
        self
    }

    /// The same host with another size.
    #[must_use]
    pub fn sized(mut self, size: HostSize) -> HostSpec {
        self.size = size;
        self
    }
}

impl ServiceSpec {
    /// A service of the demo fleet, by its program's name, listening on `port`.
    pub fn demo(name: &str, port: u16) -> ServiceSpec {
        ServiceSpec {
            name: name.to_owned(),
            command: vec![name.to_owned()],
            environment: BTreeMap::from([("LISTEN".to_owned(), format!("0.0.0.0:{port}"))]),
            port: Some(port),
            restart_delay: Duration::from_secs(1),
        }
    }

    /// The same service with one more environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<String>) -> ServiceSpec {
        self.environment.insert(key.to_owned(), value.into());
        self
    }
}

impl FleetSpec {
    /// A fleet of hosts with nothing on them.
    pub fn bare(name: &str, hosts: &[&str]) -> FleetSpec {
        FleetSpec {
            name: name.to_owned(),
            hosts: hosts.iter().map(|host| HostSpec::bare(host)).collect(),
            groups: Vec::new(),
            meter: None,
        }
    }

    /// The demo: order hosts behind a load balancer, a database, a risk engine, and a client that measures them.
    ///
    /// Only the order hosts, the database and the risk engine carry the tag that opts in to drills; the load
    /// balancer and the client are the instruments.
    pub fn orders(name: &str, order_hosts: usize, orders_per_second: u32) -> FleetSpec {
        let order = HostSpec::bare("orders").tag("Service", "order-service").tag("StormdrillReady", "lab").service(
            ServiceSpec::demo("order-service", 8080)
                .env("ORDERS_DB", "http://orders-db:5432")
                .env("RISK_ENGINE", "http://risk-engine:8090"),
        );
        let database = HostSpec::bare("orders-db")
            .tag("Service", "orders-db")
            .tag("StormdrillReady", "lab")
            .sized(HostSize { disk_mib: 128, memory_mib: 384, ..HostSize::default() })
            .service(ServiceSpec::demo("orders-db", 5432).env("DATABASE", "/var/lib/orders-db/orders.sqlite"));
        let risk = HostSpec::bare("risk-engine")
            .tag("Service", "risk-engine")
            .tag("StormdrillReady", "lab")
            .service(ServiceSpec::demo("risk-engine", 8090));
        let balancer = HostSpec::bare("order-lb").tag("Service", "order-lb").service(ServiceSpec::demo("order-lb", 80));
        let client = HostSpec::bare("order-client").tag("Service", "order-client").service(
            ServiceSpec::demo("order-client", 9090)
                .env("TARGET", "http://order-lb/orders")
                .env("RATE", orders_per_second.to_string()),
        );
        FleetSpec {
            name: name.to_owned(),
            hosts: vec![database, risk, balancer, client],
            groups: vec![GroupSpec {
                name: "order-hosts".to_owned(),
                min: order_hosts.min(1),
                desired: order_hosts,
                max: order_hosts * 2,
                template: order,
                boot_delay: Duration::from_secs(3),
                stopped_grace: Some(Duration::from_secs(20)),
                load_balancer: Some("order-lb".to_owned()),
            }],
            meter: Some("order-client".to_owned()),
        }
    }
}

/// The lab's network: a bridge of its own, never one of the machine's.
pub(crate) const PREFIX: u8 = 16;

/// The bridge's own address, from which the lab itself speaks.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 83, 0, 1);

/// The address of the `number`th host that the lab ever started, from 0.
pub(crate) fn address(number: u16) -> Ipv4Addr {
    let [high, low] = (number + 10).to_be_bytes();
    Ipv4Addr::new(10, 83, high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_has_an_address_of_its_own_outside_the_gateway() {
        let addresses: Vec<_> = (0..600).map(address).collect();

        let mut distinct = addresses.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 600);
        assert!(!addresses.contains(&GATEWAY));
    }
}
