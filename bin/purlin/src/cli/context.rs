//! What every command may need: the person's global wishes, a client, a view.

use crate::client::{Client, Endpoint, Wishes};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Filter, Form, View};
use clap::Args;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a node keeps its data unless told otherwise.
pub(crate) const DEFAULT_DATA_DIR: &str = "./purlin-data";

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// Show the answer as table, wide, json, yaml, name or csv.
    #[arg(
        short = 'o',
        long = "output",
        global = true,
        value_enum,
        default_value = "table",
        value_name = "FORM"
    )]
    #[arg(
        hide_possible_values = true,
        hide_default_value = true,
        help_heading = "Output"
    )]
    form: Form,
    /// The node's API [env: PURLIN_SERVER; else the node of the data directory, else http://127.0.0.1:8080].
    // The name of its own keeps it apart from the DHCP server that some commands take as an argument.
    #[arg(
        id = "api_url",
        long = "server",
        global = true,
        env = "PURLIN_SERVER",
        hide_env = true,
        value_name = "URL",
        help_heading = "Connection"
    )]
    server: Option<String>,
    /// Token for the API [env: PURLIN_TOKEN; else the data directory's admin token, on this machine only].
    #[arg(
        long,
        global = true,
        env = "PURLIN_TOKEN",
        hide_env = true,
        help_heading = "Connection"
    )]
    token: Option<String>,
    /// File that holds the token [env: PURLIN_TOKEN_FILE].
    #[arg(
        long,
        global = true,
        env = "PURLIN_TOKEN_FILE",
        hide_env = true,
        value_name = "FILE"
    )]
    #[arg(conflicts_with = "token", help_heading = "Connection")]
    token_file: Option<PathBuf>,
    /// Certificate of the CA to trust [env: PURLIN_CA].
    #[arg(
        long,
        global = true,
        env = "PURLIN_CA",
        hide_env = true,
        value_name = "FILE",
        help_heading = "Connection"
    )]
    ca: Option<PathBuf>,
    /// The node's data directory [env: PURLIN_DATA_DIR; else ./purlin-data].
    #[arg(
        long,
        global = true,
        env = "PURLIN_DATA_DIR",
        hide_env = true,
        value_name = "DIR"
    )]
    #[arg(help_heading = "Connection")]
    data_dir: Option<PathBuf>,
}

/// Flags of commands that list things.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// Show these columns, by header or by key of the JSON form.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "COLUMN,...",
        help_heading = "Output"
    )]
    columns: Vec<String>,
    /// Only rows where KEY=VALUE, KEY!=VALUE, KEY~=PART, or that hold TEXT anywhere; may be repeated.
    #[arg(long = "filter", value_name = "CONDITION", help_heading = "Output")]
    filters: Vec<Filter>,
    /// Leave out the header line.
    #[arg(long, help_heading = "Output")]
    no_headers: bool,
    /// Show again every SECONDS until interrupted.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Output")]
    watch: Option<u64>,
}

/// The person's wishes, settled.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    globals: Globals,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        Self { globals }
    }

    pub(crate) fn form(&self) -> Form {
        self.globals.form
    }

    pub(crate) fn view(&self) -> View {
        View::new(self.globals.form)
    }

    pub(crate) fn list_view(&self, args: &ListArgs) -> View {
        View {
            form: self.globals.form,
            columns: args.columns.clone(),
            filters: args.filters.clone(),
            headers: !args.no_headers,
        }
    }

    /// Whether a node's API was named.
    #[cfg_attr(
        not(any(feature = "chain", feature = "tftp")),
        expect(dead_code, reason = "only what works on a data directory, too, asks")
    )]
    pub(crate) fn names_a_server(&self) -> bool {
        self.globals.server.is_some()
    }

    /// The data directory, when one was named.
    pub(crate) fn named_data_dir(&self) -> Option<&Path> {
        self.globals.data_dir.as_deref()
    }

    pub(crate) fn data_dir(&self) -> &Path {
        self.named_data_dir().unwrap_or(Path::new(DEFAULT_DATA_DIR))
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        Endpoint::resolve(&Wishes {
            server: self.globals.server.clone(),
            token: self.globals.token.clone(),
            token_file: self.globals.token_file.clone(),
            ca: self.globals.ca.clone(),
            data_dir: self.data_dir().to_owned(),
        })
    }

    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.endpoint().map(Client::new)
    }

    /// Runs a command that talks over the network: one thread is plenty.
    pub(crate) fn block_on(&self, command: impl Future<Output = Outcome>) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(command)
    }
}

/// Shows something once, or again and again when `--watch` asks for it; ends with Ctrl-C.
pub(crate) async fn watched<F>(args: &ListArgs, mut show: F) -> Outcome
where
    F: AsyncFnMut() -> Result<(), Failure>,
{
    let Some(every) = args.watch else {
        return show().await.map(|()| Exit::Ok);
    };
    loop {
        if output::on_terminal() {
            // Home and clear, so that the picture stands still.
            print!("\x1b[H\x1b[2J");
            std::io::stdout().flush()?;
        }
        show().await?;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(every)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
        }
    }
}
