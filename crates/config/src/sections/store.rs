//! `[store]` and `[coordination]`: which engines keep the truth and let nodes work together.

use std::fmt;
use std::time::Duration;

pub use super::coordination::CoordinationEngine;
use super::coordination::{self, RedisSettings};
use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, check_section, codes};

static STORE: Section = Section::new("store", "Where durable records are kept.", &[STORE_KEYS]);

const STORE_KEYS: &[Key] = &[
    Key::new(
        "engine",
        Kind::Enum(&["embedded", "postgres"]),
        "The engine that keeps records. The embedded one needs nothing but node.data_dir.",
    )
    .default("embedded")
    .restart(),
    Key::new("url", Kind::Secret, "Where the database is; for postgres only.").restart(),
    Key::new(
        "replica_url",
        Kind::Secret,
        "Replicas from which pages for display are read; the primary when none answers. Nothing is ever written there.",
    )
    .restart(),
    Key::new(
        "max_open",
        Kind::Int { min: 4, max: 1000 },
        "Connections of this node to the database, all its parts together.",
    )
    .default("10")
    .restart(),
    Key::new(
        "max_idle",
        Kind::Int { min: 0, max: 1000 },
        "Connections that are kept while nobody uses them.",
    )
    .default("5")
    .restart(),
    Key::new(
        "max_lifetime",
        Kind::Duration {
            min: Duration::from_secs(10),
            max: Duration::from_secs(7 * 86400),
        },
        "A connection older than this is not used again.",
    )
    .default("1h")
    .restart(),
];

/// Where the truth is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreEngine {
    /// In this node's data directory.
    Embedded,
    /// In a database that several nodes share, at this URL. It may hold a password.
    Postgres(String),
}

/// The checked `[store]` and `[coordination]` sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    pub records: StoreEngine,
    pub pool: PoolSettings,
    pub coordination: CoordinationEngine,
    pub redis: RedisSettings,
}

/// Connections to the database.
#[derive(Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Of this node, all its parts together; 4 to 1000.
    pub max_open: u16,
    pub max_idle: u16,
    pub max_lifetime: Duration,
    /// Where pages for display are read. It may hold a password.
    pub replica: Option<String>,
}

impl fmt::Debug for PoolSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolSettings")
            .field("max_open", &self.max_open)
            .field("max_idle", &self.max_idle)
            .field("max_lifetime", &self.max_lifetime)
            .field("replica", &self.replica.is_some())
            .finish()
    }
}

impl fmt::Debug for StoreEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "Embedded",
            Self::Postgres(_) => "Postgres",
        })
    }
}

/// The schema of `[store]`.
#[must_use]
pub fn section() -> &'static Section {
    &STORE
}

/// Reads both sections; `None` when one has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<StoreSettings> {
    let before = faults.errors();
    check_section(document, &STORE, faults);
    let store = Reader::section(document, &STORE);
    let records = match store.get::<String>("engine").as_str() {
        "postgres" => StoreEngine::Postgres(url(&store, "postgresql://purlin@db.example.com/purlin", faults)),
        _ => {
            no_url(&store, "the embedded engine has no `url`", faults);
            StoreEngine::Embedded
        }
    };
    let (coordination, redis) = coordination::read(document, faults);
    if coordination == CoordinationEngine::Postgres && records == StoreEngine::Embedded {
        let message = "nodes cannot meet in a database that [store] does not name";
        let nodes = Reader::section(document, coordination::section());
        let (path, span) = (nodes.path_of("engine"), nodes.span_of("engine"));
        faults.push(
            Fault::error(codes::CONTRADICTION, path, span, message)
                .help("set store.engine = \"postgres\" and store.url"),
        );
    }
    let pool = PoolSettings {
        max_open: store.get("max_open"),
        max_idle: store.get("max_idle"),
        max_lifetime: store.get("max_lifetime"),
        replica: store.opt("replica_url"),
    };
    (faults.errors() == before).then_some(StoreSettings {
        records,
        pool,
        coordination,
        redis,
    })
}

pub(super) fn url(reader: &Reader<'_>, example: &str, faults: &mut Faults) -> String {
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

pub(super) fn no_url(reader: &Reader<'_>, message: &str, faults: &mut Faults) {
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
