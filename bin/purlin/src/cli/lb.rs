//! `purlin lb`: a process with nothing but fronts, and the fronts of any node.

use super::{Context, ListArgs, context::watched};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use crate::settings;
use crate::up;
use clap::Subcommand;
use purlin_config::Faults;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  purlin lb --config /etc/purlin/lb.toml     run the fronts of [balancer], and nothing else
  purlin lb status                           fronts and backends, and why one gets no work
  purlin lb drain dhcp node-1                no new clients for node-1 behind the front called dhcp
  purlin lb resume dhcp node-1

A node that serves too runs its fronts with `purlin up`; the other commands are the same there."
)]
// Its options beside those of `up`, which have a group of that name too.
#[group(id = "lb")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: up::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the backends of all fronts; with -o json, what the fronts count too.
    #[command(
        visible_alias = "list",
        after_help = "Examples:
  purlin lb status --watch
  purlin lb status -o json"
    )]
    Status(ListArgs),
    /// Give a backend no new clients; those that it has stay.
    #[command(after_help = "Examples:
  purlin lb drain dhcp node-1 --dry-run
  purlin lb drain dhcp node-1")]
    Drain(Named),
    /// Give a backend clients again, with a slow start.
    #[command(after_help = "Examples:
  purlin lb resume dhcp node-1")]
    Resume(Named),
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The front's name in the configuration.
    front: String,
    /// The backend's name behind it.
    backend: String,
    /// Only show how the backend stands.
    #[arg(long)]
    dry_run: bool,
}

const BACKENDS: Kind = Kind {
    plural: "backends",
    name: "name",
    columns: &[
        Column::new("FRONT", "front", Show::Text),
        Column::new("BACKEND", "name", Show::Text),
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("STATE", "state", Show::Text),
        Column::new("IN FLIGHT", "in_flight", Show::Number),
        Column::new("WHY", "why", Show::Text),
        Column::wide("GIVEN", "given", Show::Number),
        Column::wide("CHECK", "check", Show::Text),
        Column::wide("WEIGHT", "weight", Show::Number),
        Column::wide("SHARE", "share", Show::Number),
    ],
};

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.command {
        None => {
            only_fronts(&args.up)?;
            up::run(&args.up, context)
        }
        Some(command) => context.block_on(ask(command, context)),
    }
}

/// Refuses a file that is not a balancer's alone. What is wrong with it otherwise, starting tells.
fn only_fronts(args: &up::Args) -> Result<(), Failure> {
    let Some(file) = &args.config else {
        return Err(Failure::new(
            Exit::Usage,
            "a balancer needs a file with [balancer]",
            "purlin lb --config FILE; `purlin lb status` asks one that runs",
        ));
    };
    let mut faults = Faults::new();
    let mut document = settings::parse_file(file, &mut faults)?;
    settings::overlay_environment(&mut document, &mut faults);
    let Some(settings) = settings::check(&document, &mut faults).filter(|_| !faults.has_errors()) else {
        return Ok(());
    };
    let name = file.display();
    if settings.balancer.fronts.is_empty() {
        let fix = "add [[balancer.fronts]]; purlin explain balancer.fronts";
        return Err(Failure::failed(format!("{name} has no front"), fix));
    }
    if settings.cluster.enabled {
        let fix =
            "list the backends of each front; members = true is for fronts of a node that `purlin up` runs";
        return Err(Failure::failed(
            format!("{name} makes the balancer a node of a cluster"),
            fix,
        ));
    }
    if settings.services.serve() {
        let fix = "purlin up runs services and fronts together; or take the services' listen keys out";
        return Err(Failure::failed(
            format!("{name} has services beside its fronts"),
            fix,
        ));
    }
    Ok(())
}

async fn ask(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let path = |named: &Named, verb: &str| {
        let (front, backend) = (encode(&named.front), encode(&named.backend));
        let dry = if named.dry_run { "?dryRun=true" } else { "" };
        format!("/api/v1/balancer/fronts/{front}/backends/{backend}/{verb}{dry}")
    };
    let asked = match command {
        Command::Status(args) => {
            let view = context.list_view(args);
            return watched(args, async || {
                let answer = client.value(Ask::get("/api/v1/balancer")).await?;
                if matches!(view.form, Form::Json | Form::Yaml) {
                    output::document(view.form, &answer)
                } else {
                    output::list(&view, BACKENDS, &backends(&answer))
                }
            })
            .await;
        }
        Command::Drain(named) => Ask::post(path(named, "drain")),
        Command::Resume(named) => Ask::post(path(named, "resume")),
    };
    let backend = client.value(asked).await?;
    output::one(&context.view(), BACKENDS, &backend)?;
    Ok(Exit::Ok)
}

/// The backends of all fronts, one after another.
fn backends(answer: &Value) -> Vec<Value> {
    let fronts = answer["fronts"].as_array().into_iter().flatten();
    let backends = fronts.filter_map(|front| front["backends"].as_array());
    backends.flatten().cloned().collect()
}
