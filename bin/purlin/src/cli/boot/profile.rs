//! `purlin boot profile`: which kind of machine boots which file.

mod conditions;

use crate::cli::{Context, ListArgs, change, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show, harmless};
use clap::{Args, Subcommand};
use conditions::Condition;
use serde_json::{Map, Value};
use std::net::IpAddr;

const PATH: &str = "/api/v1/boot/profiles";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the profiles in their order; the first that fits a machine counts.
    #[command(after_help = "Examples:
  purlin boot profile list
  purlin boot profile list -o json")]
    List(ListArgs),
    /// Show one.
    #[command(
        alias = "get",
        after_help = "Examples:
  purlin boot profile show uefi-x64"
    )]
    Show {
        /// Its name, as listed.
        name: String,
    },
    /// Add one; it takes effect at once, for DHCP answers and templates.
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// Remove one.
    #[command(after_help = "Examples:
  purlin boot profile remove uefi-x64 --dry-run
  purlin boot profile remove uefi-x64")]
    Remove {
        /// Its name, as listed.
        name: String,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

const ADD_EXAMPLES: &str = "Examples:
  purlin boot profile add --match arch=uefi-x64 --file snponly.efi
  purlin boot profile add menu --match user-class=iPXE --file boot.ipxe --first
  purlin boot profile add racks --match arch=uefi-x64-http,subnet=racks --file http://10.0.0.1/grubx64.efi
  purlin boot profile add node-7 --match mac=02:00:00:00:00:07,user-class=iPXE --file boot.ipxe --value console=ttyS0 --first

Conditions: arch (bios, uefi-x64, uefi-arm64, uefi-x64-http, ...), user-class, mac, subnet. All kinds that are given must
hold; of arch, mac and subnet several may be given, one of which must hold.";

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What it is called [default: made from the conditions].
    name: Option<String>,
    /// Which machines it is for; may be repeated. Without any it is for all.
    #[arg(long = "match", value_name = "KEY=VALUE,...", value_delimiter = ',')]
    conditions: Vec<Condition>,
    /// The boot file: a name in the boot tree, or a whole URL for firmware that boots over HTTP.
    #[arg(long, value_name = "NAME|URL")]
    file: String,
    /// The server to fetch it from [default: this one].
    // The global flag of that name is the node's API.
    #[arg(id = "boot_server", long = "next-server", value_name = "ADDRESS")]
    server: Option<IpAddr>,
    /// A value for templates; may be repeated.
    #[arg(long = "value", value_name = "NAME=TEXT")]
    values: Vec<String>,
    /// Put it before all others.
    #[arg(long)]
    first: bool,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

const KIND: Kind = Kind {
    plural: "profiles",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("ARCH", "arch", Show::Text),
        Column::new("USER CLASS", "user_class", Show::Text),
        Column::new("MACS", "macs", Show::Text),
        Column::new("SUBNETS", "subnets", Show::Text),
        Column::new("FILE", "file", Show::Text),
        Column::new("SERVER", "server", Show::Text),
        Column::wide("VALUES", "values", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, PATH, &[], usize::MAX, view.clone(), KIND).await
            })
            .await
        }
        Command::Show { name } => {
            let profile = client.value(Ask::get(one(name))).await?;
            output::one(&context.view(), KIND, &profile)?;
            Ok(Exit::Ok)
        }
        Command::Add(args) => {
            let profile = args.profile()?;
            let name = profile["name"].as_str().unwrap_or_default().to_owned();
            let mut query = Vec::new();
            query.extend(args.first.then_some("first=true"));
            query.extend(args.dry_run.then_some("dryRun=true"));
            let ask = Ask::post(with(PATH, &query)).json(&profile);
            let answer = client.value(ask).await?;
            report(
                &name,
                if args.dry_run { "would be added" } else { "added" },
                &answer,
                context,
            )
        }
        Command::Remove { name, dry_run } => {
            let query = Vec::from_iter(dry_run.then_some("dryRun=true"));
            let answer = client.value(Ask::delete(with(&one(name), &query))).await?;
            report(
                name,
                if *dry_run { "would be removed" } else { "removed" },
                &answer,
                context,
            )
        }
    }
}

fn one(name: &str) -> String {
    format!("{PATH}/{}", encode(name))
}

fn with(path: &str, query: &[&str]) -> String {
    match query {
        [] => path.to_owned(),
        some => format!("{path}?{}", some.join("&")),
    }
}

fn report(name: &str, done: &str, answer: &Value, context: &Context) -> Outcome {
    if context.form() != Form::Table {
        output::document(context.form(), answer)?;
        return Ok(Exit::Ok);
    }
    let sentence = format!("profile {} {done}", harmless::line(name));
    for line in change::told(&sentence, answer) {
        say!("{line}");
    }
    Ok(Exit::Ok)
}

impl AddArgs {
    /// The profile with the keys of the configuration.
    fn profile(&self) -> Result<Value, Failure> {
        let mut profile = conditions::members(&self.conditions)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => conditions::name_for(&self.conditions),
        };
        profile.insert("name".to_owned(), name.into());
        profile.insert("file".to_owned(), self.file.clone().into());
        if let Some(server) = self.server {
            profile.insert("server".to_owned(), server.to_string().into());
        }
        let mut values = Map::new();
        for value in &self.values {
            let (key, text) = value
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| Failure::usage(format!("{value:?} is no value"), "write --value NAME=TEXT"))?;
            values.insert(key.to_owned(), text.into());
        }
        if !values.is_empty() {
            profile.insert("values".to_owned(), values.into());
        }
        Ok(Value::Object(profile))
    }
}
