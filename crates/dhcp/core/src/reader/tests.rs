//! What the reader promises: values, and each fault as a person sees it.

mod faults;
mod formats;
mod hostile;
mod options;
mod seed;
mod values;

use super::read;
use crate::settings::Settings;
use purlin_config::{Document, Faults, Input};

/// A section that is good, to which a test adds its own.
const BASE: &str = "[dhcp]\nlisten = [\"10.0.0.1:0\"]\n";

fn checked(name: &str, text: &str) -> (Option<Settings>, String) {
    let mut faults = Faults::new();
    let document = Document::parse([Input::file(name, text)], &mut faults);
    let settings = read(&document, &mut faults);
    (settings, faults.to_text(&document, false))
}

/// Settings of a text that has no faults.
fn good(text: &str) -> Settings {
    let (settings, report) = checked("a.toml", text);
    assert_eq!(report, "");
    settings.expect("a section without faults gives settings")
}

/// The report about a text that must be refused.
fn refused(text: &str) -> String {
    let (settings, report) = checked("a.toml", text);
    assert!(settings.is_none(), "must be refused:\n{text}");
    report
}

/// A subnet 10.0.0.0/24 with more keys.
fn subnet(keys: &str) -> String {
    format!("{BASE}[[dhcp.subnets]]\nname = \"main\"\nnetwork = \"10.0.0.0/24\"\n{keys}\n")
}
