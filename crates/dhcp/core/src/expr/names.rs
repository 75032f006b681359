//! Options by name: those of the configuration first, then the standard ones.

use crate::settings::OptionDef;
use purlin_dhcp_proto::catalog;

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
        own.or_else(|| catalog::lookup(name).map(|option| option.code))
    }

    /// The name that was probably meant.
    pub(crate) fn nearest(&self, name: &str) -> Option<&str> {
        let own = self.defs.iter().map(|def| def.name.as_str());
        purlin_config::nearest(name, own.chain(catalog::all().map(|option| option.name)))
    }
}

fn same(a: &str, b: &str) -> bool {
    let plain = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    a.bytes().map(plain).eq(b.bytes().map(plain))
}
