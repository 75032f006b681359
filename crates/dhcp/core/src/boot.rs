//! Which boot answer a client gets: entries of scopes, their plain boot files, and profiles.
//!
//! ```text
//!   strongest scope ─► fitting entry? ─► boot_file? ─► next weaker scope ... ─► profiles ─► no boot file
//! ```

mod memory;
pub(crate) mod none;

pub(crate) use memory::Memory;

use crate::plan::{Plan, ProfilePlan};
use crate::settings::{BootEntry, OptionValue, Scope};
use crate::template::{self, Kind};
use purlin_dhcp_proto::{Message, code};
use std::net::Ipv4Addr;

/// PXE discovery control, "use the boot file of this answer, no prompt, no discovery" (PXE 2.1, table 2-1: option 43,
/// tag 6, bit 3), and the end of the tags.
pub(crate) const NO_DISCOVERY: [u8; 4] = [6, 1, 8, 255];
/// What stands for this server's address in a file name.
const OWN: &str = "{server}";
/// Octets of a name in the header field `file`, the zero behind it left out.
const FIELD_LEN: usize = 127;

/// What kind of boot client asks, by its vendor class (option 60).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Firmware {
    None,
    /// `PXEClient...` (PXE 2.1, table 2-1).
    Pxe,
    /// `HTTPClient...`: wants a URI (UEFI 2.10, section 24.7).
    Http,
}

impl Firmware {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let vendor = message.vendor_class().unwrap_or_default();
        if vendor.starts_with(Self::Pxe.class()) {
            Self::Pxe
        } else if vendor.starts_with(Self::Http.class()) {
            Self::Http
        } else {
            Self::None
        }
    }

    /// What an answer to it says in option 60.
    pub(crate) fn class(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Pxe => b"PXEClient",
            Self::Http => b"HTTPClient",
        }
    }
}

/// Where the boot answer of a client stands. Levels count from the strongest scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Choice {
    Entry { level: u8, at: u32 },
    File { level: u8 },
    Profile(u32),
}

/// The boot answer for a client of this kind.
pub(crate) fn choose(plan: &Plan, kind: &Kind, message: &Message<'_>) -> Option<Choice> {
    let fits = |entry: &BootEntry| fits(entry, message, kind.firmware);
    for (level, scope) in template::scopes(plan, kind).rev().enumerate() {
        let level = level as u8;
        if let Some(at) = first(scope.boot.of(message.mac()), fits) {
            return Some(Choice::Entry { level, at });
        }
        if scope.boot_file.is_some() {
            return Some(Choice::File { level });
        }
    }
    let here = |profile: &ProfilePlan| profile.subnets.is_empty() || profile.subnets.contains(&kind.subnet);
    let profiles = plan.profiles.of(message.mac());
    let entries = profiles
        .filter(|(_, profile)| here(profile))
        .map(|(at, profile)| (at, &profile.entry));
    first(entries, fits).map(Choice::Profile)
}

#[cfg(test)]
thread_local! {
    /// Entries that were compared with a client.
    pub(crate) static LOOKED_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// The first that fits and names the client's user class, else the first that fits.
fn first<'p>(
    mut entries: impl Iterator<Item = (u32, &'p BootEntry)> + Clone,
    fits: impl Fn(&BootEntry) -> bool,
) -> Option<u32> {
    let mut with_class = entries.clone().filter(|(_, entry)| entry.user_class.is_some());
    let found = with_class.find(|(_, entry)| fits(entry));
    found
        .or_else(|| entries.find(|(_, entry)| fits(entry)))
        .map(|(at, _)| at)
}

/// Whether an entry fits but for its machines: by these it was found.
fn fits(entry: &BootEntry, message: &Message<'_>, firmware: Firmware) -> bool {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get() + 1);
    let by_architecture = if entry.architectures.is_empty() {
        // A name without a server is nothing that an HTTP client could load.
        firmware != Firmware::Http || is_uri(&entry.file)
    } else {
        message
            .architectures()
            .any(|arch| entry.architectures.contains(&arch.0))
    };
    let by_class = || {
        let class = entry.user_class.as_ref();
        class.is_none_or(|class| message.user_classes().has(class.as_bytes()))
    };
    by_architecture && by_class()
}

fn is_uri(file: &str) -> bool {
    file.contains("://")
}

/// A boot answer in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) file: String,
    /// 0.0.0.0 when the configuration names a server in words (option 66, `sname`) or there is no file.
    pub(crate) siaddr: Ipv4Addr,
    /// The answer in words for decisions; empty without a file.
    pub(crate) words: String,
}

/// What the choice says. `named` tells whether options or header name the server in words already.
pub(crate) fn answer(plan: &Plan, kind: &Kind, levels: &[&Scope], named: bool) -> Answer {
    let scope = |level: u8| levels[levels.len() - 1 - usize::from(level)];
    let entry = match kind.boot {
        Some(Choice::Entry { level, at }) => Some(&scope(level).boot[at as usize]),
        Some(Choice::Profile(at)) => Some(&plan.profiles.get(at).entry),
        _ => None,
    };
    let file = match (entry, kind.boot) {
        (Some(entry), _) => entry.file.clone(),
        (None, Some(Choice::File { level })) => scope(level).boot_file.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let file = file.replace(OWN, &kind.server.to_string());
    let own = Some(kind.server).filter(|_| !file.is_empty() && !named);
    let siaddr = entry
        .and_then(|entry| entry.next_server)
        .or_else(|| levels.iter().rev().find_map(|scope| scope.next_server))
        .or(own)
        .unwrap_or(Ipv4Addr::UNSPECIFIED);
    let words = if file.is_empty() {
        String::new()
    } else {
        words(plan, kind, levels.len(), &file, siaddr)
    };
    Answer { file, siaddr, words }
}

fn words(plan: &Plan, kind: &Kind, levels: usize, file: &str, siaddr: Ipv4Addr) -> String {
    let place = |level: u8| {
        let names = template::scope_names(plan, kind);
        debug_assert_eq!(names.len(), levels);
        names[levels - 1 - usize::from(level)].clone()
    };
    let called = |entry: &BootEntry, at: u32| match &entry.name {
        Some(name) => format!("{name:?}"),
        None => (at + 1).to_string(),
    };
    let from = match kind.boot {
        Some(Choice::Entry { level, at }) => {
            let scope = template::scopes(plan, kind).rev().nth(usize::from(level));
            let entry = scope.map_or_else(String::new, |s| called(&s.boot[at as usize], at));
            format!("boot entry {entry} of {}", place(level))
        }
        Some(Choice::File { level }) => format!("boot_file of {}", place(level)),
        Some(Choice::Profile(at)) => {
            format!("profile {}", called(&plan.profiles.get(at).entry, at))
        }
        None => String::new(),
    };
    let server = if is_uri(file) || siaddr.is_unspecified() {
        String::new()
    } else {
        format!(" at {siaddr}")
    };
    format!("boot file {file}{server} from {from}")
}

/// Options 66 and 67 repeat the header fields for clients that ask for them. An HTTP client must see its own vendor
/// class in the reply (UEFI 2.10, section 24.7.3.1). A PXE client to which the configuration sends a vendor class looks
/// for PXE's own options then, and may go on to discover boot servers unless it is told not to.
pub(crate) fn options(values: &mut Vec<OptionValue>, answer: &Answer, firmware: Firmware) {
    if answer.file.is_empty() {
        return;
    }
    let mut put = |code: u8, data: &[u8], always: bool| {
        let data = data.to_vec();
        template::set(values, OptionValue { code, data, always });
    };
    let file = answer.file.as_bytes();
    put(
        code::BOOT_FILE_NAME,
        file,
        firmware == Firmware::Http || file.len() > FIELD_LEN,
    );
    if firmware == Firmware::Http && is_uri(&answer.file) {
        put(code::VENDOR_CLASS, firmware.class(), true);
    }
    let has = |values: &[OptionValue], code: u8| values.iter().any(|value| value.code == code);
    if !has(values, code::TFTP_SERVER_NAME) && !answer.siaddr.is_unspecified() {
        let data = answer.siaddr.to_string().into_bytes();
        values.push(OptionValue {
            code: code::TFTP_SERVER_NAME,
            data,
            always: false,
        });
    }
    let pxe = values
        .iter()
        .any(|value| value.code == code::VENDOR_CLASS && value.data.starts_with(Firmware::Pxe.class()));
    if firmware == Firmware::Pxe && pxe && !has(values, code::VENDOR_INFORMATION) {
        values.push(OptionValue {
            code: code::VENDOR_INFORMATION,
            data: NO_DISCOVERY.to_vec(),
            always: true,
        });
    }
}
