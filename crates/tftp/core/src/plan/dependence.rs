//! Whether what a name means depends on who asks: the rules are walked for nobody in particular, until one that fits
//! the name asks who it is.

use super::path::RelativePath;
use super::walk::{Step, Walked};
use super::{Plan, Who};
use crate::rule::{Client, Replacement};
use crate::settings::{Action, Body, Family, Rule, Settings, Template};
use std::net::{IpAddr, Ipv4Addr};

/// On what the meaning of a name depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dependence {
    /// On the client's or the server's address, or on anything behind it.
    pub(super) client: bool,
    /// On what DHCP knows of the client.
    pub(super) facts: bool,
}

impl Plan {
    pub(super) fn dependence(&self, name: &str, write: bool) -> Dependence {
        let mut found = Dependence::default();
        let mut step = |rule: usize, _: &str| {
            if depends(&self.settings.files.rules[rule]) {
                // Behind a fork any rule or template may follow.
                found = Dependence {
                    client: true,
                    facts: self.facts,
                };
                return Step::Forks;
            }
            Step::Known(Client {
                address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                mac: None,
            })
        };
        let walked = self.walk(name, write, &mut step, |_| true);
        let Walked::Name { name, .. } = walked else {
            return found;
        };
        let Ok(path) = RelativePath::parse(&name) else {
            return found;
        };
        if write {
            found.client = !self.settings.files.uploads.networks.is_empty();
            return found;
        }
        for (template, _) in self.templates(path.as_str()) {
            let facts = needs(template) && !template.name.names_machine() || marks_need(template);
            found.facts |= facts;
            found.client |= facts || !template.who.networks.is_empty() || varies(template);
            if template.who == Who::default() {
                break;
            }
        }
        found
    }
}

fn depends(rule: &Rule) -> bool {
    rule.family != Family::Any
        || rule.who != Who::default()
        || text_of(rule).is_some_and(Replacement::names_client)
}

fn text_of(rule: &Rule) -> Option<&Replacement> {
    match &rule.action {
        Action::Replace { with, .. } | Action::Root(with) => Some(with),
        Action::Refuse | Action::Keep => None,
    }
}

/// Whether anything in the settings asks for more than an address.
pub(super) fn any_facts(settings: &Settings) -> bool {
    let rule = |rule: &Rule| !rule.who.macs.is_empty() || text_of(rule).is_some_and(Replacement::names_mac);
    settings.files.rules.iter().any(rule)
        || settings
            .files
            .templates
            .iter()
            .any(|template| needs(template) || marks_need(template))
}

/// Whether the template is for certain hardware addresses.
fn needs(template: &Template) -> bool {
    !template.who.macs.is_empty()
}

/// Whether its text asks for facts; that of a file may. Values of profiles need them too, to choose the profile.
fn marks_need(template: &Template) -> bool {
    let address = ["ip", "ip_hex", "server", "url", "name"];
    match &template.body {
        Body::File(_) => true,
        Body::Text(text) => text
            .marks()
            .any(|mark| !address.contains(&mark.name) && !in_name(template, mark.name)),
    }
}

/// Whether its text is not the same for all who ask for one name.
fn varies(template: &Template) -> bool {
    match &template.body {
        Body::File(_) => true,
        Body::Text(text) => text
            .marks()
            .any(|mark| mark.name != "name" && !in_name(template, mark.name)),
    }
}

/// Whether the name itself gives the mark its value.
fn in_name(template: &Template, mark: &str) -> bool {
    template.name.names_machine() && matches!(mark, "mac" | "mac_dashed")
}
