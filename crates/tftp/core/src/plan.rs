//! What a name means for a client: rules, templates and trees, compiled from the settings. Pure: it opens nothing.
//!
//! ```text
//!   name ─► rules, in order ─► safe relative path ─► template of that name? ─► made text
//!                                                └► may it be written?  ────► file below a root
//! ```

mod caps;
pub mod codes;
mod dependence;
mod made;
mod path;
mod walk;

pub use codes::REASONS;
pub use path::{NAME_MAX, PATH_MAX, RelativePath, name_of};

use crate::rule::Client;
use crate::settings::{Action, Family, Profile, Rule, Settings, Who};
use crate::template::{MarkName, Values};
use hashbrown::HashMap;
use purlin_telemetry::ReasonCode;
use purlin_types::Mac;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walk::Walked;

/// A request for a name.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The name as the client sent it; for HTTP the decoded path.
    pub name: &'a str,
    /// IPv4 clients of an IPv6 socket may come as either.
    pub client: IpAddr,
    /// The address the request came to.
    pub server: Option<IpAddr>,
    pub write: bool,
    pub scheme: Scheme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Tftp,
    Http,
}

/// What DHCP knows of a client. Everything may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    pub mac: Option<Mac>,
    pub hostname: Option<String>,
    /// Name of option 93, as in [`crate::profile::ARCHITECTURES`].
    pub architecture: Option<String>,
    pub user_class: Option<String>,
    /// Name of the subnet.
    pub subnet: Option<String>,
    pub uuid: Option<[u8; 16]>,
}

/// What a name came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// A file below a root; whether it exists is for the disk to say.
    File { root: Arc<Path>, path: RelativePath },
    /// A text made for this client; `kind` is `ipxe`, `pxelinux`, `grub` or `text`.
    Made { text: String, kind: &'static str },
    /// A text to be made from a file: read it, then [`Values::fill`]; [`crate::template::kind_of`] tells its kind.
    MadeFrom {
        root: Arc<Path>,
        path: RelativePath,
        values: Values,
    },
    /// Not served. The code is one of [`REASONS`].
    Refused(ReasonCode),
    /// A template is for this client, but the mark has no value for it.
    NoValue(MarkName),
}

/// A rule that worked on a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// Index into [`crate::settings::Files::rules`]; [`crate::reader::rule_text`] gives it in one line.
    pub rule: usize,
    /// The name as the rule found it.
    pub before: String,
}

/// More steps than anybody reads; rules that never rest would fill it.
const TRACE_MAX: usize = 256;

/// The compiled settings.
#[derive(Debug)]
pub struct Plan {
    settings: Settings,
    root: Option<Arc<Path>>,
    /// For each rule: the tree it chooses, when that is the same for everybody.
    rule_roots: Vec<Option<Arc<Path>>>,
    /// Templates with one exact name, and the others, each by index and ascending.
    exact: HashMap<Box<str>, Vec<usize>, foldhash::fast::FixedState>,
    patterns: Vec<usize>,
    /// Some rule or template asks for more than the client's address.
    facts: bool,
}

impl Plan {
    #[must_use]
    pub fn compile(settings: &Settings) -> Arc<Self> {
        let fixed = |rule: &Rule| match &rule.action {
            Action::Root(root) => root.plain().map(|root| Arc::from(Path::new(root))),
            _ => None,
        };
        let mut exact: HashMap<Box<str>, Vec<usize>, _> = HashMap::default();
        let mut patterns = Vec::new();
        for (i, template) in settings.files.templates.iter().enumerate() {
            match template.name.exact() {
                Some(name) => exact.entry(name.into()).or_default().push(i),
                None => patterns.push(i),
            }
        }
        Arc::new(Self {
            root: settings.files.root.as_deref().map(Arc::from),
            rule_roots: settings.files.rules.iter().map(fixed).collect(),
            exact,
            patterns,
            facts: dependence::any_facts(settings),
            settings: settings.clone(),
        })
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The trees that are the same for every client, each once: what is worth watching for changes.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = Vec::new();
        for root in self.root.iter().chain(self.rule_roots.iter().flatten()) {
            if !roots.iter().any(|known| **known == **root) {
                roots.push(root.to_path_buf());
            }
        }
        roots
    }

    /// What the name means for this client. `facts` is `None` when nothing is known or nobody asked
    /// ([`Plan::needs_facts`]).
    #[must_use]
    pub fn resolve(&self, ask: &Ask<'_>, facts: Option<&Facts>) -> Resolved {
        let client = Client {
            address: ask.client.to_canonical(),
            mac: facts.and_then(|facts| facts.mac.as_ref()),
        };
        match self.find(ask, &client, facts) {
            Ok(resolved) => resolved,
            Err(code) => Resolved::Refused(code),
        }
    }

    /// The rules that worked on the name, in order: for people who ask why it came to what it did.
    #[must_use]
    pub fn trace(&self, ask: &Ask<'_>, facts: Option<&Facts>) -> Vec<Fitted> {
        let client = Client {
            address: ask.client.to_canonical(),
            mac: facts.and_then(|facts| facts.mac.as_ref()),
        };
        let mut fitted = Vec::new();
        let mut step = |rule: usize, name: &str| {
            if fitted.len() < TRACE_MAX {
                let before = name.to_owned();
                fitted.push(Fitted { rule, before });
            }
            walk::Step::Known(client)
        };
        if path::check_name(ask.name).is_ok() {
            let _ = self.walk(ask.name, ask.write, &mut step, |rule| is_for(rule, &client));
        }
        fitted
    }

    fn find(
        &self,
        ask: &Ask<'_>,
        client: &Client<'_>,
        facts: Option<&Facts>,
    ) -> Result<Resolved, ReasonCode> {
        path::check_name(ask.name)?;
        let walked = self.walk(
            ask.name,
            ask.write,
            &mut |_, _| walk::Step::Known(*client),
            |rule| is_for(rule, client),
        );
        let (name, root) = match walked {
            Walked::Name { name, root } => (name, root),
            Walked::Refused(code) => return Err(code),
            Walked::Forks => unreachable!("a known client never forks"),
        };
        let path = RelativePath::parse(&name)?;
        if ask.write {
            self.may_write(&path, client.address)?;
        } else if let Some(made) = self.made(&path, ask, client, facts)? {
            return Ok(made);
        }
        let root = root.or_else(|| self.root.clone()).ok_or(codes::ROOT_MISSING)?;
        Ok(Resolved::File { root, path })
    }

    fn may_write(&self, path: &RelativePath, client: IpAddr) -> Result<(), ReasonCode> {
        let uploads = &self.settings.files.uploads;
        if uploads.allow.is_empty() {
            return Err(codes::UPLOAD_OFF);
        }
        if !uploads.networks.is_empty() && !uploads.networks.iter().any(|network| network.contains(client)) {
            return Err(codes::UPLOAD_CLIENT);
        }
        match uploads
            .allow
            .iter()
            .any(|pattern| pattern.fits(path.as_str()).is_some())
        {
            true => Ok(()),
            false => Err(codes::UPLOAD_NAME),
        }
    }

    /// Whether what the name means may differ between clients, or between addresses of this server: what is kept for
    /// one must then not be given to another.
    #[must_use]
    pub fn depends_on_client(&self, name: &str, write: bool) -> bool {
        self.dependence(name, write).client
    }

    /// Whether it may depend on more than the client's address, so that [`Facts`] are worth asking for.
    #[must_use]
    pub fn needs_facts(&self, name: &str) -> bool {
        self.facts && self.dependence(name, false).facts | self.dependence(name, true).facts
    }

    /// The boot profile for a client, as [`crate::profile::select`] chooses it.
    #[must_use]
    pub fn profile(&self, facts: &Facts) -> Option<&Profile> {
        crate::profile::select(&self.settings.profiles, facts)
    }
}

/// Whether a rule is for this client at all.
fn is_for(rule: &Rule, client: &Client<'_>) -> bool {
    let family = match rule.family {
        Family::Any => true,
        Family::V4 => client.address.is_ipv4(),
        Family::V6 => client.address.is_ipv6(),
    };
    family && who_fits(&rule.who, client.address, client.mac)
}

fn who_fits(who: &Who, client: IpAddr, mac: Option<&Mac>) -> bool {
    let network = who.networks.is_empty() || who.networks.iter().any(|network| network.contains(client));
    let known = |mac: &Mac| who.macs.iter().any(|prefix| prefix.fits(*mac));
    network && (who.macs.is_empty() || mac.is_some_and(known))
}

#[cfg(test)]
mod tests;
