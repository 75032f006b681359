//! Faults for people and for programs.

use crate::document::Document;
use crate::fault::{Fault, Faults, Severity};
use crate::source::{Source, SourceKind, Span};
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// Lines longer than this are shown in part, around the caret.
const LINE_WIDTH: usize = 100;

/// ANSI sequences, or nothing.
#[derive(Debug, Clone, Copy)]
struct Paint {
    error: &'static str,
    warning: &'static str,
    frame: &'static str,
    strong: &'static str,
    end: &'static str,
}

const PLAIN: Paint = Paint {
    error: "",
    warning: "",
    frame: "",
    strong: "",
    end: "",
};
const COLOUR: Paint = Paint {
    error: "\x1b[1;31m",
    warning: "\x1b[1;33m",
    frame: "\x1b[34m",
    strong: "\x1b[1m",
    end: "\x1b[0m",
};

impl Faults {
    /// All faults in the order of the text, each with its line and a caret, and a closing count.
    #[must_use]
    pub fn to_text(&self, document: &Document, colour: bool) -> String {
        let paint = if colour { COLOUR } else { PLAIN };
        let mut out = String::new();
        for fault in self.in_text_order() {
            one(&mut out, fault, document, paint);
            out.push('\n');
        }
        if self.dropped() > 0 {
            let _ = writeln!(out, "... and {} more", self.dropped());
        }
        out.push_str(&self.summary());
        out
    }

    /// `3 errors, 1 warning`, or nothing when there are none.
    #[must_use]
    pub fn summary(&self) -> String {
        let warnings = self
            .iter()
            .filter(|fault| fault.severity == Severity::Warning)
            .count();
        let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        match (self.errors(), warnings) {
            (0, 0) => String::new(),
            (0, w) => count(w, "warning") + "\n",
            (e, 0) => count(e, "error") + "\n",
            (e, w) => format!("{}, {}\n", count(e, "error"), count(w, "warning")),
        }
    }

    /// All faults as a JSON list, for programs: `code`, `severity`, `path`, `message`, `help`, `note`, `at`
    /// (`source`, `line`, `column`, `end_line`, `end_column`) and `related`.
    #[must_use]
    pub fn to_json(&self, document: &Document) -> Json {
        Json::Array(
            self.in_text_order()
                .into_iter()
                .map(|fault| fault.to_json(document))
                .collect(),
        )
    }
}

impl Fault {
    /// One fault as JSON; see [`Faults::to_json`].
    #[must_use]
    pub fn to_json(&self, document: &Document) -> Json {
        let place = |span: Span| place_json(document, span);
        let related: Vec<Json> = self
            .related
            .iter()
            .map(|(span, words)| json!({ "message": words, "at": place(*span) }))
            .collect();
        json!({
            "code": self.code.to_string(),
            "severity": if self.severity == Severity::Error { "error" } else { "warning" },
            "path": self.path, "message": self.message, "note": self.note, "help": self.help,
            "at": self.span.map(place), "related": related,
        })
    }

    /// One fault as text.
    #[must_use]
    pub fn to_text(&self, document: &Document, colour: bool) -> String {
        let mut out = String::new();
        one(&mut out, self, document, if colour { COLOUR } else { PLAIN });
        out
    }
}

fn place_json(document: &Document, span: Span) -> Json {
    let Some(source) = document.sources().get(span.source.0 as usize) else {
        return Json::Null;
    };
    let (start, end) = (source.place(span.start), source.place(span.end));
    json!({
        "source": source.name, "line": start.line, "column": start.column,
        "end_line": end.line, "end_column": end.column,
    })
}

fn one(out: &mut String, fault: &Fault, document: &Document, paint: Paint) {
    let (word, tint) = match fault.severity {
        Severity::Error => ("error", paint.error),
        Severity::Warning => ("warning", paint.warning),
    };
    let path = if fault.path.is_empty() {
        String::new()
    } else {
        format!("{}: ", fault.path)
    };
    let (end, strong) = (paint.end, paint.strong);
    let _ = writeln!(
        out,
        "{tint}{word}[{}]{end}: {strong}{path}{}{end}",
        fault.code, fault.message
    );
    let mut shown: Vec<(Span, &str, char)> = Vec::new();
    shown.extend(fault.span.map(|span| (span, fault.note.as_str(), '^')));
    shown.extend(
        fault
            .related
            .iter()
            .map(|(span, words)| (*span, words.as_str(), '-')),
    );
    let known = |span: &Span| document.sources().get(span.source.0 as usize);
    let numbers = shown
        .iter()
        .filter_map(|(span, _, _)| known(span).map(|s| s.place(span.start).line));
    let gutter = numbers.max().unwrap_or(1).to_string().len();
    for (i, (span, words, mark)) in shown.into_iter().enumerate() {
        if let Some(source) = known(&span) {
            let arrow = if i == 0 { "-->" } else { ":::" };
            snippet(out, (document, source), span, words, (mark, arrow, gutter), paint);
        }
    }
    if !fault.help.is_empty() {
        let (frame, end) = (paint.frame, paint.end);
        let _ = writeln!(out, "{:gutter$} {frame}={end} help: {}", "", fault.help);
    }
}

fn snippet(
    out: &mut String,
    (document, source): (&Document, &Source),
    span: Span,
    words: &str,
    how: (char, &str, usize),
    paint: Paint,
) {
    let (mark, arrow, gutter) = how;
    let (frame, end) = (paint.frame, paint.end);
    let _ = writeln!(
        out,
        "{:gutter$}{frame}{arrow}{end} {}",
        "",
        source.describe(span.start)
    );
    let place = source.place(span.start);
    let (line, start) = source.line_at(span.start);
    let (from, to) = (start, start + line.len());
    let veiled = |from, to| document.veiled(span.source, from, to);
    let at = document
        .outside_secrets(span.source, span.start as usize)
        .clamp(from, to);
    let (line, before) = (veiled(from, to), veiled(from, at));
    let marked = veiled(at, to.min(span.end as usize).max(at));
    let width = marked.trim_end().chars().count().max(1);
    let (shown, column) = window(&line, before.chars().count());
    let width = width.min(shown.chars().count().saturating_sub(column).max(1));
    let number = if source.kind == SourceKind::Environment {
        String::new()
    } else {
        place.line.to_string()
    };
    let bar = format!("{frame}|{end}");
    let tint = if mark == '^' { paint.error } else { paint.frame };
    let marks: String = std::iter::repeat_n(mark, width).collect();
    let words = if words.is_empty() {
        String::new()
    } else {
        format!(" {words}")
    };
    let _ = writeln!(out, "{:gutter$} {bar}", "");
    let _ = writeln!(out, "{frame}{number:>gutter$}{end} {bar} {shown}");
    let _ = writeln!(
        out,
        "{:gutter$} {bar} {:column$}{tint}{marks}{words}{end}",
        "", ""
    );
}

/// The part of a long line around a column, tabs as spaces so that the caret stands right, and the column in it.
fn window(line: &str, column: usize) -> (String, usize) {
    let clean: Vec<char> = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if clean.len() <= LINE_WIDTH {
        return (clean.into_iter().collect(), column);
    }
    let from = column
        .saturating_sub(LINE_WIDTH / 3)
        .min(clean.len() - LINE_WIDTH);
    let mut part: String = clean[from..from + LINE_WIDTH].iter().collect();
    let mut column = column - from;
    if from > 0 {
        part.insert_str(0, "...");
        column += 3;
    }
    if from + LINE_WIDTH < clean.len() {
        part.push_str("...");
    }
    (part, column)
}
