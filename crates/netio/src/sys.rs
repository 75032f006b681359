//! The few calls that the safe wrappers do not cover, each with its one `unsafe` block.

use crate::turns::SchedAttr;
use std::io;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A new close-on-exec, non-blocking socket.
pub(crate) fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed; a returned descriptor is new and owned by nobody else.
    unsafe {
        let fd = libc::socket(domain, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, protocol);
        if fd < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(OwnedFd::from_raw_fd(fd))
        }
    }
}

/// `setsockopt` with a plain value.
pub(crate) fn set_option<T: Copy>(fd: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> io::Result<()> {
    set_option_bytes(
        fd,
        level,
        name,
        std::ptr::from_ref(value).cast(),
        size_of_val(value),
    )
}

/// `setsockopt` with a text, as interface names are passed.
pub(crate) fn set_option_text(fd: BorrowedFd<'_>, level: i32, name: i32, value: &str) -> io::Result<()> {
    set_option_bytes(fd, level, name, value.as_ptr().cast(), value.len())
}

fn set_option_bytes(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: *const libc::c_void,
    length: usize,
) -> io::Result<()> {
    // SAFETY: both callers pass a live reference and its exact length; the kernel only reads it.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value, length as libc::socklen_t) })
}

/// `getsockopt` of an integer.
pub(crate) fn int_option(fd: BorrowedFd<'_>, level: i32, name: i32) -> io::Result<i32> {
    let mut value: i32 = 0;
    let mut length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: `value` and `length` outlive the call and `length` is the size of `value`.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &raw mut length,
        )
    })?;
    Ok(value)
}

/// Octets that were sent and have not left the machine, with the kernel's overhead: what fills the send buffer.
pub(crate) fn unsent(fd: BorrowedFd<'_>) -> io::Result<u32> {
    let mut octets: libc::c_int = 0;
    // SAFETY: the kernel writes one `int`. `TIOCOUTQ` is the number that sockets know as `SIOCOUTQ`.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut octets) })?;
    Ok(octets.unsigned_abs())
}

/// Whether the kernel knows the hardware address of a host on `device`; an unknown host is not resolved.
pub(crate) fn neighbour_is_resolved(fd: BorrowedFd<'_>, device: &str, address: Ipv4Addr) -> io::Result<bool> {
    // SAFETY: all-zero is a valid `arpreq`.
    let mut request: libc::arpreq = unsafe { std::mem::zeroed() };
    let name = request.arp_dev.iter_mut().zip(device.bytes());
    // The last octet stays zero: names are shorter than the field.
    name.take(libc::IFNAMSIZ - 1)
        .for_each(|(to, from)| *to = from as _);
    let host = to_sockaddr(SocketAddrV4::new(address, 0));
    // SAFETY: both structures are plain, of one size, and the family in the address says which it is.
    request.arp_pa = unsafe { std::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(host) };
    // SAFETY: the kernel reads and writes one live `arpreq`.
    match check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::SIOCGARP as _, &raw mut request) }) {
        Ok(()) => Ok(request.arp_flags & libc::ATF_COM != 0),
        Err(e) if e.raw_os_error() == Some(libc::ENXIO) => Ok(false),
        Err(e) => Err(e),
    }
}

/// How the calling thread is scheduled.
pub(crate) fn sched_attributes(attributes: &mut SchedAttr) -> io::Result<()> {
    let size = size_of::<SchedAttr>() as libc::c_uint;
    // SAFETY: the kernel writes at most `size` octets into a live structure of that size; 0 names this thread.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_getattr,
            0,
            std::ptr::from_mut(attributes),
            size,
            0,
        )
    };
    check(result as i32)
}

/// Changes how the calling thread is scheduled.
pub(crate) fn set_sched_attributes(attributes: &SchedAttr) -> io::Result<()> {
    // SAFETY: the kernel reads a live structure whose size stands in it; 0 names this thread.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(attributes), 0) };
    check(result as i32)
}

/// Binds to a socket address of whatever family `T` is.
pub(crate) fn bind<T: Copy>(fd: BorrowedFd<'_>, address: &T) -> io::Result<()> {
    // SAFETY: the address is a live, plain C structure of the length passed.
    check(unsafe {
        libc::bind(
            fd.as_raw_fd(),
            std::ptr::from_ref(address).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    })
}

/// `sendto` to a socket address of whatever family `T` is.
pub(crate) fn send_to<T: Copy>(fd: BorrowedFd<'_>, bytes: &[u8], address: &T) -> io::Result<usize> {
    // SAFETY: bytes and address are live for the call, with the lengths passed.
    let sent = unsafe {
        libc::sendto(
            fd.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_NOSIGNAL,
            std::ptr::from_ref(address).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// `recv` into `buffer`; `None` when nothing is there.
pub(crate) fn receive(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    // SAFETY: the buffer is live and writable for its whole length.
    let got = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    match usize::try_from(got) {
        Ok(length) => Ok(Some(length)),
        Err(_) => match io::Error::last_os_error() {
            e if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            e => Err(e),
        },
    }
}

/// The address a socket is bound to.
pub(crate) fn local_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddrV4> {
    let mut address = MaybeUninit::<libc::sockaddr_in>::zeroed();
    let mut length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` octets; all-zero is a valid `sockaddr_in`.
    let address = unsafe {
        check(libc::getsockname(
            fd.as_raw_fd(),
            address.as_mut_ptr().cast(),
            &raw mut length,
        ))?;
        address.assume_init()
    };
    Ok(from_sockaddr(&address))
}

pub(crate) fn to_sockaddr(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: to_in_addr(*address.ip()),
        sin_zero: [0; 8],
    }
}

pub(crate) fn from_sockaddr(address: &libc::sockaddr_in) -> SocketAddrV4 {
    SocketAddrV4::new(from_in_addr(address.sin_addr), u16::from_be(address.sin_port))
}

pub(crate) fn to_in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr {
        s_addr: u32::from_ne_bytes(address.octets()),
    }
}

pub(crate) fn from_in_addr(address: libc::in_addr) -> Ipv4Addr {
    Ipv4Addr::from(address.s_addr.to_ne_bytes())
}

/// A link-layer address for `AF_PACKET`; `protocol` in host order.
pub(crate) fn link_address(interface: u32, protocol: u16, mac: [u8; 6]) -> libc::sockaddr_ll {
    let mut address = [0; 8];
    address[..6].copy_from_slice(&mac);
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 6,
        sll_addr: address,
    }
}

/// Turns a C result into an error; retrying after a signal is left to callers that can block.
pub(crate) fn check(result: i32) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
