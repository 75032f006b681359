//! `[store]` and `[coordination]`: which engines keep the truth and let nodes work together.

use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, check_section, codes};

static STORE: Section = Section::new("store", "Where durable records are kept.", &[STORE_KEYS]);
static COORDINATION: Section = Section::new(
    "coordination",
    "How nodes find and lock each other.",
    &[COORDINATION_KEYS],
);

const STORE_KEYS: &[Key] = &[
    Key::new(
        "engine",
        Kind::Enum(&["embedded", "postgres"]),
        "The engine that keeps records. The embedded one needs nothing but node.data_dir.",
    )
    .default("embedded")
    .restart(),
    Key::new("url", Kind::Secret, "Where the database is; for postgres only.").restart(),
];

const COORDINATION_KEYS: &[Key] = &[
    Key::new(
        "engine",
        Kind::Enum(&["embedded", "postgres", "redis"]),
        "What nodes coordinate through. One node needs nothing.",
    )
    .default("embedded")
    .restart(),
    Key::new("url", Kind::Secret, "Where that service is; not for embedded.").restart(),
];

/// The engines of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Embedded,
}

/// The checked `[store]` and `[coordination]` sections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    pub records: Engine,
    pub coordination: Engine,
}

/// The schema of `[store]`.
#[must_use]
pub fn section() -> &'static Section {
    &STORE
}

/// The schema of `[coordination]`.
#[must_use]
pub fn coordination_section() -> &'static Section {
    &COORDINATION
}

/// Reads both sections; `None` when one has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<StoreSettings> {
    let before = faults.errors();
    for section in [&STORE, &COORDINATION] {
        check_section(document, section, faults);
        let reader = Reader::section(document, section);
        let engine: String = reader.get("engine");
        if matches!(engine.as_str(), "postgres" | "redis") {
            let message =
                format!("the engine \"{engine}\" comes with the cluster, which is not in this version yet");
            let fault = Fault::error(
                codes::NOT_YET,
                reader.path_of("engine"),
                reader.span_of("engine"),
                message,
            );
            faults.push(fault.help("use engine = \"embedded\", or leave the section out"));
        } else if reader.node("url").is_some() {
            let message = "the embedded engine has no `url`";
            faults.push(Fault::error(
                codes::CONTRADICTION,
                reader.path_of("url"),
                reader.span_of("url"),
                message,
            ));
        }
    }
    let settings = StoreSettings {
        records: Engine::Embedded,
        coordination: Engine::Embedded,
    };
    (faults.errors() == before).then_some(settings)
}
