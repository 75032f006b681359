//! Plain clients, as the RFCs have them.

mod reader;
mod writer;

pub(super) use reader::Reader;
pub(super) use writer::Writer;

use purlin_tftp_proto::{Options, Packet, Rollover, Terms, Wishes};

/// The client's side of one transfer: what it says now and when it next loses patience.
pub(super) trait Client {
    fn hear(&mut self, packet: &Packet<'_>) -> Vec<Vec<u8>>;
    /// What it repeats when nothing came for a second.
    fn repeat(&self) -> Vec<Vec<u8>>;
    fn is_done(&self) -> bool;
}

fn terms(options: Options<'_>) -> Terms {
    let answer = Wishes::of(options).expect("a server's answer is well formed");
    Terms {
        blksize: answer.blksize.unwrap_or(512),
        windowsize: answer.windowsize.unwrap_or(1),
        rollover: answer.rollover.unwrap_or(Rollover::Zero),
        tsize: answer.tsize,
    }
}
