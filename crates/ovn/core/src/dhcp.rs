//! Typed DHCP options: what OVN's own DHCP answers with.
//!
//! OVN pastes the values of `DHCP_Options.options` into the text of a flow. A value of the wrong type makes
//! `ovn-controller` drop that flow with a line in its log, and every port of the switch is left without DHCP. Here each
//! value is read by the type of its option, refused with a reason, or written so that it is exactly one constant: texts
//! are put into quotes by us, lists into braces.
//!
//! Source: ovn-nb(5), table `DHCP_Options`; ovn-sb(5), tables `DHCP_Options` and `DHCPv6_Options`.

mod table;
mod value;

use crate::address::Network;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use value::Value;

/// Which of the two protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// The family of a network, by its text.
    pub fn of(cidr: &str) -> Self {
        if cidr.contains(':') { Self::V6 } else { Self::V4 }
    }
}

/// The type of an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    /// One address or several.
    Ipv4,
    /// One address or several.
    Ipv6,
    /// Destination and router in turn.
    StaticRoutes,
    Text,
    /// An IPv4 address or a name.
    HostId,
    /// Domain names, joined by commas.
    Domains,
    Mac,
}

impl Kind {
    /// The type by its word in the southbound database.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "bool" => Self::Bool,
            "uint8" => Self::Uint8,
            "uint16" => Self::Uint16,
            "uint32" => Self::Uint32,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "static_routes" => Self::StaticRoutes,
            "str" => Self::Text,
            "host_id" => Self::HostId,
            "domains" => Self::Domains,
            "mac" => Self::Mac,
            _ => return None,
        })
    }
}

/// An option that OVN knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DhcpOption {
    pub name: String,
    /// Number in the protocol.
    pub code: u16,
    pub kind: Kind,
}

/// The options of one family that an installed OVN knows.
#[derive(Debug, Clone)]
pub struct Catalog {
    family: Family,
    options: BTreeMap<String, DhcpOption>,
}

/// The options of both families.
#[derive(Debug, Clone)]
pub struct Catalogs {
    pub v4: Catalog,
    pub v6: Catalog,
}

impl Catalogs {
    /// What OVN 23.03 knows.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogs> = OnceLock::new();
        BUILTIN.get_or_init(|| Self {
            v4: Catalog::builtin(Family::V4),
            v6: Catalog::builtin(Family::V6),
        })
    }

    /// The options for a network, by its text.
    pub fn of(&self, cidr: &str) -> &Catalog {
        match Family::of(cidr) {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl Catalog {
    /// What OVN 23.03 knows.
    pub fn builtin(family: Family) -> Self {
        let known = table::known(family).iter();
        let option = |(name, code, kind): &(&str, u16, Kind)| DhcpOption {
            name: (*name).to_owned(),
            code: *code,
            kind: *kind,
        };
        Self::new(family, known.map(option))
    }

    /// What the southbound database lists, a newer OVN's options included.
    pub fn new(family: Family, options: impl IntoIterator<Item = DhcpOption>) -> Self {
        let options = options.into_iter().map(|option| (option.name.clone(), option));
        Self {
            family,
            options: options.collect(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&DhcpOption> {
        self.options.get(name)
    }

    /// All options by name.
    pub fn iter(&self) -> impl Iterator<Item = &DhcpOption> {
        self.options.values()
    }

    /// Writes one value as OVN must have it.
    pub fn write(&self, name: &str, text: &str) -> Result<String, Problem> {
        self.value(name, text).map(|value| value.to_string())
    }

    /// Checks the options of a row and writes them as OVN must have them. All problems are found, not the first only.
    pub fn check(
        &self,
        cidr: &str,
        options: &BTreeMap<String, String>,
    ) -> (BTreeMap<String, String>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut written = BTreeMap::new();
        for (name, text) in options {
            match self.value(name, text) {
                Ok(value) => {
                    written.insert(name.clone(), value.to_string());
                }
                Err(problem) => problems.push(problem.within(&format!("options:{name}"))),
            }
        }
        let required: &[&str] = match self.family {
            Family::V4 => &["server_id", "server_mac", "lease_time"],
            Family::V6 => &["server_id"],
        };
        for missing in required.iter().filter(|name| !options.contains_key(**name)) {
            let message = format!("`{missing}` is missing, and without it OVN answers nobody");
            problems.push(Problem::error("dhcp-option-missing", "options", message));
        }
        problems.extend(self.network(cidr, &written));
        (written, problems)
    }

    fn value(&self, name: &str, text: &str) -> Result<Value, Problem> {
        let derived = match self.family {
            Family::V4 => ["netmask", "offerip"],
            Family::V6 => ["ia_addr", "ia_addr"],
        };
        if derived.contains(&name) {
            let message = format!("OVN sets `{name}` by itself, from the network and the port's address");
            return Err(Problem::error("dhcp-option-derived", "", message).help("leave it out"));
        }
        // Of the row, not of the protocol.
        let kind = match (self.family, name) {
            (Family::V4, "server_mac") => Kind::Mac,
            (Family::V6, "dhcpv6_stateless") => return value::switch(text),
            _ => match self.get(name) {
                Some(option) => option.kind,
                None => {
                    let known = self.options.keys().map(String::as_str);
                    let problem =
                        Problem::error("dhcp-option-unknown", "", format!("OVN knows no option `{name}`"));
                    return Err(problem.nearest(name, known.chain(["server_mac", "dhcpv6_stateless"])));
                }
            },
        };
        Value::parse(kind, text)
    }

    /// The network of the row, and whether server and router are in it.
    fn network(&self, cidr: &str, options: &BTreeMap<String, String>) -> Vec<Problem> {
        let network = match Network::parse(cidr) {
            Ok(network) if network.is_v4() == (self.family == Family::V4) => network,
            Ok(_) => {
                let message = format!("`{cidr}` is a network of the other IP version");
                return vec![Problem::error("dhcp-cidr", "cidr", message)];
            }
            Err(why) => {
                let problem = Problem::error("dhcp-cidr", "cidr", why);
                return vec![problem.help("as in `10.0.0.0/24` or `2001:db8::/64`")];
            }
        };
        let outside = |name: &&&str| {
            let addresses = options
                .get(**name)
                .into_iter()
                .flat_map(|text| value::addresses(text));
            addresses.into_iter().any(|address| !network.contains(address))
        };
        let named: &[&str] = if self.family == Family::V4 {
            &["router"]
        } else {
            &[]
        };
        named
            .iter()
            .filter(outside)
            .map(|name| {
                let message = format!("{} is outside of {network}", options[*name]);
                Problem::warning("dhcp-outside", format!("options:{name}"), message)
            })
            .collect()
    }
}
