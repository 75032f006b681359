//! The machine's network interfaces.

use crate::sys;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::net::Ipv4Addr;

/// One interface as the kernel shows it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub index: u32,
    /// `None` when it is no Ethernet-like one.
    pub mac: Option<[u8; 6]>,
    /// IPv4 addresses with prefix lengths, in the kernel's order: the first is the primary one.
    pub addresses: Vec<(Ipv4Addr, u8)>,
    pub up: bool,
    pub loopback: bool,
}

/// The interface of that name, if it exists.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn interface(name: &str) -> io::Result<Option<Interface>> {
    Ok(interfaces()?.into_iter().find(|interface| interface.name == name))
}

/// All interfaces by name.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut head: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `head` is a live out-pointer.
    sys::check(unsafe { libc::getifaddrs(&raw mut head) })?;
    let mut found = BTreeMap::new();
    let mut next = head;
    // SAFETY: the list is valid until `freeifaddrs`, and nothing borrowed from it is kept.
    unsafe {
        while let Some(entry) = next.as_ref() {
            note(&mut found, entry);
            next = entry.ifa_next;
        }
        libc::freeifaddrs(head);
    }
    Ok(found.into_values().collect())
}

/// # Safety
/// `entry` must be a live entry of `getifaddrs`.
unsafe fn note(found: &mut BTreeMap<String, Interface>, entry: &libc::ifaddrs) {
    // SAFETY: the kernel gives every entry a terminated name.
    let label = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy();
    // An address with a label of its own (`eth0:1`) belongs to the interface before the colon.
    let name = label.split(':').next().unwrap_or_default().to_owned();
    let interface = found.entry(name.clone()).or_insert_with(|| Interface {
        name,
        index: 0,
        mac: None,
        addresses: Vec::new(),
        up: entry.ifa_flags & libc::IFF_UP as u32 != 0,
        loopback: entry.ifa_flags & libc::IFF_LOOPBACK as u32 != 0,
    });
    // SAFETY: a non-null address starts with its family, which says what structure it is.
    unsafe {
        match entry
            .ifa_addr
            .as_ref()
            .map(|address| i32::from(address.sa_family))
        {
            Some(libc::AF_PACKET) => {
                let link = &*entry.ifa_addr.cast::<libc::sockaddr_ll>();
                interface.index = link.sll_ifindex as u32;
                if link.sll_halen == 6 && !interface.loopback {
                    interface.mac = link.sll_addr[..6].try_into().ok();
                }
            }
            Some(libc::AF_INET) => {
                let address = sys::from_sockaddr(&*entry.ifa_addr.cast());
                let mask = entry.ifa_netmask.cast::<libc::sockaddr_in>().as_ref();
                let length = mask.map_or(32, |m| u32::from(sys::from_in_addr(m.sin_addr)).leading_ones());
                interface.addresses.push((*address.ip(), length as u8));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_found_with_its_address() {
        let lo = interface("lo").unwrap().unwrap();
        assert!(lo.loopback && lo.up && lo.index > 0);
        assert_eq!(lo.mac, None);
        assert!(lo.addresses.contains(&(Ipv4Addr::LOCALHOST, 8)));
        assert_eq!(interface("no-such-device").unwrap(), None);
    }
}
