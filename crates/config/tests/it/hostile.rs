//! No text makes the readers panic, and whatever is reported can be shown.

use crate::{ZOO, zoo};
use proptest::prelude::*;
use purlin_config::{Document, Faults, Format, Input, SourceKind, check_names, check_section, explain};

fn read_everything(text: &str) {
    for format in [Format::Toml, Format::Yaml, Format::Json] {
        let mut faults = Faults::new();
        let input = Input {
            name: "x".into(),
            text: text.to_owned(),
            kind: SourceKind::File,
            format: Some(format),
        };
        let document = Document::parse([input], &mut faults);
        check_names(&document, &zoo(), &mut faults);
        check_section(&document, &ZOO, &mut faults);
        let _ = faults.to_text(&document, true);
        let _ = faults.to_json(&document);
        let _ = document.to_json();
        let _ = explain(&document, &zoo(), text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        read_everything(&text);
    }

    #[test]
    fn no_soup_of_syntax_panics(parts in proptest::collection::vec(
        prop::sample::select(vec![
            "[", "]", "{", "}", ":", ",", "\n", " ", "-", "zoo", "count", "=", "\"", "'", "&a", "*a", "|", ">", "?",
            "!!str", "#", "0x", "1", "e9", ".", "%", "---", "ä", "\t", "\\", "\u{feff}", "items", "name", "<<",
        ]), 0..40)) {
        read_everything(&parts.concat());
    }

    #[test]
    fn no_environment_panics(path in "[A-Z0-9_]{0,20}", value in "\\PC{0,20}") {
        let mut faults = Faults::new();
        let mut document = Document::empty();
        let variables = [(format!("PURLIN__ZOO__{path}"), value)];
        document.overlay_environment(variables, |_| Err("no".into()), &zoo(), &mut faults);
        check_section(&document, &ZOO, &mut faults);
        let _ = faults.to_text(&document, false);
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for text in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "- ".repeat(20_000),
        format!("a = {}", "[".repeat(100_000)),
    ] {
        read_everything(&text);
    }
}
