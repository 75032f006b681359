//! `[log]`: how much is written to standard error, and in which form.

use crate::{Document, Faults, Key, Kind, Reader, Section, check_section};

static SECTION: Section = Section::new("log", "What is written to standard error.", &[KEYS]);

const KEYS: &[Key] = &[
    Key::new(
        "level",
        Kind::Enum(&["error", "warn", "info", "debug"]),
        "The least important messages that are still written.",
    )
    .default("info"),
    Key::new(
        "format",
        Kind::Enum(&["text", "json"]),
        "Lines for people, or one JSON object per line for collectors.",
    )
    .default("text")
    .restart(),
];

/// How important a message must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// The checked `[log]` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    pub level: LogLevel,
    /// JSON lines instead of text.
    pub json: bool,
}

/// The schema of `[log]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[log]`; `None` when it has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<LogSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let level = match reader.get::<String>("level").as_str() {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        _ => LogLevel::Info,
    };
    let settings = LogSettings {
        level,
        json: reader.get::<String>("format") == "json",
    };
    (faults.errors() == before).then_some(settings)
}
