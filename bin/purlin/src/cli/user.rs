//! `purlin user`: people who log in with a name and a password.

use super::{Context, ListArgs, context::watched};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/auth/users";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the users.
    #[command(after_help = "Examples:
  purlin user list
  purlin user list -o json")]
    List(ListArgs),
    /// Make a user and print its password, this once.
    #[command(after_help = "Examples:
  purlin user create alice --role operator --email alice@example.com
  purlin user create bob --role member -o json

There is no user and no password until one is made here. A member has only what tenants give it.")]
    Create {
        /// The name to log in by.
        name: String,
        #[arg(long, value_enum, default_value = "member")]
        role: Role,
        /// Address by which invitations find it.
        #[arg(long)]
        email: Option<String>,
    },
    /// Give a user another role, at once.
    #[command(after_help = "Examples:
  purlin user role alice admin")]
    Role {
        /// Its username or id.
        name: String,
        /// The role from now on.
        #[arg(value_enum)]
        role: Role,
    },
    /// Make a new password for a user, print it this once, and end its sessions.
    #[command(after_help = "Examples:
  purlin user password alice")]
    Password {
        /// Its username or id.
        name: String,
    },
    /// Take a user away with its sessions and memberships, at once.
    #[command(after_help = "Examples:
  purlin user delete bob")]
    Delete {
        /// Its username or id.
        name: String,
    },
}

/// What a user may do in the whole installation.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Nothing but what tenants give.
    Member,
    /// Read everything but secrets.
    Viewer,
    /// Also change leases and the configuration, which a rollback does too.
    Operator,
    /// Also tokens, users, tenants and backups.
    Admin,
}

impl Role {
    pub(super) fn word(self) -> String {
        let value = self.to_possible_value().expect("no role is skipped");
        value.get_name().to_owned()
    }
}

const KIND: Kind = Kind {
    plural: "users",
    name: "username",
    columns: &[
        Column::new("USERNAME", "username", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("EMAIL", "email", Show::Text),
        Column::new("LAST LOGIN", "last_login_at", Show::Time),
        Column::wide("ID", "id", Show::Text),
        Column::wide("CREATED", "created_at", Show::Time),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || output::list(&view, KIND, &all(&mut client).await?)).await
        }
        Command::Create { name, role, email } => {
            let order = json!({"username": name, "role": role.word(), "email": email});
            let made = client.value(Ask::post(PATH).json(&order)).await?;
            told(context, &made)
        }
        Command::Role { name, role } => {
            let order = json!({"role": role.word()});
            let path = format!("{PATH}/{}/role", encode(name));
            let user = client.value(Ask::put(path).json(&order)).await?;
            output::one(&context.view(), KIND, &user)?;
            Ok(Exit::Ok)
        }
        Command::Password { name } => {
            let path = format!("{PATH}/{}/password", encode(name));
            let made = client.value(Ask::put(path).json(&json!({}))).await?;
            told(context, &made)
        }
        Command::Delete { name } => {
            client
                .answer(Ask::delete(format!("{PATH}/{}", encode(name))))
                .await?;
            say!("user {name} is gone");
            Ok(Exit::Ok)
        }
    }
}

/// All users, page after page.
async fn all(client: &mut Client) -> Result<Vec<Value>, Failure> {
    let mut users = Vec::new();
    loop {
        let path = format!("{PATH}?limit=1000&offset={}", users.len());
        let mut answer = client.value(Ask::get(path)).await?;
        match answer["users"].take() {
            Value::Array(page) if !page.is_empty() => users.extend(page),
            _ => return Ok(users),
        }
        if answer["total"]
            .as_u64()
            .is_none_or(|total| total <= users.len() as u64)
        {
            return Ok(users);
        }
    }
}

/// The password alone for people, all of it for programs.
fn told(context: &Context, made: &Value) -> Outcome {
    match (context.form(), made["password"].as_str()) {
        (Form::Table, Some(password)) => say!("{password}"),
        _ => output::document(context.form(), made)?,
    }
    Ok(Exit::Ok)
}
