//! RRQ and WRQ: a new transfer, a repeated request, or a refusal.

use super::negotiate::negotiate;
use super::shared::later;
use super::{Engine, error};
use crate::admission::Ticket;
use crate::effect::{Effect, Effects};
use crate::peer::Peer;
use crate::plan;
use crate::reasons;
use crate::record::BootRecord;
use crate::transfer::{Patience, Receiver, RoundTrip, Sender, Side, Stage, Transfer};
use crate::view::Readable;
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_tftp_proto::{ErrorCode, Mode, OptionName, Request, Terms, Wishes};
use purlin_types::{BootTime, Now};

/// Why a request is refused at once.
struct Refusal {
    reason: ReasonCode,
    a: u32,
    code: ErrorCode,
    text: &'static str,
}

impl Refusal {
    fn new(reason: ReasonCode, code: ErrorCode, text: &'static str) -> Self {
        Self {
            reason,
            a: 0,
            code,
            text,
        }
    }
}

/// A request that may be served.
struct Order<'a> {
    name: &'a str,
    netascii: bool,
    write: bool,
    wishes: Wishes,
    granted: Wishes,
    terms: Terms,
    ticket: Ticket,
}

impl<F: Readable> Engine<F> {
    pub(super) fn ask(
        &mut self,
        now: &Now,
        peer: &Peer,
        request: Request<'_>,
        write: bool,
        effects: &mut Effects,
    ) {
        if let Some(index) = self.table.find(peer) {
            if self.is_repetition(now, index, request, write) {
                self.shared.counters.count(reasons::REPEATED_REQUEST);
                self.answer_repetition(now, index, effects);
                return;
            }
            self.supersede(now, index, effects);
        }
        let mut order = self.order(peer, request, write);
        let full = |order: &Result<_, Refusal>| {
            order
                .as_ref()
                .is_err_and(|refusal| refusal.reason == reasons::LIMIT_TOTAL)
        };
        if full(&order) && self.make_room(now, effects) {
            order = self.order(peer, request, write);
        }
        match order {
            Ok(order) => self.begin(now, peer, &order, effects),
            Err(refusal) => self.refuse(now, peer, request.name(), write, &refusal, effects),
        }
    }

    /// Whether the request is the one that the running transfer came from, once more.
    ///
    /// Until something was acknowledged the client repeats itself because our answer is late. Afterwards a copy that
    /// the network held back must not end the transfer, but a client that has restarted must not wait either: it is
    /// believed once the transfer has been quiet.
    fn is_repetition(&mut self, now: &Now, index: u32, request: Request<'_>, write: bool) -> bool {
        let quiet = self.shared.pace.first;
        let transfer = self.table.at(index);
        let patience = &transfer.patience;
        if transfer.stage == Stage::Storing {
            return true;
        }
        let same = transfer.write == write
            && transfer.name.as_bytes() == request.name()
            && request.mode() == Some(mode_of(transfer.netascii))
            && Wishes::of(request.options()).unwrap_or_default() == transfer.asked_for;
        same && (!patience.answered || now.boot < later(patience.heard, quiet))
    }

    /// Sends the first answer again, but not sooner than it can have been answered.
    fn answer_repetition(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let trip = self.shared.round.smoothed().max(1_000_000);
        let transfer = self.table.at(index);
        let waiting = matches!(transfer.stage, Stage::Offered | Stage::Sending | Stage::Receiving);
        if transfer.patience.answered || !waiting {
            return;
        }
        transfer.patience.heard = now.boot;
        if now.boot >= later(transfer.patience.sent, trip) {
            self.send_again(now, index, effects);
        }
    }

    fn order<'a>(&self, peer: &Peer, request: Request<'a>, write: bool) -> Result<Order<'a>, Refusal> {
        if self.draining {
            let text = "the server is stopping";
            return Err(Refusal::new(reasons::STOPPING, ErrorCode::Undefined, text));
        }
        let netascii = mode(request.mode())?;
        let name = plan::name_of(request.name())
            .map_err(|reason| Refusal::new(reason, ErrorCode::Denied, "bad file name"))?;
        let asked = Wishes::of(request.options());
        let seen = asked.unwrap_or_default();
        let client = peer.address.ip();
        let caps = self
            .plan
            .caps(client, name, seen.blksize, seen.windowsize.is_some());
        let wishes = match asked {
            _ if !caps.options => Wishes::default(),
            Ok(wishes) => wishes,
            Err(fault) => {
                let (reason, text) = bad_option(fault.0);
                return Err(Refusal::new(reason, ErrorCode::Option, text));
            }
        };
        if write && wishes.tsize.is_some_and(|size| size > self.shared.size_max) {
            let text = "the file is too big";
            return Err(Refusal::new(reasons::UPLOAD_TOO_BIG, ErrorCode::Full, text));
        }
        let (granted, terms) = negotiate(&wishes, &caps, client, write);
        let ticket = self.admission.take(client).map_err(|full| Refusal {
            a: full.limit,
            ..Refusal::new(full.reason, ErrorCode::Undefined, "too many transfers, try again")
        })?;
        Ok(Order {
            name,
            netascii,
            write,
            wishes: seen,
            granted,
            terms,
            ticket,
        })
    }

    fn begin(&mut self, now: &Now, peer: &Peer, order: &Order<'_>, effects: &mut Effects) {
        let slot = self.table.next_slot();
        let side = if order.write {
            Side::Write(Receiver::new(&order.terms))
        } else {
            // The size follows once the file is open.
            Side::Read(Sender::new(0, order.terms.blksize, 1, order.terms.rollover))
        };
        let announced = order.granted.tsize.filter(|_| order.write);
        let transfer = Transfer {
            slot,
            peer: *peer,
            side,
            round: RoundTrip::default(),
            patience: self.patience(now, &order.granted),
            stage: Stage::Opening,
            write: order.write,
            netascii: order.netascii,
            created: false,
            told: false,
            burst_again: false,
            burst: 0,
            terms: order.terms,
            file: None,
            name: order.name.into(),
            asked_for: order.wishes,
            granted: order.granted,
            ticket: order.ticket,
            asked: now.boot,
            asked_wall: now.wall,
            opened_us: 0,
            first_us: 0,
            size: announced.unwrap_or(0),
            again: 0,
        };
        self.table.insert(transfer);
        self.watch(slot);
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        let due = later(now.boot, shared.pace.idle).min(transfer.patience.ends);
        shared.schedule_at(now, transfer, due);
        effects.push(if order.write {
            Effect::Create {
                slot,
                size: announced,
            }
        } else {
            Effect::Open { slot }
        });
    }

    fn patience(&self, now: &Now, granted: &Wishes) -> Patience {
        let pace = &self.shared.pace;
        let asked = granted
            .utimeout
            .map(|micros| u64::from(micros) * 1000)
            .or(granted.timeout.map(|secs| u64::from(secs) * 1_000_000_000));
        Patience {
            due: BootTime::MAX,
            rings: BootTime::MAX,
            heard: now.boot,
            sent: BootTime(0),
            ends: match pace.lifetime {
                0 => BootTime::MAX,
                lifetime => later(now.boot, lifetime),
            },
            longest: pace.longest.min(asked.unwrap_or(u64::MAX)),
            tries: 0,
            misses: 0,
            probe: false,
            answered: false,
        }
    }

    fn refuse(
        &mut self,
        now: &Now,
        peer: &Peer,
        name: &[u8],
        write: bool,
        refusal: &Refusal,
        effects: &mut Effects,
    ) {
        let mut record = BootRecord::new(now.wall, peer.address.ip(), peer.address.port(), name);
        record.reason = refusal.reason;
        record.outcome = Outcome::Refused;
        record.a = refusal.a;
        record.write = write;
        self.shared.counters.count(refusal.reason);
        self.shared.ring.push(record);
        error(*peer, None, refusal.code, refusal.text, effects);
    }
}

/// Whether the mode is netascii.
fn mode(mode: Option<Mode>) -> Result<bool, Refusal> {
    let illegal = |reason, text| Err(Refusal::new(reason, ErrorCode::Illegal, text));
    match mode {
        Some(Mode::Octet) => Ok(false),
        Some(Mode::Netascii) => Ok(true),
        Some(Mode::Mail) => illegal(reasons::MAIL_MODE, "mode mail is not supported"),
        None => illegal(reasons::UNKNOWN_MODE, "unknown mode"),
    }
}

fn mode_of(netascii: bool) -> Mode {
    if netascii { Mode::Netascii } else { Mode::Octet }
}

fn bad_option(name: OptionName) -> (ReasonCode, &'static str) {
    match name {
        OptionName::Blksize => (reasons::BAD_BLKSIZE, "bad value of option blksize"),
        OptionName::Blksize2 => (reasons::BAD_BLKSIZE2, "bad value of option blksize2"),
        OptionName::Tsize => (reasons::BAD_TSIZE, "bad value of option tsize"),
        OptionName::Timeout => (reasons::BAD_TIMEOUT, "bad value of option timeout"),
        OptionName::Utimeout => (reasons::BAD_UTIMEOUT, "bad value of option utimeout"),
        OptionName::Windowsize => (reasons::BAD_WINDOWSIZE, "bad value of option windowsize"),
        OptionName::Rollover => (reasons::BAD_ROLLOVER, "bad value of option rollover"),
    }
}
