//! What systemd wants to know (sd_notify(3)): a datagram of `KEY=VALUE` lines to the socket it names.
//!
//! Without `NOTIFY_SOCKET` everything here does nothing.

use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long a start may take from the last word of what it waits for: several attempts to reach a database.
const MORE: Duration = Duration::from_secs(120);

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub(super) struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Takes the socket and the watchdog interval from the environment.
    pub(super) fn from_environment() -> Self {
        let name = std::env::var_os("NOTIFY_SOCKET");
        Self::to(name.as_deref(), std::env::var("WATCHDOG_USEC").ok().as_deref())
    }

    fn to(name: Option<&OsStr>, watchdog_usec: Option<&str>) -> Self {
        let address = name.and_then(|name| match name.as_bytes() {
            // '@' stands for the abstract namespace.
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest).ok(),
            _ => SocketAddr::from_pathname(name).ok(),
        });
        let socket = address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address)));
        // Twice per interval, as sd_watchdog_enabled(3) advises.
        let watchdog = watchdog_usec
            .and_then(|usec| usec.parse().ok())
            .map(|usec| Duration::from_micros(usec) / 2);
        Self {
            socket,
            watchdog: watchdog.filter(|every| !every.is_zero()),
        }
    }

    /// How often the watchdog wants to hear from us.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.socket.is_some())
    }

    /// The start takes longer, and is not to be given up for that.
    pub(super) fn waiting(&self, status: &str) {
        let more = MORE.as_micros();
        self.send(&format!("STATUS={status}\nEXTEND_TIMEOUT_USEC={more}"));
    }

    pub(super) fn ready(&self, status: &str) {
        self.send(&format!("READY=1\nSTATUS={status}"));
    }

    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let usec = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={usec}"));
    }

    pub(super) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    pub(super) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            // Nobody to tell it to if the manager does not listen.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_ready_and_stopping() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::to(Some(path.as_os_str()), Some("4000000"));
        assert_eq!(notifier.watchdog(), Some(Duration::from_secs(2)));
        notifier.waiting("no database yet");
        notifier.ready("serving");
        notifier.stopping();
        let mut text = [0; 64];
        let length = manager.recv(&mut text).unwrap();
        let waiting = b"STATUS=no database yet\nEXTEND_TIMEOUT_USEC=120000000";
        assert_eq!(&text[..length], waiting);
        let length = manager.recv(&mut text).unwrap();
        assert_eq!(&text[..length], b"READY=1\nSTATUS=serving");
        let length = manager.recv(&mut text).unwrap();
        assert_eq!(&text[..length], b"STOPPING=1");
    }

    #[test]
    fn without_a_manager_nothing_happens() {
        let notifier = Notifier::to(None, Some("4000000"));
        notifier.alive();
        assert_eq!(notifier.watchdog(), None);
    }
}
