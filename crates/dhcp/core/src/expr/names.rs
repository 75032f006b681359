//! Options by name: those of the configuration first, then the standard ones.

use super::suggest;
use crate::settings::OptionDef;

/// Where an expression's option names come from.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    defs: &'a [OptionDef],
}

impl<'a> Names<'a> {
    pub(crate) fn new(defs: &'a [OptionDef]) -> Self {
        Self { defs }
    }

    /// The code of an option; `host-name` and `host_name` are one name.
    pub(crate) fn code(&self, name: &str) -> Option<u8> {
        let own = self
            .defs
            .iter()
            .find(|def| same(&def.name, name))
            .map(|def| def.code);
        own.or_else(|| {
            STANDARD
                .iter()
                .find(|(standard, _)| same(standard, name))
                .map(|(_, code)| *code)
        })
    }

    /// The name that was probably meant.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        let own = self.defs.iter().map(|def| def.name.as_str());
        suggest::nearest(name, own.chain(STANDARD.iter().map(|(standard, _)| *standard)))
    }
}

fn same(a: &str, b: &str) -> bool {
    let plain = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// Options that tests ask for.
const STANDARD: [(&str, u8); 24] = [
    ("host-name", 12),
    ("domain-name", 15),
    ("vendor-encapsulated-options", 43),
    ("dhcp-requested-address", 50),
    ("dhcp-lease-time", 51),
    ("dhcp-message-type", 53),
    ("dhcp-server-identifier", 54),
    ("dhcp-parameter-request-list", 55),
    ("dhcp-max-message-size", 57),
    ("vendor-class-identifier", 60),
    ("dhcp-client-identifier", 61),
    ("user-class", 77),
    ("fqdn", 81),
    ("dhcp-agent-options", 82),
    ("subnet-mask", 1),
    ("routers", 3),
    ("domain-name-servers", 6),
    ("client-system", 93),
    ("client-ndi", 94),
    ("uuid-guid", 97),
    ("v6-only-preferred", 108),
    ("subnet-selection", 118),
    ("vivco-suboptions", 124),
    ("vivso-suboptions", 125),
];
