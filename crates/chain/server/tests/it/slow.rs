//! A line that takes its time: TCP connections through this process, each octet later than it came.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

/// Makes slow lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SlowLine {
    delay: Duration,
}

impl SlowLine {
    /// Lines that take so long each way.
    pub(crate) const fn new(delay: Duration) -> Self {
        Self { delay }
    }

    /// A port that leads to `there`, for as long as the test runs.
    pub(crate) fn to(self, there: SocketAddr) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(there) else {
                    continue;
                };
                let ends = (
                    near.try_clone().expect("an end"),
                    far.try_clone().expect("an end"),
                );
                self.carry(near, far);
                self.carry(ends.1, ends.0);
            }
        });
        port
    }

    fn carry(self, mut from: TcpStream, mut to: TcpStream) {
        let (sender, receiver) = channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if sender.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            for (came, octets) in receiver {
                let due = came + self.delay;
                while let Some(rest) = due.checked_duration_since(Instant::now())
                    && !rest.is_zero()
                {
                    thread::park_timeout(rest);
                }
                if to.write_all(&octets).is_err() {
                    return;
                }
            }
            // Who waits at the other end shall know.
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    }
}
