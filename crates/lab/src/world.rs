//! An internet of one router, with the servers' network, and access to it by any kind of NAT.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::bail;
use duologue_testnet::wire::Profile;

use crate::cable::Cable;
use crate::namespace::Namespace;
use crate::nat::Kind;
use crate::system;
use crate::tap::Tap;

/// Where the call server is. Public addresses, since relays refuse to reach private and documentation ones; nothing leaves
/// the namespaces.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(11, 0, 0, 1);
/// Where coturn is.
pub const COTURN: Ipv4Addr = Ipv4Addr::new(11, 0, 0, 3);
/// Where the app server is, when it is not the call server.
pub const APP_SERVER: Ipv4Addr = Ipv4Addr::new(11, 0, 0, 4);
/// The internet's address in the servers' network.
const SERVERS_GATEWAY: Ipv4Addr = Ipv4Addr::new(11, 0, 0, 254);

/// The internet and the servers' host.
#[derive(Debug)]
pub struct World {
    internet: Namespace,
    servers: Namespace,
    next: AtomicU8,
}

impl World {
    /// Builds it.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> anyhow::Result<Self> {
        let (internet, servers) = (Namespace::new("internet")?, Namespace::new("servers")?);
        pair((&servers, "eth0"), (&internet, "servers"))?;
        for address in [SERVER, COTURN, APP_SERVER] {
            servers.ip(&format!("address add {address}/24 dev eth0"))?;
        }
        internet.ip(&format!("address add {SERVERS_GATEWAY}/24 dev servers"))?;
        servers.ip(&format!("route add default via {SERVERS_GATEWAY} dev eth0"))?;
        internet.forward()?;
        Ok(Self {
            internet,
            servers,
            next: AtomicU8::new(1),
        })
    }

    /// The namespace for servers.
    #[must_use]
    pub fn servers(&self) -> &Namespace {
        &self.servers
    }

    /// Gives `phone` an interface that reaches the internet by a NAT of this kind over a line of this profile.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(
        &self,
        phone: &Namespace,
        interface: &str,
        kind: Kind,
        line: Line,
        tap: Option<Arc<Tap>>,
    ) -> anyhow::Result<Access> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number == u8::MAX {
            bail!("a world has room for 254 lines");
        }
        let middle = match kind {
            Kind::CarrierGrade => [100, 64],
            _ => [172, 16],
        };
        // The networks from the phone outwards; in each, 2 is nearer to the phone and 1 nearer to the internet.
        let networks = match kind.routers().len() {
            0 => vec![[11, number]],
            1 => vec![[10, number], [11, number]],
            _ => vec![[10, number], middle, [11, number]],
        };
        let address = |index: usize, last: u8| -> Ipv4Addr {
            let [first, second] = networks.get(index).copied().unwrap_or_default();
            if first == 10 || first == 11 {
                Ipv4Addr::new(first, second, 0, last)
            } else {
                Ipv4Addr::new(first, second, number, last)
            }
        };
        let mut routers = Vec::new();
        for (index, router) in kind.routers().iter().enumerate() {
            let namespace = Namespace::new("nat")?;
            {
                let inner = routers.last().map_or((phone, interface), |router| (router, "wan0"));
                pair((&namespace, "lan0"), inner)?;
            }
            namespace.ip(&format!("address add {}/24 dev lan0", address(index, 1)))?;
            if let Some(inner) = routers.last() {
                Self::wan(inner, address(index, 2), address(index, 1))?;
            }
            namespace.forward()?;
            namespace.rules(&router.rules(address(index, 2)))?;
            routers.push(namespace);
        }
        let line_name = format!("line{number}");
        let last = networks.len() - 1;
        let outermost = routers.last().map_or((phone, interface), |router| (router, "wan0"));
        let cable = Cable::plug(outermost, (&self.internet, &line_name), line.profile, line.seed, tap)?;
        self.internet
            .ip(&format!("address add {}/24 dev {line_name}", address(last, 1)))?;
        if let Some(router) = routers.last() {
            Self::wan(router, address(last, 2), address(last, 1))?;
        }
        let access = Access {
            interface: interface.into(),
            number,
            address: address(0, 2),
            gateway: address(0, 1),
            cable,
            _routers: routers,
        };
        access.configure(phone)?;
        Ok(access)
    }

    fn wan(router: &Namespace, address: Ipv4Addr, gateway: Ipv4Addr) -> anyhow::Result<()> {
        router.ip(&format!("address add {address}/24 dev wan0"))?;
        router.ip(&format!("route add default via {gateway} dev wan0"))
    }
}

/// What a line does to packets, each way.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it does.
    pub profile: Profile,
    /// Where its choices come from.
    pub seed: u64,
}

/// A phone's interface with all that is between it and the internet.
#[derive(Debug)]
pub struct Access {
    interface: String,
    number: u8,
    address: Ipv4Addr,
    gateway: Ipv4Addr,
    /// The line between the outermost NAT, or the phone, and the internet.
    pub cable: Cable,
    _routers: Vec<Namespace>,
}

impl Access {
    /// The phone's address on it.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Takes the interface down, and its routes with it.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn down(&self, phone: &Namespace) -> anyhow::Result<()> {
        phone.ip(&format!("address flush dev {}", self.interface))?;
        phone.ip(&format!("link set dev {} down", self.interface))
    }

    /// Brings the interface up, with the address it had.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn up(&self, phone: &Namespace) -> anyhow::Result<()> {
        phone.ip(&format!("link set dev {} up", self.interface))?;
        self.configure(phone)
    }

    /// Gives the interface another address of its network, as a router does that was restarted.
    ///
    /// # Errors
    /// What `ip` says.
    pub fn renumber(&mut self, phone: &Namespace) -> anyhow::Result<()> {
        phone.ip(&format!("address flush dev {}", self.interface))?;
        phone.ip(&format!("rule delete from {} table {}", self.address, self.table()))?;
        let [a, b, c, last] = self.address.octets();
        self.address = Ipv4Addr::new(a, b, c, last + 1);
        self.configure(phone)
    }

    fn configure(&self, phone: &Namespace) -> anyhow::Result<()> {
        let Self {
            interface,
            number,
            address,
            gateway,
            ..
        } = self;
        let table = self.table();
        phone.ip(&format!("address replace {address}/24 dev {interface}"))?;
        // With two interfaces, what is sent from an address has to leave by its own one, as on phones; without a rule the
        // default route with the lowest metric would take everything.
        phone.ip(&format!(
            "route replace default via {gateway} dev {interface} table {table}"
        ))?;
        phone.ip(&format!(
            "route replace default via {gateway} dev {interface} metric {number}"
        ))?;
        let rules = system::output(std::process::Command::new("ip").args(["-n", phone.name(), "rule", "list"]))?;
        if !rules.contains(&format!("from {address} lookup {table}")) {
            phone.ip(&format!("rule add from {address} table {table}"))?;
        }
        Ok(())
    }

    fn table(&self) -> u32 {
        1000 + u32::from(self.number)
    }
}

/// Joins two namespaces by a veth pair, both ends up.
fn pair(left: (&Namespace, &str), right: (&Namespace, &str)) -> anyhow::Result<()> {
    let (a, b) = (left.0.name(), right.0.name());
    system::ip(&format!(
        "link add {} netns {a} type veth peer name {} netns {b}",
        left.1, right.1
    ))?;
    left.0.ip(&format!("link set dev {} up", left.1))?;
    right.0.ip(&format!("link set dev {} up", right.1))
}
