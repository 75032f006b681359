//! The sockets the service listens on: which there are, who reads them, and how they change while running.
//!
//! ```text
//!   listen address ──► one socket per packet thread (SO_REUSEPORT, steered by address)
//!   local segment  ──► one socket bound to the device, read by the thread that owns its network,
//!                      and a frame socket for clients without an address
//!   boot server (4011) ─► one socket beside each of the above where another server gives the addresses
//! ```
//!
//! A broadcast is delivered to *every* socket of a shared port, so a segment has exactly one. At a start the listen
//! addresses come first, and a segment may join them; those that are added beside a segment that is open join it.

use crate::error::ApplyError;
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::settings::Settings;
use purlin_netio::steer::{KeyAt, Program};
use purlin_netio::{FrameSocket, Interface, UdpOptions, UdpPort};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

/// Where servers are spoken to on local segments (RFC 2131, section 4.1).
const SERVER_PORT: u16 = 67;
/// Where boot clients ask for their file once they have an address (PXE 2.1, section 2.2.1).
const BOOT_PORT: u16 = 4011;
/// Offsets of giaddr and ciaddr in a DHCP message (RFC 2131, section 2).
const STEERED_BY: KeyAt = KeyAt {
    first: 24,
    second: 12,
};

/// Wanted send buffer in bytes: room for a reply to each of the 1024 neighbours the kernel keeps, and as much again
/// for those that can be reached.
const SEND_BUFFER: u32 = 2 << 20;

/// One socket.
#[derive(Debug)]
pub(crate) struct Port {
    /// The same for all sockets of one listen address; never used again while the process lives.
    pub(crate) id: u32,
    pub(crate) socket: UdpPort,
    pub(crate) segment: Option<Segment>,
}

/// A local segment as it was when its socket was opened.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) interface: Interface,
    pub(crate) mac: [u8; 6],
    /// The interface's first address.
    pub(crate) address: Ipv4Addr,
    pub(crate) frames: FrameSocket,
}

/// What a packet thread makes of one socket.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) port: Arc<Port>,
    /// Position in `Settings::interfaces`.
    pub(crate) position: Option<u16>,
    /// Whether this thread reads it; otherwise it only sends by it.
    pub(crate) reads: bool,
}

/// All sockets of one listen address or segment.
#[derive(Debug, Clone)]
struct Group {
    key: Key,
    /// One per thread, or a single one.
    sockets: Vec<Arc<Port>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Listen(SocketAddrV4),
    Segment(Interface),
    /// The boot server port at an address.
    Boot(SocketAddrV4),
    /// The boot server port on a segment.
    BootSegment(Interface),
}

/// Opens sockets and remembers which are open.
#[derive(Debug)]
pub(crate) struct Ports {
    shards: u16,
    /// How many of them packets are steered to.
    steered: u16,
    receive_buffer: u32,
    next_id: u32,
    open: Vec<Group>,
}

/// A set of sockets that is open but not yet in use.
#[derive(Debug)]
pub(crate) struct Prepared(Vec<Group>);

impl Ports {
    pub(crate) fn new(shards: u16, receive_buffer: u32) -> Self {
        Self {
            shards,
            steered: shards,
            receive_buffer,
            next_id: 0,
            open: Vec::new(),
        }
    }

    /// Opens what the settings name and is not open yet; nothing that runs is touched.
    pub(crate) fn prepare(&mut self, settings: &Settings) -> Result<Prepared, ApplyError> {
        let mut groups = Vec::new();
        if settings.enabled {
            for &address in &settings.listen {
                groups.push(self.group(Key::Listen(address))?);
            }
            for name in &settings.interfaces {
                let interface = find_interface(name)?;
                groups.push(self.group(Key::Segment(interface))?);
            }
            if settings.has_proxy() {
                self.prepare_boot(settings, &mut groups)?;
            }
        }
        Ok(Prepared(groups))
    }

    /// The boot server port beside every DHCP port. Where DHCP listens on a port of its own choice nobody comes to
    /// 4011, and it may be another's.
    fn prepare_boot(&mut self, settings: &Settings, groups: &mut Vec<Group>) -> Result<(), ApplyError> {
        for address in settings.listen.iter().filter(|at| at.port() == SERVER_PORT) {
            let at = SocketAddrV4::new(*address.ip(), BOOT_PORT);
            groups.push(self.group(Key::Boot(at))?);
        }
        for name in &settings.interfaces {
            groups.push(self.group(Key::BootSegment(find_interface(name)?))?);
        }
        Ok(())
    }

    fn group(&mut self, key: Key) -> Result<Group, ApplyError> {
        if let Some(group) = self.open.iter().find(|group| group.key == key) {
            return Ok(group.clone());
        }
        let id = self.next_id;
        self.next_id += 1;
        let sockets = match &key {
            Key::Listen(address) => self.open_listen(id, *address)?,
            Key::Segment(interface) => vec![Arc::new(self.open_segment(id, interface)?)],
            Key::Boot(address) => vec![Arc::new(self.open_boot(id, *address, None)?)],
            Key::BootSegment(interface) => {
                let at = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, BOOT_PORT);
                vec![Arc::new(self.open_boot(id, at, Some(&interface.name))?)]
            }
        };
        Ok(Group { key, sockets })
    }

    /// Whether sockets of ours are on devices, the boot server port's among them.
    fn has_segments(&self) -> bool {
        self.open
            .iter()
            .any(|group| matches!(group.key, Key::Segment(_) | Key::BootSegment(_)))
    }

    fn open_listen(&self, id: u32, address: SocketAddrV4) -> Result<Vec<Arc<Port>>, ApplyError> {
        let options = UdpOptions {
            reuse_port: self.shards > 1,
            packet_info: address.ip().is_unspecified(),
            joins_devices: self.has_segments(),
            receive_buffer: Some(self.receive_buffer),
            send_buffer: Some(SEND_BUFFER),
            ..UdpOptions::default()
        };
        let mut sockets: Vec<Arc<Port>> = Vec::new();
        for _ in 0..self.shards {
            // The first decides the port when any is allowed; the order of binding is the order of threads.
            let at = sockets
                .first()
                .map_or(address, |first| first.socket.local_address());
            let socket = UdpPort::bind(at, &options).map_err(|source| ApplyError::Listen {
                address: address.to_string(),
                source,
            })?;
            sockets.push(Arc::new(Port {
                id,
                socket,
                segment: None,
            }));
        }
        Ok(sockets)
    }

    fn open_segment(&self, id: u32, interface: &Interface) -> Result<Port, ApplyError> {
        let fault = |source| ApplyError::Interface {
            name: interface.name.clone(),
            source,
        };
        let mac = interface
            .mac
            .ok_or_else(|| ApplyError::NoHardwareAddress(interface.name.clone()))?;
        let (address, _) = *interface
            .addresses
            .first()
            .ok_or_else(|| ApplyError::NoAddress(interface.name.clone()))?;
        let options = UdpOptions {
            packet_info: true,
            device: Some(&interface.name),
            broadcast: true,
            receive_buffer: Some(self.receive_buffer),
            send_buffer: Some(SEND_BUFFER),
            ..UdpOptions::default()
        };
        let at = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, SERVER_PORT);
        let socket = UdpPort::bind(at, &options).map_err(fault)?;
        let frames = FrameSocket::open().map_err(fault)?;
        let segment = Segment {
            interface: interface.clone(),
            mac,
            address,
            frames,
        };
        Ok(Port {
            id,
            socket,
            segment: Some(segment),
        })
    }

    /// A socket that only hears what is sent to one of our addresses.
    fn open_boot(&self, id: u32, at: SocketAddrV4, device: Option<&str>) -> Result<Port, ApplyError> {
        let options = UdpOptions {
            packet_info: at.ip().is_unspecified(),
            device,
            joins_devices: self.has_segments(),
            receive_buffer: Some(self.receive_buffer),
            send_buffer: Some(SEND_BUFFER),
            ..UdpOptions::default()
        };
        let socket = UdpPort::bind(at, &options).map_err(|source| ApplyError::Listen {
            address: device.map_or_else(|| at.to_string(), |name| format!("{at} on {name}")),
            source,
        })?;
        Ok(Port {
            id,
            socket,
            segment: None,
        })
    }

    /// Makes a prepared set the current one and steers its packets as `plan` says. Sockets that are no longer
    /// named close once the last thread lets go of them.
    pub(crate) fn adopt(&mut self, prepared: Prepared, plan: &Plan) -> Result<(), ApplyError> {
        self.open = prepared.0;
        self.steer(plan)
    }

    /// Steers all packets to the first thread from now on.
    pub(crate) fn unite(&mut self, plan: &Plan) -> Result<(), ApplyError> {
        self.steered = 1;
        self.steer(plan)
    }

    fn steer(&self, plan: &Plan) -> Result<(), ApplyError> {
        if self.shards < 2 {
            return Ok(());
        }
        let program = Program::compile(STEERED_BY, &plan.steering(self.steered));
        for group in self
            .open
            .iter()
            .filter(|group| matches!(group.key, Key::Listen(_)))
        {
            program
                .attach(&group.sockets[0].socket)
                .map_err(ApplyError::Steering)?;
        }
        Ok(())
    }

    /// What thread `shard` reads and sends by.
    pub(crate) fn assignments(&self, shard: u16, plan: &Plan) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        // Both kinds stand in the order of `Settings::interfaces`.
        let (mut position, mut boot_position) = (0, 0);
        for group in &self.open {
            assignments.push(match &group.key {
                Key::Listen(_) => {
                    let port = Arc::clone(&group.sockets[usize::from(shard)]);
                    Assignment {
                        port,
                        position: None,
                        reads: true,
                    }
                }
                Key::Segment(interface) => {
                    position += 1;
                    Assignment {
                        port: Arc::clone(&group.sockets[0]),
                        position: Some(position - 1),
                        reads: segment_owner(interface, plan, self.shards) == shard,
                    }
                }
                Key::Boot(_) => Assignment {
                    port: Arc::clone(&group.sockets[0]),
                    position: None,
                    reads: shard == 0,
                },
                Key::BootSegment(interface) => {
                    boot_position += 1;
                    Assignment {
                        port: Arc::clone(&group.sockets[0]),
                        position: Some(boot_position - 1),
                        reads: segment_owner(interface, plan, self.shards) == shard,
                    }
                }
            });
        }
        assignments
    }

    /// The addresses that are listened on, as bound.
    pub(crate) fn listening(&self) -> Vec<SocketAddrV4> {
        let listen = self
            .open
            .iter()
            .filter(|group| matches!(group.key, Key::Listen(_)));
        listen
            .map(|group| group.sockets[0].socket.local_address())
            .collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Port>> {
        self.open.iter().map(|group| &group.sockets[0])
    }
}

fn find_interface(name: &str) -> Result<Interface, ApplyError> {
    let found = purlin_netio::interface(name);
    let found = found.map_err(|source| ApplyError::Interface {
        name: name.to_owned(),
        source,
    })?;
    found.ok_or_else(|| ApplyError::NoInterface(name.to_owned()))
}

/// The thread of the network that an interface's clients belong to.
fn segment_owner(interface: &Interface, plan: &Plan, shards: u16) -> u16 {
    let subnets = plan
        .settings()
        .networks
        .iter()
        .flat_map(|network| &network.subnets);
    let named = subnets
        .filter(|s| s.interfaces.contains(&interface.name))
        .map(|s| s.network.network());
    let own = interface.addresses.iter().map(|(address, _)| *address);
    named
        .chain(own)
        .find_map(|address| plan.shard_of(address, shards))
        .unwrap_or(0)
}
