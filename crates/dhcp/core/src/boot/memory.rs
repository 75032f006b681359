//! What booting clients said of themselves last, by address: for those who make files for them.
//!
//! Leases keep none of this: it would be journalled for every client and is of use for minutes. Two generations are
//! kept; when the younger is full, the older is forgotten.

use hashbrown::HashMap;
use purlin_dhcp_proto::{Message, code};
use purlin_types::Mac;

/// Clients per generation and packet thread; with a UUID and a user class each costs about 100 octets.
const GENERATION_MAX: usize = 32_768;
/// Octets of a user class that are kept.
const CLASS_MAX: usize = 64;

/// One client's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) mac: Mac,
    /// The first of option 93.
    pub(crate) architecture: Option<u16>,
    /// The first of option 77.
    pub(crate) user_class: Option<Box<str>>,
    /// Option 97.
    pub(crate) uuid: Option<[u8; 16]>,
}

type Generation = HashMap<u32, Noted, foldhash::fast::FixedState>;

/// Bounded memory of booting clients.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    young: Generation,
    old: Generation,
}

impl Memory {
    /// Notes what the message says of its sender, who has or gets `address`. A message that says nothing about booting
    /// (an operating system's) leaves what the firmware said.
    pub(crate) fn note(&mut self, address: u32, message: &Message<'_>) {
        let codes = [code::CLIENT_ARCH, code::CLIENT_UUID, code::USER_CLASS];
        let Some(mac) = message.mac() else { return };
        if address == 0 || !codes.into_iter().any(|code| message.has(code)) {
            return;
        }
        let class = message.user_classes().next().map(|class| {
            let kept = &class[..class.len().min(CLASS_MAX)];
            String::from_utf8_lossy(kept).into_owned().into_boxed_str()
        });
        let noted = Noted {
            mac,
            architecture: message.architectures().next().map(|arch| arch.0),
            user_class: class,
            uuid: message.uuid(),
        };
        if self.young.len() >= GENERATION_MAX && !self.young.contains_key(&address) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(address, noted);
    }

    pub(crate) fn at(&self, address: u32) -> Option<&Noted> {
        self.young.get(&address).or_else(|| self.old.get(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_dhcp_proto::Composer;

    fn note(memory: &mut Memory, address: u32, options: &[(u8, &[u8])]) {
        let mut buffer = [0; 600];
        let mut out = Composer::new(&mut buffer, 600);
        out.op(1).hardware(1, &[2, 0, 0, 0, 0, 1]);
        for (code, value) in options {
            assert!(out.option(*code, value));
        }
        let len = out.finish().len;
        memory.note(address, &Message::parse(&buffer[..len]).unwrap());
    }

    #[test]
    fn an_operating_system_leaves_what_its_firmware_said() {
        let mut memory = Memory::default();
        note(
            &mut memory,
            7,
            &[(code::CLIENT_ARCH, &[0, 7]), (code::USER_CLASS, b"iPXE")],
        );
        note(&mut memory, 7, &[(code::HOST_NAME, b"node")]);
        let noted = memory.at(7).unwrap();
        assert_eq!(
            (noted.architecture, noted.user_class.as_deref()),
            (Some(7), Some("iPXE"))
        );
        assert_eq!(memory.at(8), None);
    }

    #[test]
    fn more_clients_than_it_holds_cost_no_more_memory() {
        let mut memory = Memory::default();
        for address in 1..=3 * GENERATION_MAX as u32 {
            note(&mut memory, address, &[(code::CLIENT_ARCH, &[0, 0])]);
        }
        assert!(memory.young.len() + memory.old.len() <= 2 * GENERATION_MAX);
        assert!(memory.at(3 * GENERATION_MAX as u32).is_some() && memory.at(1).is_none());
    }
}
