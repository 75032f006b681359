//! The keys of `[boot]`.

use super::forms::{ANY_TEXT, NAME};
use purlin_config::{Key, Kind, Section};

pub(in crate::reader) static SECTION: Section = Section::new(
    "boot",
    "What machines boot: profiles that DHCP answers with and templates are filled from.",
    &[BOOT],
);

const BOOT: &[Key] = &[Key::new(
    "profiles",
    Kind::List(&Kind::Table(&[PROFILE])),
    "Boot profiles; of those that fit a client the first counts that names its user class, else the first.",
)];

const WORD: Kind = Kind::Text { max: 64 };

pub(in crate::reader) const PROFILE: &[Key] = &[
    Key::new("name", NAME, "Name of the profile.")
        .required()
        .example("\"racks\""),
    Key::new(
        "arch",
        Kind::OneOf(&[WORD, Kind::List(&WORD)]),
        "Architectures (option 93) by name; all when not set.",
    )
    .example("uefi-x64"),
    Key::new(
        "user_class",
        Kind::Text { max: 255 },
        "User class (option 77) that must be there.",
    )
    .example("iPXE"),
    Key::new(
        "macs",
        Kind::List(&Kind::Mac),
        "These machines only, by hardware address.",
    )
    .example("[\"02:00:00:00:00:01\"]"),
    Key::new(
        "subnets",
        Kind::List(&NAME),
        "Machines in these subnets, by name.",
    )
    .example("[\"racks\"]"),
    Key::new(
        "file",
        Kind::Text { max: 255 },
        "The boot file: a name in the boot tree, or a whole URL for firmware that boots over HTTP.",
    )
    .required()
    .example("\"snponly.efi\""),
    Key::new(
        "server",
        Kind::Ip,
        "The server to fetch it from; this one when not set.",
    ),
    Key::new(
        "values",
        Kind::Map(&ANY_TEXT),
        "Values for the marks of templates.",
    )
    .example("{ console = \"ttyS0\" }"),
];
