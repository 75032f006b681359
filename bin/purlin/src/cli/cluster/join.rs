//! `purlin join`: makes this machine a node of a cluster, with a token from one of its members.

use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Form;
use purlin_fabric_mesh::{BadToken, Clock, JoinError, JoinToken, Joined, Wish, join};
use purlin_netio::now;
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  purlin join TOKEN
  purlin join TOKEN --node-id node-4 --node-ip 10.0.0.14
  purlin join TOKEN --config ./node-4.toml --data-dir ./node-4

The token comes from a member: purlin cluster token create --for node-4
The key is made here and stays here. What the node runs with is written to --config, for its owner only: look through
it before the start, above all where it listens.")]
pub(crate) struct Args {
    /// The token; - reads it from standard input, so that it is in no list of processes.
    token: String,
    /// Name of this node; what the token says when not given.
    #[arg(long, value_name = "NODE", value_parser = NodeId::parse)]
    node_id: Option<NodeId>,
    /// IPv4 address where the other nodes reach this one; the one that it reaches the member from when not given.
    #[arg(long, value_name = "ADDRESS")]
    node_ip: Option<Ipv4Addr>,
    /// Where to write the configuration; nothing may be there yet.
    #[arg(
        long,
        short = 'c',
        value_name = "FILE",
        default_value = "/etc/purlin/purlin.toml"
    )]
    config: PathBuf,
}

/// Where a node that joins keeps its data unless told otherwise.
const DATA_DIR: &str = "/var/lib/purlin";

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let token = read_token(&args.token)?;
    let data_dir = context.named_data_dir().unwrap_or(Path::new(DATA_DIR));
    let data_dir = std::path::absolute(data_dir)?;
    // Before the token is shown to anybody: it works once.
    let mut file = Draft::begin(&args.config)?;
    make_folder(&data_dir)?;
    let wish = Wish {
        node: args.node_id.clone(),
        address: args.node_ip.map(IpAddr::V4),
        clock: Clock::new(|| now().wall),
    };
    let joined = join(&token, &wish).await.map_err(|cause| refused(&cause))?;
    joined
        .identity
        .save(&data_dir.join("mesh"))
        .map_err(|cause| Failure::failed(cause.to_string(), "check the data directory and its owner"))?;
    file.finish(&configuration(&joined, &data_dir)?)?;
    tell(context, &joined, &args.config)
}

fn read_token(text: &str) -> Result<JoinToken, Failure> {
    let text = if text == "-" {
        std::io::read_to_string(std::io::stdin().lock())?
    } else {
        text.to_owned()
    };
    text.parse()
        .map_err(|cause: BadToken| Failure::usage(cause.to_string(), cause.fix()))
}

fn refused(cause: &JoinError) -> Failure {
    let exit = match cause {
        JoinError::Refused(refusal) if refusal.status == 409 => Exit::Conflict,
        JoinError::Refused(refusal) if matches!(refusal.status, 403 | 410) => Exit::Denied,
        JoinError::Untrusted { .. } => Exit::Denied,
        JoinError::Unreachable(_) => Exit::Unreachable,
        _ => Exit::Failed,
    };
    Failure::new(exit, format!("this machine did not join: {cause}"), cause.fix())
}

/// What the member gave, with where this node keeps its data.
fn configuration(joined: &Joined, data_dir: &Path) -> Result<String, Failure> {
    let mut config = joined.configuration.clone();
    config["node"]["data_dir"] = json!(data_dir);
    without_null(&mut config);
    let text = toml::to_string(&config).map_err(|cause| {
        Failure::failed(
            format!(
                "the configuration that {} gave cannot be written: {cause}",
                joined.member
            ),
            "run the same version of Purlin on all nodes",
        )
    })?;
    Ok(format!(
        "# Written by `purlin join` from what {} runs with. It holds the cluster's secret.\n\n{text}",
        joined.member
    ))
}

/// TOML has no word for nothing.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(table) => {
            table.retain(|_, value| !value.is_null());
            table.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn tell(context: &Context, joined: &Joined, config: &Path) -> Outcome {
    let start = format!("purlin up --config {}", config.display());
    let id = &joined.identity.id;
    if context.form() == Form::Table {
        say!(
            "{id} is a member at {}; its configuration is in {}",
            joined.address,
            config.display()
        );
        say!("start it with: {start}");
    } else {
        let said = json!({
            "node": id.as_str(),
            "address": joined.address,
            "member": joined.member,
            "config": config,
            "certificate_serial": joined.identity.serial.as_str(),
            "command": start,
        });
        say!("{said:#}");
    }
    Ok(Exit::Ok)
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    let mut maker = fs::DirBuilder::new();
    let made = maker.recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| {
        let what = format!("{} cannot be made: {cause}", folder.display());
        Failure::failed(
            what,
            "run it as the user that the node runs as, or name another --data-dir",
        )
    })
}

/// A file that is not there yet; removed again when nothing comes of it.
struct Draft {
    path: PathBuf,
    file: fs::File,
    done: bool,
}

impl Draft {
    fn begin(path: &Path) -> Result<Self, Failure> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            make_folder(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|cause| {
            let what = format!("{} cannot be written: {cause}", path.display());
            let fix = "move the old file away, or name another one with --config; the token was not used";
            Failure::failed(what, fix)
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            done: false,
        })
    }

    fn finish(&mut self, text: &str) -> Result<(), Failure> {
        self.file.write_all(text.as_bytes())?;
        self.file.sync_all()?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // It was made by this process a moment ago; if it cannot be removed, the next try says so.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_overwritten_and_a_failed_try_leaves_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("purlin.toml");
        drop(Draft::begin(&path).unwrap());
        assert!(!path.exists());
        Draft::begin(&path).unwrap().finish("x = 1\n").unwrap();
        let again = Draft::begin(&path).err().expect("it is there");
        assert!(again.fix.contains("the token was not used"), "{again}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "x = 1\n");
    }

    #[test]
    fn a_configuration_is_toml_without_what_is_nothing() {
        let mut config = json!({ "node": { "id": "n", "site": null }, "dhcp": { "subnets": [{ "name": "a", "x": null }] } });
        without_null(&mut config);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(text, "[node]\nid = \"n\"\n\n[[dhcp.subnets]]\nname = \"a\"\n");
    }

    #[test]
    fn a_text_that_is_no_token_is_a_wrong_command_line() {
        let failure = read_token("nonsense").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.what.contains("no join token"), "{failure}");
    }
}
