//! `purlin tenant`: who shares the networks, who belongs to whom, and keys for programs.

use super::{Context, ListArgs, context::watched, user::Role};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

const PATH: &str = "/api/v1/tenants";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the tenants that you belong to; all for an admin.
    #[command(after_help = "Examples:
  purlin tenant list
  purlin tenant list -o json")]
    List(ListArgs),
    /// Make a tenant.
    #[command(after_help = "Examples:
  purlin tenant create acme
  purlin tenant create shop --type project --parent acme --prefix shop- --quota max_ports=200 --quota max_acls=-1")]
    Create(New),
    /// Show a tenant: its settings and quotas.
    #[command(after_help = "Examples:
  purlin tenant show shop")]
    Show {
        /// Its name or id.
        tenant: String,
    },
    /// Show how much a tenant has, beside its quotas.
    #[command(after_help = "Examples:
  purlin tenant usage shop")]
    Usage {
        /// Its name or id.
        tenant: String,
    },
    /// Change quotas and settings of a tenant.
    #[command(after_help = "Examples:
  purlin tenant set shop --quota max_ports=500
  purlin tenant set shop --approval true
  purlin tenant set shop --suspended true")]
    Set(Changes),
    /// Take a tenant away that has nothing and nobody below it.
    #[command(after_help = "Examples:
  purlin tenant delete shop")]
    Delete {
        /// Its name or id.
        tenant: String,
    },
    /// List the members of a tenant.
    #[command(after_help = "Examples:
  purlin tenant members shop")]
    Members {
        /// Its name or id.
        tenant: String,
        #[command(flatten)]
        args: ListArgs,
    },
    /// Make a user, or a token of the API, a member, or give a member another role.
    #[command(after_help = "Examples:
  purlin tenant join shop alice --role operator")]
    Join {
        /// Its name or id.
        tenant: String,
        /// A username, or the id of a user or token.
        user: String,
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
    },
    /// End a membership, at once.
    #[command(after_help = "Examples:
  purlin tenant leave shop alice")]
    Leave {
        /// Its name or id.
        tenant: String,
        /// A username, or the id of a user or token.
        user: String,
    },
    /// List the keys of a tenant; their secrets are known to nobody but their holders.
    #[command(after_help = "Examples:
  purlin tenant keys shop -o json")]
    Keys {
        /// Its name or id.
        tenant: String,
        #[command(flatten)]
        args: ListArgs,
    },
    /// Make a key for programs of a tenant and print it, this once.
    #[command(after_help = "Examples:
  purlin tenant key shop ci --scope read --scope switches:write --days 90")]
    Key {
        /// Its name or id.
        tenant: String,
        /// What it is for.
        name: String,
        /// read, write, *, or one of these for a part of the API, like switches:read.
        #[arg(long = "scope", value_name = "SCOPE", default_value = "read")]
        scopes: Vec<String>,
        /// Days until it ends; never when not given.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Make a key invalid at once.
    #[command(after_help = "Examples:
  purlin tenant revoke shop 5c0ffee1")]
    Revoke {
        /// Its name or id.
        tenant: String,
        /// Id of the key, as listed.
        key: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Lower-case letters, digits and hyphens; for good.
    name: String,
    #[arg(long = "type", value_enum, default_value = "organization")]
    kind: Sort,
    /// The tenant above, by name or id.
    #[arg(long)]
    parent: Option<String>,
    /// How names of its networks begin.
    #[arg(long)]
    prefix: Option<String>,
    /// max_ports=200 and the like; -1 is no bound. May be given several times.
    #[arg(long = "quota", value_name = "QUOTA=MOST")]
    quotas: Vec<String>,
}

/// What a tenant is in its tree.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sort {
    Organization,
    Project,
    Environment,
}

#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// Its name or id.
    tenant: String,
    /// max_ports=200 and the like; -1 is no bound. May be given several times.
    #[arg(long = "quota", value_name = "QUOTA=MOST")]
    quotas: Vec<String>,
    /// How names of its networks begin.
    #[arg(long)]
    prefix: Option<String>,
    /// Whether only its admins write.
    #[arg(long)]
    approval: Option<bool>,
    /// Whether it may use what is shared between tenants.
    #[arg(long)]
    external: Option<bool>,
    /// Whether nobody may act for it.
    #[arg(long)]
    suspended: Option<bool>,
}

const TENANTS: Kind = Kind {
    plural: "tenants",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("TYPE", "type", Show::Text),
        Column::new("STATUS", "status", Show::Text),
        Column::new("ID", "id", Show::Text),
        Column::wide("PARENT", "parent", Show::Text),
        Column::wide("CREATED", "created_at", Show::Time),
    ],
};

const MEMBERS: Kind = Kind {
    plural: "members",
    name: "user_id",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("ID", "user_id", Show::Text),
        Column::wide("SINCE", "created_at", Show::Time),
    ],
};

const KEYS: Kind = Kind {
    plural: "api_keys",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("NAME", "name", Show::Text),
        Column::new("ENDS", "expires_at", Show::Time),
        Column::new("LAST USED", "last_used_at", Show::Time),
        Column::wide("CREATED", "created_at", Show::Time),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => listed(context, args, &mut client, PATH, TENANTS).await,
        Command::Members { tenant, args } => {
            listed(context, args, &mut client, &at(tenant, "/members"), MEMBERS).await
        }
        Command::Keys { tenant, args } => {
            listed(context, args, &mut client, &at(tenant, "/api-keys"), KEYS).await
        }
        Command::Create(new) => {
            let made = client.value(Ask::post(PATH).json(&new.order()?)).await?;
            output::one(&context.view(), TENANTS, &made)?;
            Ok(Exit::Ok)
        }
        Command::Show { tenant } => shown(context, &mut client, &at(tenant, "")).await,
        Command::Usage { tenant } => shown(context, &mut client, &at(tenant, "/usage")).await,
        Command::Set(changes) => {
            let ask = Ask::put(at(&changes.tenant, "")).json(&changes.order()?);
            output::one(&context.view(), TENANTS, &client.value(ask).await?)?;
            Ok(Exit::Ok)
        }
        Command::Delete { tenant } => {
            client.answer(Ask::delete(at(tenant, ""))).await?;
            say!("tenant {tenant} is gone");
            Ok(Exit::Ok)
        }
        Command::Join { tenant, user, role } => join(context, &mut client, tenant, user, *role).await,
        Command::Leave { tenant, user } => {
            let path = at(tenant, &format!("/members/{}", encode(user)));
            client.answer(Ask::delete(path)).await?;
            say!("{user} is no member of {tenant} any more");
            Ok(Exit::Ok)
        }
        Command::Key {
            tenant,
            name,
            scopes,
            days,
        } => {
            let order = json!({"name": name, "scopes": scopes, "expires_in": days});
            let made = client
                .value(Ask::post(at(tenant, "/api-keys")).json(&order))
                .await?;
            match (context.form(), made["key"].as_str()) {
                (Form::Table, Some(key)) => say!("{key}"),
                _ => output::document(context.form(), &made)?,
            }
            Ok(Exit::Ok)
        }
        Command::Revoke { tenant, key } => {
            let path = at(tenant, &format!("/api-keys/{}", encode(key)));
            client.answer(Ask::delete(path)).await?;
            say!("key {key} revoked");
            Ok(Exit::Ok)
        }
    }
}

fn at(tenant: &str, rest: &str) -> String {
    format!("{PATH}/{}{rest}", encode(tenant))
}

async fn listed(context: &Context, args: &ListArgs, client: &mut Client, path: &str, kind: Kind) -> Outcome {
    let view = context.list_view(args);
    watched(args, async || {
        let (mut all, mut page) = (Vec::new(), 1);
        loop {
            let answer = client
                .value(Ask::get(format!("{path}?page_size=1000&page={page}")))
                .await?;
            all.extend(answer[kind.plural].as_array().cloned().unwrap_or_default());
            if answer["pagination"]["total_pages"].as_u64().unwrap_or(0) <= page {
                break;
            }
            page += 1;
        }
        output::list(&view, kind, &all)
    })
    .await
}

async fn shown(context: &Context, client: &mut Client, path: &str) -> Outcome {
    let value = client.value(Ask::get(path)).await?;
    let form = match context.form() {
        Form::Table => Form::Yaml,
        form => form,
    };
    output::document(form, &value)?;
    Ok(Exit::Ok)
}

/// A member that is there gets the role, another becomes one.
async fn join(context: &Context, client: &mut Client, tenant: &str, user: &str, role: Role) -> Outcome {
    let order = json!({"user_id": user, "role": role.word()});
    let answer = client
        .any_status(Ask::post(at(tenant, "/members")).json(&order))
        .await?;
    let member = if answer.status == 409 {
        let path = at(tenant, &format!("/members/{}/role", encode(user)));
        client
            .value(Ask::put(path).json(&json!({"role": role.word()})))
            .await?
    } else {
        Client::judge(&answer)?;
        answer.value()?
    };
    output::one(&context.view(), MEMBERS, &member)?;
    Ok(Exit::Ok)
}

impl New {
    fn order(&self) -> Result<Value, Failure> {
        let kind = self.kind.to_possible_value();
        let mut order = json!({
            "name": self.name,
            "type": kind.map(|kind| kind.get_name().to_owned()),
            "parent": self.parent,
            "quotas": quotas(&self.quotas)?,
        });
        if let Some(prefix) = &self.prefix {
            order["settings"] = json!({"network_name_prefix": prefix});
        }
        Ok(order)
    }
}

impl Changes {
    fn order(&self) -> Result<Value, Failure> {
        let mut settings = Map::new();
        if let Some(prefix) = &self.prefix {
            settings.insert("network_name_prefix".to_owned(), json!(prefix));
        }
        if let Some(approval) = self.approval {
            settings.insert("require_approval".to_owned(), json!(approval));
        }
        if let Some(external) = self.external {
            settings.insert("allow_external_networks".to_owned(), json!(external));
        }
        let mut order = json!({"quotas": quotas(&self.quotas)?, "settings": settings});
        if let Some(suspended) = self.suspended {
            order["status"] = json!(if suspended { "suspended" } else { "active" });
        }
        Ok(order)
    }
}

fn quotas(words: &[String]) -> Result<Map<String, Value>, Failure> {
    let read = |word: &String| {
        let (quota, most) = word.split_once('=')?;
        Some((quota.to_owned(), json!(most.parse::<i64>().ok()?)))
    };
    words
        .iter()
        .map(|word| {
            let wrong = || {
                Failure::usage(
                    format!("--quota {word:?} is no quota"),
                    "write it as max_ports=200; -1 is no bound",
                )
            };
            read(word).ok_or_else(wrong)
        })
        .collect()
}
