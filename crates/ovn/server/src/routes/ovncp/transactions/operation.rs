//! One operation of a body.

use super::super::KINDS;
use crate::typed::kinds::ovncp::{ACL, PORT, ROUTER, SWITCH};
use crate::typed::make::{self, Manner as Writing};
use crate::typed::place::{self, Aliases};
use crate::typed::{Kind, Subject};
use purlin_api::Problem;
use purlin_ovn_core::model::{Change, State as Rows};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    #[serde(default)]
    pub(super) id: String,
    #[serde(alias = "operation")]
    pub(super) r#type: Verb,
    #[serde(alias = "resource_type")]
    pub(super) resource: Resource,
    #[serde(default)]
    pub(super) resource_id: String,
    #[serde(default)]
    pub(super) switch_id: String,
    #[serde(default)]
    pub(super) data: Option<Map<String, Value>>,
}

impl Operation {
    pub(super) fn check(&self) -> Result<(), String> {
        let has_data = self.data.as_ref().is_some_and(|data| !data.is_empty());
        match self.r#type {
            Verb::Create if !self.resource_id.is_empty() => {
                Err("resource_id has no place in a create: the database's answer says it".to_owned())
            }
            Verb::Create if !has_data => Err("a create needs data".to_owned()),
            Verb::Update if self.resource_id.is_empty() => Err("an update needs resource_id".to_owned()),
            Verb::Update if !has_data => Err("an update needs data".to_owned()),
            Verb::Delete if self.resource_id.is_empty() => Err("a delete needs resource_id".to_owned()),
            Verb::Delete if has_data => Err("data has no place in a delete".to_owned()),
            _ => Ok(()),
        }
    }

    pub(super) fn changes(
        &self,
        state: &Rows<'_>,
        new: Uuid,
        aliases: &Aliases,
    ) -> Result<(Vec<Change>, Uuid), Problem> {
        let kind = self.resource.kind();
        let nothing = Map::new();
        let data = self.data.as_ref().unwrap_or(&nothing);
        if self.r#type == Verb::Create {
            let mut data = data.clone();
            if !self.switch_id.is_empty() && kind.fields.iter().any(|field| field.name == "switch_id") {
                data.insert("switch_id".to_owned(), json!(self.switch_id));
            }
            let subject = Subject {
                state,
                kind,
                uuid: new,
                new: true,
            };
            return Ok((make::create(subject, &data, aliases)?, new));
        }
        let own = aliases.find(state, kind.table, &self.resource_id).ok();
        let uuid = match own {
            Some(uuid) => uuid,
            None => place::of_path(state, kind.one, kind.table, &self.resource_id)?,
        };
        if self.r#type == Verb::Delete {
            let table = kind.table.to_owned();
            return Ok((vec![Change::Delete { table, uuid }], uuid));
        }
        let subject = Subject {
            state,
            kind,
            uuid,
            new: false,
        };
        Ok((make::change(subject, data, Writing::Replace, aliases)?, uuid))
    }

    pub(super) fn result(&self, at: usize, success: bool, error: Option<&str>) -> Value {
        json!({
            "operation_index": at,
            "id": self.id,
            "type": self.r#type.word(),
            "resource": self.resource.word(),
            "resource_id": self.resource_id,
            "success": success,
            "status": if success { "success" } else { "failed" },
            "error": error,
            "data": null,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Create,
    Update,
    Delete,
}

impl Verb {
    const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Resource {
    #[serde(alias = "logical_switch")]
    Switch,
    #[serde(alias = "logical_router")]
    Router,
    #[serde(alias = "logical_port")]
    Port,
    Acl,
}

impl Resource {
    pub(super) const fn kind(self) -> &'static Kind {
        match self {
            Self::Switch => &SWITCH,
            Self::Router => &ROUTER,
            Self::Port => &PORT,
            Self::Acl => &ACL,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Switch => "switch",
            Self::Router => "router",
            Self::Port => "port",
            Self::Acl => "acl",
        }
    }
}

const _: () = assert!(KINDS.len() == 4, "a new kind needs a word in Resource");
