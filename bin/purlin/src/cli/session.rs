//! `purlin session`: clients that follow events, and the nodes that hold them.

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use clap::Subcommand;

const PATH: &str = "/api/v1/cluster/sessions";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the sessions of all nodes.
    #[command(after_help = "Examples:
  purlin session list
  purlin session list --node node-1 -o json")]
    List {
        /// Only those that this node holds.
        #[arg(long)]
        node: Option<String>,
        /// Only those of this user.
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Show one session.
    #[command(after_help = "Examples:
  purlin session show 4f6e12
  purlin session show 4f6e12 -o json")]
    Show {
        /// Its id, or the beginning that the list shows.
        id: String,
    },
    /// End a session on whichever node holds it.
    #[command(after_help = "Examples:
  purlin session end 4f6e12")]
    End {
        /// Its id, or the beginning that the list shows.
        id: String,
    },
}

const KIND: Kind = Kind {
    plural: "sessions",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("NODE", "node", Show::Text),
        Column::new("USER", "user", Show::Text),
        Column::new("MOVES", "generation", Show::Number),
        Column::new("LEFT", "ttl_seconds", Show::Number),
        Column::wide("CURSOR", "cursor", Show::Number),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List { node, user, list } => {
            let view = context.list_view(list);
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let (node, user) = (text(node), text(user));
            let pairs = [("node", node.as_str()), ("user", user.as_str())];
            watched(list, async || {
                paging::list(&mut client, PATH, &pairs, usize::MAX, view.clone(), KIND).await
            })
            .await
        }
        Command::Show { id } => {
            let session = client.value(Ask::get(format!("{PATH}/{}", encode(id)))).await?;
            output::one(&context.view(), KIND, &session)?;
            Ok(Exit::Ok)
        }
        Command::End { id } => {
            client
                .answer(Ask::delete(format!("{PATH}/{}", encode(id))))
                .await?;
            say!("session {id} is over; its node closes the connection");
            Ok(Exit::Ok)
        }
    }
}
