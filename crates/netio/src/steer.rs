//! Which socket of a shared port gets which datagram: a classic BPF program by IPv4 address ranges.
//!
//! Sockets that share a port form a group in the order of binding. The kernel runs the program with the UDP
//! payload as its data and takes the result as an index into the group; an index that is not there falls
//! back to the kernel's own hash.
//!
//! ```text
//!   key = word at `first`; if that is 0, word at `second`      (a payload too short for that goes to socket 0)
//!   binary search over the starts of the ranges ──► index
//! ```

use crate::{UdpPort, sys};
use libc::sock_filter;
use purlin_types::Ipv4Range;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// The kernel's limit (`BPF_MAXINSNS`).
const INSTRUCTIONS_MAX: usize = 4096;

const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where in the payload the deciding addresses stand, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAt {
    pub first: u32,
    /// Looked at when the first is 0.0.0.0.
    pub second: u32,
}

/// A program for [`Program::attach`].
#[derive(Clone)]
pub struct Program {
    code: Vec<sock_filter>,
    complete: bool,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("instructions", &self.code.len())
            .field("complete", &self.complete)
            .finish()
    }
}

impl Program {
    /// Compiles `ranges` (sorted, disjoint) to socket indexes; addresses outside all of them go to socket 0.
    ///
    /// When the ranges are too many for one program (about 680 that do not touch), everything goes to socket
    /// 0 and [`Self::is_complete`] is false: packets must then be passed on in the process.
    #[must_use]
    pub fn compile(key: KeyAt, ranges: &[(Ipv4Range, u16)]) -> Self {
        let segments = segments(ranges);
        let mut code = vec![
            instruction(LOAD_WORD, 0, 0, key.first),
            instruction(JUMP_EQUAL, 0, 1, 0),
            instruction(LOAD_WORD, 0, 0, key.second),
        ];
        emit(&segments, &mut code);
        if code.len() > INSTRUCTIONS_MAX {
            return Self {
                code: vec![instruction(RETURN, 0, 0, 0)],
                complete: false,
            };
        }
        Self { code, complete: true }
    }

    /// Whether every range is heeded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Makes this the program of the group that `port` is in, in place of the former one.
    ///
    /// # Errors
    /// When the socket was not opened with `reuse_port`.
    pub fn attach(&self, port: &UdpPort) -> io::Result<()> {
        attach(port.as_fd(), libc::SO_ATTACH_REUSEPORT_CBPF, &self.code)
    }
}

/// Lets a socket receive only what `code` accepts.
pub(crate) fn attach_filter(socket: BorrowedFd<'_>, code: &[sock_filter]) -> io::Result<()> {
    attach(socket, libc::SO_ATTACH_FILTER, code)
}

fn attach(socket: BorrowedFd<'_>, option: i32, code: &[sock_filter]) -> io::Result<()> {
    let length = u16::try_from(code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // The kernel copies the program during the call and does not write to it.
    let program = libc::sock_fprog {
        len: length,
        filter: code.as_ptr().cast_mut(),
    };
    sys::set_option(socket, libc::SOL_SOCKET, option, &program)
}

fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// The ranges as a step function over all addresses: where each step starts and its value.
fn segments(ranges: &[(Ipv4Range, u16)]) -> Vec<(u32, u32)> {
    let mut steps = vec![(0u32, 0u32)];
    let mut put = |start: u32, value: u32| match steps.last_mut() {
        Some(last) if last.0 == start => last.1 = value,
        Some(last) if last.1 == value => {}
        _ => steps.push((start, value)),
    };
    for (range, socket) in ranges {
        put(range.first().into(), u32::from(*socket));
        if let Some(after) = u32::from(range.last()).checked_add(1) {
            put(after, 0);
        }
    }
    // Overwriting a step may have made it equal to the one before.
    steps.dedup_by(|later, earlier| later.1 == earlier.1);
    steps
}

/// Binary search: conditional jumps reach 255 instructions only, so the far side is reached by `JUMP`.
fn emit(segments: &[(u32, u32)], code: &mut Vec<sock_filter>) {
    if let [(_, value)] = segments {
        code.push(instruction(RETURN, 0, 0, *value));
        return;
    }
    let (low, high) = segments.split_at(segments.len() / 2);
    code.push(instruction(JUMP_AT_LEAST, 1, 0, high[0].0));
    let jump = code.len();
    code.push(instruction(JUMP, 0, 0, 0));
    emit(high, code);
    code[jump].k = (code.len() - jump - 1) as u32;
    emit(low, code);
}

#[cfg(test)]
mod tests;
