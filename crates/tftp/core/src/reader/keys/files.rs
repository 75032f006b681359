//! Keys of rules, templates and uploads.

use super::forms::{ANY_TEXT, MACS, NETWORKS};
use purlin_config::{Key, Kind};

pub(in crate::reader) const RULE: &[Key] = &[
    Key::new("pattern", Kind::Text { max: 1024 }, "Regular expression over the name as it stands after the rules before; every name when not set.")
        .example("^boot/"),
    Key::new("replace", ANY_TEXT, "Replaces what fits. \\0 to \\9 are the match and its groups, \\i the client's address, \\x the same in hexadecimal, \\m its hardware address, \\U \\L \\E change case.")
        .example("images/\\0"),
    Key::new("root", Kind::Path, "Looks the name up in this tree; an absolute path in which the same marks stand for single directories.")
        .example("/srv/hosts/\\m"),
    Key::new("refuse", Kind::Bool, "Refuses the name (ERROR 2).").default("false"),
    Key::new("all", Kind::Bool, "Replaces every match, again and again until none is left.").default("false"),
    Key::new("on", Kind::Enum(&["all", "read", "write"]), "The requests it is for.").default("all"),
    Key::new("family", Kind::Enum(&["any", "ipv4", "ipv6"]), "The version of IP it is for.").default("any"),
    Key::new("ignore_case", Kind::Bool, "Whether case does not matter in the pattern.").default("false"),
    Key::new("inverse", Kind::Bool, "Works when the pattern does not fit.").default("false"),
    Key::new("restart", Kind::Bool, "Starts again with the first rule when it fitted.").default("false"),
    Key::new("last", Kind::Bool, "No further rule when it fitted.").default("false"),
    Key::new("networks", NETWORKS, "Only for clients in these networks.").example("[\"10.9.0.0/16\"]"),
    Key::new("macs", MACS, "Only for these hardware addresses or makers; needs the client's lease on this node.").example("[\"52:54:00\"]"),
];

pub(in crate::reader) const TEMPLATE: &[Key] = &[
    Key::new("name", Kind::Text { max: 512 }, "The name it answers to. * stands for any run without /, ** for any run, {mac}, {ip_hex} and {uuid} for what they say.")
        .required().example("\"pxelinux.cfg/01-{mac}\""),
    Key::new("text", Kind::Text { max: 1 << 18 }, "The text, with marks such as {{hostname|unnamed}}.").example("#!ipxe\\nchain {{file_url}}"),
    Key::new("file", Kind::Text { max: 512 }, "A file below the root that has the text.").example("templates/menu.ipxe"),
    Key::new("networks", NETWORKS, "Only for clients in these networks."),
    Key::new("macs", MACS, "Only for these hardware addresses or makers: of the name where it has {mac}, else of the lease."),
];

pub(in crate::reader) const UPLOADS: &[Key] = &[
    Key::new("allow", Kind::List(&Kind::Text { max: 512 }), "Names that may be written, with * and **; none is read-only.").default("[]")
        .example("[\"configs/*\"]"),
    Key::new("create", Kind::Bool, "Whether new files may be made.").default("true"),
    Key::new("overwrite", Kind::Bool, "Whether files that are there may be replaced, as a whole and at once.").default("false"),
    Key::new("size_max", Kind::Size { min: 1, max: 1 << 50 }, "Largest file that may be written.").default("1Gi"),
    Key::new("networks", NETWORKS, "Only clients in these networks may write; all when not set."),
    Key::new("write_behind", Kind::Bool, "Whether blocks are buffered and synced once at the end. Off writes each when it arrives. The last ACK waits for the sync either way.")
        .default("true"),
];
