//! Tenants: a tree of organizations, projects and environments, each with settings and quotas.

use crate::users::at;
use purlin_api::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a tenant may have when nothing else is said.
pub const DEFAULT_QUOTAS: [(&str, i64); 8] = [
    ("max_switches", 100),
    ("max_routers", 50),
    ("max_ports", 1000),
    ("max_acls", 500),
    ("max_load_balancers", 20),
    ("max_address_sets", 100),
    ("max_port_groups", 100),
    ("max_backups", 50),
];

/// What a tenant is in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The top.
    Organization,
    /// Of an organization, or by itself.
    Project,
    /// Of a project or an organization.
    Environment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    /// Nobody acts for it; what it has stays.
    Suspended,
}

/// What a tenant's networks are like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// For people.
    pub(crate) default_network_type: String,
    /// How names of its switches, routers, ports, groups and sets begin.
    pub(crate) network_name_prefix: String,
    /// Whether only its admins write.
    pub(crate) require_approval: bool,
    /// Whether it may use what is shared between tenants.
    pub(crate) allow_external_networks: bool,
    /// Whether the audit says what its writes changed.
    pub(crate) enable_audit_logging: bool,
    pub(crate) custom_labels: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_network_type: String::new(),
            network_name_prefix: String::new(),
            require_approval: false,
            allow_external_networks: false,
            enable_audit_logging: true,
            custom_labels: BTreeMap::new(),
        }
    }
}

/// One row of the table `tenants`. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) kind: Kind,
    pub(crate) parent: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) settings: Settings,
    pub(crate) quotas: BTreeMap<String, i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) created_by: String,
}

impl Tenant {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "display_name": self.display_name,
            "description": self.description,
            "status": self.status,
            "type": self.kind,
            "parent": self.parent,
            "metadata": self.metadata,
            "settings": self.settings,
            "quotas": self.quotas,
            "created_at": at(self.created),
            "updated_at": at(self.updated),
            "created_by": self.created_by,
        })
    }
}

/// A name that is the tenant's for good.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let formed = (1..=63).contains(&name.len()) && name.chars().all(inner);
    if formed && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(());
    }
    Err(Problem::wrong_shape(format!(
        "name {name:?}: 1 to 63 lower-case letters, digits and hyphens, none at an end"
    )))
}

/// The quotas with what is given in place of what was.
pub(crate) fn quotas(
    before: &BTreeMap<String, i64>,
    given: &BTreeMap<String, i64>,
) -> Result<BTreeMap<String, i64>, Problem> {
    let mut all = before.clone();
    for (quota, most) in given {
        if !DEFAULT_QUOTAS.iter().any(|(known, _)| known == quota) {
            let known: Vec<&str> = DEFAULT_QUOTAS.iter().map(|(known, _)| *known).collect();
            let detail = format!(
                "quotas.{quota}: there is no such quota; there are {}",
                known.join(", ")
            );
            return Err(Problem::wrong_shape(detail));
        }
        if *most < -1 {
            let detail = format!("quotas.{quota}: {most}; a number from 0, or -1 for no bound");
            return Err(Problem::wrong_shape(detail));
        }
        all.insert(quota.clone(), *most);
    }
    Ok(all)
}

/// The settings with what is given in place of what was.
pub(crate) fn settings(before: &Settings, given: &Value) -> Result<Settings, Problem> {
    let mut all = json!(before);
    let (Some(all_members), Some(given)) = (all.as_object_mut(), given.as_object()) else {
        return Err(Problem::wrong_shape("settings is an object"));
    };
    all_members.extend(given.clone());
    let settings: Settings =
        serde_json::from_value(all).map_err(|cause| Problem::wrong_shape(format!("settings: {cause}")))?;
    let prefix = &settings.network_name_prefix;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let letter = prefix.chars().next().is_none_or(|c| c.is_ascii_alphabetic());
    if prefix.len() > 32 || !letter || !prefix.chars().all(fits) {
        let detail = format!(
            "settings.network_name_prefix {prefix:?}: at most 32 letters, digits and - _ . with a letter first"
        );
        return Err(Problem::wrong_shape(detail));
    }
    Ok(settings)
}
