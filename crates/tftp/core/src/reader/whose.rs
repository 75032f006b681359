//! Two guides have a table `cache` at the top of a file: the TFTP performance guide, and that of the control platform for
//! OVN. They are told apart by their keys.

use super::{codes, keys};
use purlin_config::{Document, Fault, Faults, Node, Value, codes as general};

/// Keys of OVN's table that the TFTP guide has not.
const OVN: &[&str] = &["key_prefix"];
const OVN_REDIS: &[&str] = &[
    "pool_size",
    "max_retries",
    "dial_timeout",
    "read_timeout",
    "write_timeout",
];
/// What OVN's guide calls the kind of cache that the TFTP guide calls distributed, with this backend.
const OVN_TYPE: &str = "redis";

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Tftp,
    Ovn,
    /// It has keys of both, or nothing but a value that both could mean.
    Nobody,
}

/// Whether `cache` at the top is to be read as the TFTP guide's. Says so when it is not, or cannot be known.
pub(super) fn cache_is_tftps(document: &Document, faults: &mut Faults) -> bool {
    let Some(cache) = document.get("cache") else {
        return true;
    };
    match whose(cache) {
        Whose::Tftp => return true,
        Whose::Ovn => {
            let message =
                "this is the cache of the control platform for OVN, which comes with a later version";
            let fault = Fault::error(codes::OTHER_CACHE, "cache", cache.span, message);
            faults.push(
                fault
                    .as_warning()
                    .help("the cache of boot files is set in tftp.cache"),
            );
        }
        Whose::Nobody => {
            let message = "it cannot be known whose cache this is: boot files', or that of the control platform for OVN";
            let fault = Fault::error(general::CONTRADICTION, "cache", cache.span, message);
            faults.push(fault.help(
                "write the keys for boot files in tftp.cache (shared = \"redis\"), or as the TFTP guide does: type = \
                 \"distributed\", backend = \"redis\"",
            ));
        }
    }
    false
}

fn whose(cache: &Node) -> Whose {
    let keys = |node: &Node| -> Vec<String> {
        let entries = node.as_table().map_or(&[][..], |table| &table.entries);
        entries.iter().map(|entry| entry.key.clone()).collect()
    };
    let redis = get(cache, "redis").map(keys).unwrap_or_default();
    let top = keys(cache);
    let named = |names: &[&str], key: &String| names.contains(&key.as_str());
    let says_redis = get(cache, "type").and_then(Node::as_str) == Some(OVN_TYPE);
    let ovn = top.iter().any(|key| named(OVN, key)) || redis.iter().any(|key| named(OVN_REDIS, key));
    let own_top = top.iter().any(|key| match key.as_str() {
        "redis" => false,
        "type" => !says_redis,
        key => keys::SEED_CACHE.iter().any(|own| own.name == key),
    });
    let own_redis = redis
        .iter()
        .any(|key| keys::SEED_REDIS.iter().any(|own| own.name == *key));
    match (ovn, own_top || own_redis) {
        (true, true) => Whose::Nobody,
        (true, false) => Whose::Ovn,
        (false, false) if says_redis => Whose::Nobody,
        // Also with nothing in it, or with keys that neither knows: those are told as faults.
        (false, _) => Whose::Tftp,
    }
}

fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Table(table) => table.get(key),
        _ => None,
    }
}
