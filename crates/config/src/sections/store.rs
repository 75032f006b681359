//! `[store]` and `[coordination]`: which engines keep the truth and let nodes work together.

use std::fmt;

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

/// Where the truth is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreEngine {
    /// In this node's data directory.
    Embedded,
    /// In a database that several nodes share, at this URL. It may hold a password.
    Postgres(String),
}

/// What nodes hint each other through.
#[derive(Clone, PartialEq, Eq)]
pub enum CoordinationEngine {
    /// This process.
    Embedded,
    /// The database of `[store]`.
    Postgres,
    /// Redis at this URL. It may hold a password.
    Redis(String),
}

/// The checked `[store]` and `[coordination]` sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    pub records: StoreEngine,
    pub coordination: CoordinationEngine,
}

impl fmt::Debug for StoreEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Postgres(_) => "Postgres",
        })
    }
}

impl fmt::Debug for CoordinationEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Postgres => "Postgres",
            Self::Redis(_) => "Redis",
        })
    }
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
    }
    let store = Reader::section(document, &STORE);
    let records = match store.get::<String>("engine").as_str() {
        "postgres" => StoreEngine::Postgres(url(&store, "postgresql://purlin@db.example.com/purlin", faults)),
        _ => {
            no_url(&store, "the embedded engine has no `url`", faults);
            StoreEngine::Embedded
        }
    };
    let nodes = Reader::section(document, &COORDINATION);
    let coordination = match nodes.get::<String>("engine").as_str() {
        "redis" => CoordinationEngine::Redis(url(&nodes, "redis://redis.example.com:6379", faults)),
        "postgres" => {
            no_url(
                &nodes,
                "coordination through the database uses the `url` of [store]",
                faults,
            );
            CoordinationEngine::Postgres
        }
        _ => {
            no_url(&nodes, "the embedded engine has no `url`", faults);
            CoordinationEngine::Embedded
        }
    };
    if coordination == CoordinationEngine::Postgres && records == StoreEngine::Embedded {
        let message = "nodes cannot meet in a database that [store] does not name";
        let (path, span) = (nodes.path_of("engine"), nodes.span_of("engine"));
        faults.push(
            Fault::error(codes::CONTRADICTION, path, span, message)
                .help("set store.engine = \"postgres\" and store.url"),
        );
    }
    (faults.errors() == before).then_some(StoreSettings {
        records,
        coordination,
    })
}

fn url(reader: &Reader<'_>, example: &str, faults: &mut Faults) -> String {
    let url: Option<String> = reader.opt("url");
    if url.is_none() {
        let engine: String = reader.get("engine");
        let message = format!("the engine \"{engine}\" needs a `url`");
        let (path, span) = (reader.path_of("url"), reader.span_of("engine"));
        faults.push(
            Fault::error(codes::MISSING_KEY, path, span, message).help(format!("for example {example}")),
        );
    }
    url.unwrap_or_default()
}

fn no_url(reader: &Reader<'_>, message: &str, faults: &mut Faults) {
    if reader.node("url").is_some() {
        let (path, span) = (reader.path_of("url"), reader.span_of("url"));
        faults.push(Fault::error(codes::CONTRADICTION, path, span, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    fn parsed(text: &str) -> (Option<StoreSettings>, usize) {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("s.toml", text)], &mut faults);
        let settings = read(&document, &mut faults);
        (settings, faults.errors())
    }

    #[test]
    fn an_engine_elsewhere_needs_to_be_told_where() {
        assert_eq!(parsed("[store]\nengine = \"postgres\""), (None, 1));
        assert_eq!(parsed("[coordination]\nengine = \"redis\""), (None, 1));
        assert_eq!(parsed("[store]\nurl = \"postgresql://db/x\""), (None, 1));
        assert_eq!(parsed("[coordination]\nengine = \"postgres\""), (None, 1));
    }

    #[test]
    fn passwords_are_not_shown() {
        let text = "[store]\nengine = \"postgres\"\nurl = \"postgresql://u:secret@db/x\"\n[coordination]\nengine = \"redis\"\nurl = \"redis://:secret@r\"";
        let (settings, errors) = parsed(text);
        assert_eq!(errors, 0);
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
