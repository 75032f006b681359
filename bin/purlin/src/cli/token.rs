//! `purlin token`: who may use the API.

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tokens; their secrets are known to nobody but their holders.
    #[command(after_help = "Examples:
  purlin token list
  purlin token list -o json")]
    List(ListArgs),
    /// Make a token and print its secret, this once.
    #[command(after_help = "Examples:
  purlin token create grafana --role viewer
  purlin token create ci --role operator -o json")]
    Create {
        /// What it is for.
        name: String,
        #[arg(long, value_enum, default_value = "viewer")]
        role: Role,
        /// When it stops being valid, counted from now, for instance 30d or 12h; never when not given.
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
    },
    /// Make a token invalid at once.
    #[command(after_help = "Examples:
  purlin token revoke grafana")]
    Revoke {
        /// Its id or name, as listed.
        id: String,
    },
}

/// What a token allows.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    /// Read everything but secrets.
    Viewer,
    /// Also change leases and the configuration, which a rollback does too.
    Operator,
    /// Also tokens, users and backups.
    Admin,
}

const KIND: Kind = Kind {
    plural: "tokens",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("NAME", "name", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("CREATED", "created", Show::Time),
        Column::wide("LAST USED", "last_used", Show::Time),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, "/api/v1/tokens", &[], usize::MAX, view.clone(), KIND).await
            })
            .await
        }
        Command::Create {
            name,
            role,
            expires_in,
        } => {
            let role = role.to_possible_value().map(|value| value.get_name().to_owned());
            let order = json!({"name": name, "role": role, "expires_in": expires_in});
            let made = client.value(Ask::post("/api/v1/tokens").json(&order)).await?;
            let secret = made.get("token").and_then(Value::as_str);
            match (context.form(), secret) {
                (Form::Table, Some(secret)) => say!("{secret}"),
                _ => output::one(&context.view(), KIND, &made)?,
            }
            Ok(Exit::Ok)
        }
        Command::Revoke { id } => {
            client
                .answer(Ask::delete(format!("/api/v1/tokens/{}", encode(id))))
                .await?;
            say!("token {id} revoked");
            Ok(Exit::Ok)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_page_say_of_rollbacks_what_the_api_does() {
        let page = include_str!("../../../../docs/howto/tls-and-tokens.md").replace('\n', " ");
        assert!(page.contains(
            "`operator` also changes leases and the configuration, and a rollback is such a change"
        ));
        let help = |role: Role| {
            let value = role.to_possible_value().expect("no role is skipped");
            value.get_help().expect("it is documented").to_string()
        };
        assert!(help(Role::Operator).contains("rollback") && !help(Role::Admin).contains("rollback"));
    }
}
