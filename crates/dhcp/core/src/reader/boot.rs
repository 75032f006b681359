//! Boot answers by architecture, user class and hardware address.

use super::codes;
use super::context::Context;
use super::keys;
use crate::settings::BootEntry;
use purlin_config::{Fault, Node, Reader, Value, nearest};
use purlin_dhcp_proto::Arch;

pub(super) fn read(reader: &Reader<'_>, context: &mut Context<'_>) -> Vec<BootEntry> {
    let mut entries = Vec::new();
    for entry in reader.tables("boot", &[keys::BOOT]) {
        let architectures = match entry.node("arch") {
            None => Vec::new(),
            Some(node) => match node.as_list() {
                Some(items) => items
                    .iter()
                    .filter_map(|item| arch(item, &entry, context))
                    .collect(),
                None => arch(node, &entry, context).into_iter().collect(),
            },
        };
        let Some(file) = entry.opt("file") else { continue };
        entries.push(BootEntry {
            name: entry.opt("name"),
            architectures,
            user_class: entry.opt("user_class"),
            macs: entry.opt("macs").unwrap_or_default(),
            file,
            next_server: entry.opt("next_server"),
        });
    }
    entries
}

fn arch(node: &Node, entry: &Reader<'_>, context: &mut Context<'_>) -> Option<u16> {
    let text = match &node.value {
        Value::Integer(code) => return u16::try_from(*code).ok(),
        Value::String(text) => text,
        _ => return None,
    };
    let found = Arch::parse(text);
    if found.is_none() {
        let message = format!("there is no architecture {text:?}");
        let fault = Fault::error(codes::BAD_OPTION, entry.path_of("arch"), node.span, message);
        let fault = match nearest(text, Arch::all().map(|(_, name)| name)) {
            Some(near) => fault.note(format!("did you mean \"{near}\"?")),
            None => fault.help(
                "write a name such as \"bios\", \"uefi-x64\", \"uefi-arm64\", \"uefi-x64-http\", or the code",
            ),
        };
        context.push_unless_known(node.span, fault);
    }
    found.map(|arch| arch.0)
}
