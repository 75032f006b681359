//! The listening sockets: one per address and packet thread.

use crate::error::StartError;
use purlin_netio::{BulkOptions, BulkPort};
use purlin_tftp_core::settings::Settings;
use std::net::SocketAddr;
use std::sync::Arc;

/// All listening sockets, by address and then by thread.
#[derive(Debug)]
pub(crate) struct Ports(Vec<Vec<Arc<BulkPort>>>);

impl Ports {
    /// Binds every address once per thread.
    pub(crate) fn bind(settings: &Settings, threads: u16) -> Result<Self, StartError> {
        let group = |address: &SocketAddr| {
            let options = BulkOptions {
                reuse_port: true,
                // On an address of its own a socket need not be told with each datagram, nor tell.
                packet_info: address.ip().is_unspecified(),
                trains: false,
                receive_buffer: Some(settings.receive_buffer),
                send_buffer: Some(settings.send_buffer),
            };
            let fault = |source| StartError::Listen {
                address: *address,
                source,
            };
            // Without sharing, to notice a foreign server that shares its port; gone again at once.
            drop(BulkPort::bind(*address, &BulkOptions::default()).map_err(fault)?);
            let first = BulkPort::bind(*address, &options).map_err(fault)?;
            let bound = first.local_address();
            let mut group = vec![Arc::new(first)];
            for _ in 1..threads {
                group.push(Arc::new(BulkPort::bind(bound, &options).map_err(fault)?));
            }
            Ok(group)
        };
        settings
            .listen
            .iter()
            .map(group)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// One thread's sockets, in the order of the configured addresses.
    pub(crate) fn of_thread(&self, thread: u16) -> Vec<Arc<BulkPort>> {
        let thread = usize::from(thread);
        self.0.iter().map(|group| Arc::clone(&group[thread])).collect()
    }

    /// The addresses as bound.
    pub(crate) fn listening(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|group| group[0].local_address()).collect()
    }

    /// Smallest buffers that the kernel granted, in octets: receive and send; zeros without sockets.
    pub(crate) fn buffers(&self) -> (u32, u32) {
        let all = || self.0.iter().flatten();
        let receive = all().map(|port| port.receive_buffer()).min().unwrap_or(0);
        let send = all().map(|port| port.send_buffer()).min().unwrap_or(0);
        (receive, send)
    }
}
