//! Settings back in words.

use crate::settings::{Action, Family, MacPrefix, On, Rule};

/// A rule in one line, for status and explanations: in the notation of tftpd-hpa's maps, with the conditions on who
/// asks behind it.
#[must_use]
pub fn rule_text(rule: &Rule) -> String {
    let (flag, behind) = match &rule.action {
        Action::Replace { with, all } => (if *all { "rg" } else { "r" }, format!(" {}", with.as_str())),
        Action::Refuse => ("a", String::new()),
        Action::Root(root) => ("", format!(" root {}", root.as_str())),
        Action::Keep => ("", String::new()),
    };
    let mut text = flag.to_owned();
    let marks = [
        (rule.pattern.ignores_case(), 'i'),
        (rule.last, 'e'),
        (rule.restart, 's'),
        (rule.on == On::Read, 'G'),
        (rule.on == On::Write, 'P'),
        (rule.family == Family::V4, '4'),
        (rule.family == Family::V6, '6'),
        (rule.inverse, '~'),
    ];
    text.extend(marks.iter().filter(|mark| mark.0).map(|mark| mark.1));
    if text.is_empty() {
        text.push('-');
    }
    let pattern = rule.pattern.as_str();
    text.push(' ');
    text.push_str(if pattern.is_empty() { "^" } else { pattern });
    text.push_str(&behind);
    let networks = rule.who.networks.iter().map(ToString::to_string);
    let who: Vec<String> = networks
        .chain(rule.who.macs.iter().map(MacPrefix::to_string))
        .collect();
    if !who.is_empty() {
        text.push_str(&format!(" for {}", who.join(", ")));
    }
    text
}
