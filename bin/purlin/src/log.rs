//! Lines on standard error: text for people, JSON for collectors. No queue, no thread, no macro language: a node
//! says little, because what happens to packets is in decisions, metrics and events.

use crate::output::harmless;
use purlin_config::sections::log::{LogLevel, LogSettings};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicU8, Ordering};

/// The settings as they are now; a reload changes them.
static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);
static JSON: AtomicU8 = AtomicU8::new(0);

/// Takes new settings.
pub(crate) fn configure(settings: LogSettings) {
    LEVEL.store(settings.level as u8, Ordering::Relaxed);
    JSON.store(u8::from(settings.json), Ordering::Relaxed);
}

pub(crate) fn error(text: &str) {
    write(LogLevel::Error, text);
}

pub(crate) fn warn(text: &str) {
    write(LogLevel::Warn, text);
}

pub(crate) fn info(text: &str) {
    write(LogLevel::Info, text);
}

fn write(level: LogLevel, text: &str) {
    if level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let line = line(
        level,
        text,
        jiff::Timestamp::now(),
        JSON.load(Ordering::Relaxed) == 1,
    );
    // There is nowhere to complain about a closed standard error.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

fn line(level: LogLevel, text: &str, now: jiff::Timestamp, as_json: bool) -> String {
    let word = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    if as_json {
        let value: Value = json!({"at": now.to_string(), "level": word, "text": text});
        return format!("{value}\n");
    }
    // It may quote a stranger, and somebody may be looking at a terminal.
    format!("{now:.3} {word:<5} {}\n", harmless::lines(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_one_line_in_either_form() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert_eq!(
            line(LogLevel::Warn, "disk full", now, false),
            "1970-01-01T00:00:00.000Z warn  disk full\n"
        );
        let quoted = line(LogLevel::Warn, "no user \u{1b}[2J", now, false);
        assert_eq!(quoted, "1970-01-01T00:00:00.000Z warn  no user \\x1b[2J\n");
        let json = line(LogLevel::Error, "two\nlines", now, true);
        assert_eq!(json.lines().count(), 1);
    }
}
