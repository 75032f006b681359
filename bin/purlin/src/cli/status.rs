//! `purlin status` and `purlin version`.

use super::{Context, ListArgs, context::watched};
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form, Kind};
use crate::services;
use serde_json::json;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin status
  purlin status -o json --server https://node1:8081 --ca ca.pem --token-file token")]
pub(crate) struct Args {
    #[command(flatten)]
    list: ListArgs,
}

const KIND: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[],
};

const ABOUT: Kind = Kind {
    plural: "programs",
    name: "name",
    columns: &[],
};

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let view = context.list_view(&args.list);
    watched(&args.list, async || {
        let status = client.value(Ask::get("/api/v1/status")).await?;
        output::one(&view, KIND, &status)
    })
    .await
}

pub(super) fn version(context: &Context) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    if context.form() == Form::Table {
        say!(
            "purlin {version}, built with {}",
            services::BUILT_IN.join(" and ")
        );
        return Ok(Exit::Ok);
    }
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let about = json!({
        "name": "purlin",
        "version": version,
        "licence": env!("CARGO_PKG_LICENSE"),
        "profile": profile,
        "target": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "services": services::BUILT_IN,
        "heap": purlin_heap::name(),
    });
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}
