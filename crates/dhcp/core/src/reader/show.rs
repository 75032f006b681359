//! Options back in the words in which they are written.

use crate::settings::{OptionDef, OptionValue};
use purlin_dhcp_proto::catalog::{self, OptionKind};

/// Name (or number) and value of an option, as a configuration would write them.
#[must_use]
pub fn option_text(option: &OptionValue, defs: &[OptionDef]) -> (String, String) {
    let own = defs.iter().find(|def| def.code == option.code);
    if let Some(def) = own {
        let kind = OptionKind::parse(&def.kind).unwrap_or(OptionKind::Bytes);
        return (def.name.clone(), catalog::render(kind, &option.data));
    }
    match catalog::by_code(option.code) {
        Some(info) => (info.name.to_owned(), catalog::render(info.kind, &option.data)),
        None => (
            option.code.to_string(),
            catalog::render(OptionKind::Bytes, &option.data),
        ),
    }
}

/// All options of a scope; see [`option_text`].
#[must_use]
pub fn options_text(options: &[OptionValue], defs: &[OptionDef]) -> Vec<(String, String)> {
    options.iter().map(|option| option_text(option, defs)).collect()
}
