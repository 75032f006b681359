//! Decisions for those who ask from outside the packet path: found by query, and told in words.

use super::Engine;
use crate::boot::none;
use crate::malformed;
use crate::reasons;
use crate::view::{DecisionQuery, Told};
use purlin_dhcp_proto::MessageType;
use purlin_telemetry::decision::{LeftOut, Page};
use purlin_telemetry::{Decision, Outcome};

impl Engine {
    /// A decision in words.
    #[must_use]
    pub fn tell(&self, decision: &Decision) -> Told {
        let reason = reasons::reason(decision.reason);
        Told {
            decision: *decision,
            event: name_of(decision.event, untyped(decision)),
            answer: name_of(decision.detail, unnamed(decision)),
            text: self.words(decision),
            slug: reason.map_or("", |r| r.slug),
            subnet: self.plan.subnet_name(decision.scope).map(str::to_owned),
        }
    }

    /// The reason in words, and what an answer told the client to boot, or that it told a boot client nothing.
    fn words(&self, decision: &Decision) -> String {
        let reason = reasons::reason(decision.reason);
        let text = reason.map_or_else(String::new, |r| r.render(decision.with));
        if decision.reason == reasons::MALFORMED {
            return format!("{text}: {}", malformed::words(decision.with.a, decision.with.b));
        }
        let boot = (decision.outcome == Outcome::Answered).then_some(decision.with.b);
        let boot = boot.and_then(|number| {
            let named = self.templates.words(number).map(str::to_owned);
            named.or_else(|| none::words(number))
        });
        let short = left_out(decision.left_out);
        let more = boot.into_iter().chain(short);
        more.fold(text, |told, words| format!("{told}; {words}"))
    }

    /// The newest decisions that a query wants, oldest first.
    #[must_use]
    pub fn find_decisions(&self, query: &DecisionQuery) -> Vec<Told> {
        let page = self.decisions_before(query, None);
        page.found
            .iter()
            .rev()
            .map(|past| self.tell(&past.decision))
            .collect()
    }

    /// The newest decisions before number `bound` that a query wants, newest first; without a bound, of all.
    #[must_use]
    pub fn decisions_before(&self, query: &DecisionQuery, bound: Option<u64>) -> Page {
        let wanted = |d: &Decision| {
            query.mac.is_none_or(|mac| mac.0 == d.mac)
                && query.address.is_none_or(|a| u32::from(a) == d.with.address)
                && query.key.is_none_or(|key| key == d.key)
                && query.reason.is_none_or(|reason| reason == d.reason.0)
                && (!query.notable_only
                    || matches!(d.outcome, Outcome::Refused | Outcome::Silent | Outcome::Dropped))
        };
        self.ring.before(bound, query.limit.max(1), wanted)
    }
}

/// Which options a full reply lacks.
fn left_out(LeftOut { count, first }: LeftOut) -> Option<String> {
    let which = match (count, first) {
        (0, _) => return None,
        (1, [code, _]) => format!("option {code}"),
        (2, [one, other]) => format!("options {one} and {other}"),
        (_, [one, other]) => format!("options {one}, {other} and {} more", count - 2),
    };
    let code = reasons::REPLY_TOO_BIG;
    Some(format!("{which} left out: the reply is full ({code})"))
}

/// What went out when that has no message type: BOOTP's answers have none.
fn unnamed(decision: &Decision) -> &'static str {
    if decision.outcome == Outcome::Answered {
        "BOOTREPLY"
    } else {
        "-"
    }
}

/// What came in when that had no message type that is known.
fn untyped(decision: &Decision) -> &'static str {
    let unknown = [reasons::MALFORMED, reasons::UNSUPPORTED_TYPE].contains(&decision.reason);
    if unknown || decision.outcome == Outcome::Noted {
        "-"
    } else {
        "BOOTP"
    }
}

fn name_of(octet: u8, none: &'static str) -> &'static str {
    MessageType::from_octet(octet).map_or(none, |kind| kind.as_str())
}
