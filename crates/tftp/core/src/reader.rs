//! `[tftp]` and `[boot]` of a configuration document, checked into [`Settings`].
//!
//! The tables of the datacenter performance guide (`performance`, `cache`, `limits`, ...) are read at the top of the
//! file, as the guide writes them, or in `tftp.datacenter`; each of their keys stands for one of Purlin's own.
//! Every fault is reported in one pass. A value that the schema check has refused counts as not set for what follows.

mod boot;
pub mod codes;
mod context;
mod files;
mod keys;
mod rules;
mod seed;
mod service;
mod show;
mod templates;
mod whose;

pub use codes::REASONS;
pub use show::rule_text;

use crate::settings::{Action, Settings};
use context::Context;
use purlin_config::{Document, Faults, Reader, Section, check_section};
use seed::Seed;

/// The schema of `[tftp]`.
#[must_use]
pub fn section() -> &'static Section {
    &keys::SECTION
}

/// The schema of `[boot]`.
#[must_use]
pub fn boot_section() -> &'static Section {
    &keys::BOOT
}

/// The tables of the performance guide at the top of the file.
#[must_use]
pub fn compat_sections() -> &'static [&'static Section] {
    keys::SECTIONS
}

/// All sections that [`read`] checks.
#[must_use]
pub fn sections() -> Vec<&'static Section> {
    let own = [section(), boot_section()];
    own.into_iter().chain(compat_sections().iter().copied()).collect()
}

/// What `purlin up` serves without a file: on loopback only, from this tree, which is an absolute path, and a file that is
/// made for whoever asks.
#[must_use]
pub fn demo(root: &str) -> String {
    let quoted: String = root.chars().flat_map(escaped).collect();
    include_str!("reader/demo.toml").replace("/srv/tftp", &quoted)
}

/// A character inside a TOML string.
fn escaped(c: char) -> Vec<char> {
    match c {
        '"' | '\\' => vec!['\\', c],
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)).chars().collect(),
        c => vec![c],
    }
}

/// Reads `[tftp]`, `[boot]` and the tables of the guide; `None` when they have errors, which are then in `faults`. A
/// document without them gives settings that are not enabled.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<Settings> {
    let before = faults.errors();
    let with_cache = whose::cache_is_tftps(document, faults);
    let ours = |section: &&Section| with_cache || section.name != "cache";
    for section in sections().into_iter().filter(ours) {
        check_section(document, section, faults);
    }
    let top = Reader::section(document, section());
    let seed = Seed::of(document, &top, with_cache);
    let mut context = Context { document, faults };
    let settings = settings(&top, &seed, &mut context);
    seed::check(&seed, &mut context);
    (faults.errors() == before).then_some(settings)
}

fn settings(top: &Reader<'_>, seed: &Seed<'_>, context: &mut Context<'_>) -> Settings {
    let profiles = boot::profiles(context);
    let mut settings = Settings {
        listen: service::sockets(top, "listen", context),
        profiles,
        ..Settings::default()
    };
    service::read(top, seed, &mut settings, context);
    service::read_stores(top, seed, &mut settings, context);
    settings.files = files::read(top, seed, &settings.profiles, context);
    settings.enabled = enabled(top, &settings, context);
    settings
}

/// Whether boot files are served: said outright, or when there is somewhere to listen.
fn enabled(top: &Reader<'_>, settings: &Settings, context: &mut Context<'_>) -> bool {
    let said: Option<bool> = top.opt("enabled");
    let listening = ["listen", "https"].map(|key| (top.below("http", &[keys::HTTP]), key));
    let somewhere =
        !top.items("listen").is_empty() || listening.iter().any(|(http, key)| !http.items(key).is_empty());
    let content = ["root", "rules", "remap", "templates"]
        .into_iter()
        .find(|key| top.node(key).is_some());
    let wanted = said.unwrap_or(somewhere || content.is_some());
    let at = if said.is_some() {
        "enabled"
    } else {
        content.unwrap_or("listen")
    };
    if wanted && !somewhere {
        let message = "boot files would be served nowhere: neither `listen` nor `http.listen` is set";
        let help = "set listen = [\"10.0.0.1:69\"], or enabled = false";
        context.refuse(codes::NOWHERE, (top, at), message, help);
    }
    let trees = |action: &Action| matches!(action, Action::Root(_));
    let nothing = settings.files.root.is_none()
        && settings.files.templates.is_empty()
        && !settings.files.rules.iter().any(|rule| trees(&rule.action));
    if wanted
        && somewhere
        && nothing
        && ["root", "rules", "remap", "templates"]
            .iter()
            .all(|key| top.node(key).is_none())
    {
        let at = if said.is_some() { "enabled" } else { "listen" };
        context.refuse(
            codes::NOTHING,
            (top, at),
            "there is nothing to serve: `root` is not set",
            "set root = \"/srv/tftp\"",
        );
    }
    wanted
}

#[cfg(test)]
mod tests;
