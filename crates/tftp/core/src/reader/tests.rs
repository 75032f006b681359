//! What the reader promises: values, the guide's keys, and each fault as a person sees it.

mod faults;
mod formats;
mod guide;
mod hostile;
mod values;

use super::{read, sections};
use crate::settings::Settings;
use purlin_config::{Document, Faults, Input, check_names};

fn checked(name: &str, text: &str) -> (Option<Settings>, String) {
    let mut faults = Faults::new();
    let document = Document::parse([Input::file(name, text)], &mut faults);
    check_names(&document, &sections(), &mut faults);
    let settings = read(&document, &mut faults).filter(|_| !faults.has_errors());
    (settings, faults.to_text(&document, false))
}

/// Settings of a text that has no faults.
fn good(text: &str) -> Settings {
    let (settings, report) = checked("a.toml", text);
    assert_eq!(report, "");
    settings.expect("a text without faults gives settings")
}

/// The report about a text that must be refused.
fn refused(text: &str) -> String {
    let (settings, report) = checked("a.toml", text);
    assert!(settings.is_none(), "must be refused:\n{text}");
    report
}

/// A good `[tftp]` with more keys and tables.
fn tftp(keys: &str) -> String {
    format!("[tftp]\nlisten = [\"127.0.0.1:0\"]\nroot = \"/srv/tftp\"\n{keys}\n")
}
