//! What the configuration crate promises, section by section.

mod environment;
mod faults;
mod formats;
mod hostile;
mod kubernetes;
mod sections;

use purlin_config::{Document, Faults, Input, Key, Kind, Section};

const ITEM: &[Key] = &[
    Key::new("name", Kind::Text { max: 20 }, "Name.")
        .required()
        .example("\"a\""),
    Key::new("network", Kind::Prefix, "Network."),
    Key::new("token", Kind::Secret, "Token."),
];

/// A section with one key of each kind.
static ZOO: Section = Section::new(
    "zoo",
    "For tests.",
    &[&[
        Key::new("flag", Kind::Bool, "A flag.").default("true"),
        Key::new("count", Kind::Int { min: 1, max: 10 }, "A count.").default("3"),
        Key::new("wait", Kind::seconds(1, 3600), "A wait. It takes long.")
            .default("1m")
            .example("90s"),
        Key::new("size", Kind::Size { min: 1, max: 1 << 20 }, "A size.").default("64Ki"),
        Key::new("mode", Kind::Enum(&["durable", "lead"]), "A mode.")
            .default("durable")
            .restart(),
        Key::new("listen", Kind::List(&Kind::Socket), "Sockets.").default("127.0.0.1:67"),
        Key::new("pools", Kind::List(&Kind::Range), "Ranges.").default("[]"),
        Key::new("mac", Kind::Mac, "A hardware address."),
        Key::new("id", Kind::Hex, "Octets."),
        Key::new("password", Kind::Secret, "A secret."),
        Key::new("label", Kind::Text { max: 8 }, "A label."),
        Key::new(
            "arch",
            Kind::OneOf(&[Kind::Enum(&["bios", "uefi"]), Kind::Int { min: 0, max: 65535 }]),
            "Either.",
        ),
        Key::new("items", Kind::List(&Kind::Table(&[ITEM])), "Tables."),
        Key::new("tags", Kind::Map(&Kind::Text { max: 8 }), "Free names."),
    ]],
);

fn zoo() -> Vec<&'static Section> {
    let mut sections = purlin_config::sections::common();
    sections.push(&ZOO);
    sections
}

fn parse(name: &str, text: &str) -> (Document, Faults) {
    let mut faults = Faults::new();
    let document = Document::parse([Input::file(name, text)], &mut faults);
    (document, faults)
}

/// Parses, checks names and the zoo section, and renders what is wrong.
fn zoo_faults(name: &str, text: &str) -> String {
    let (document, mut faults) = parse(name, text);
    purlin_config::check_names(&document, &zoo(), &mut faults);
    purlin_config::check_section(&document, &ZOO, &mut faults);
    faults.to_text(&document, false)
}
