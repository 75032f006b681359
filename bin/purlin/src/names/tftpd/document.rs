//! The configuration of a node that serves boot files alone: the user's file, with what it leaves open.
//!
//! A file of the performance guide's shape says nothing of addresses and trees. What is missing is added to a copy in
//! the data directory; a file that says where to listen is used as it is.

use super::Serve;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Paint;
use crate::settings;
use crate::up;
use purlin_config::{Document, Faults, Input};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The copy that is served, and the wishes it was made from.
const SERVED: &str = "tftpd.json";
const WISHES: &str = "tftpd-source.json";
/// Boot files, where no tree is named.
const TREE: &str = "boot";
const LISTEN: &str = "127.0.0.1:6969";

/// The file to serve by.
#[derive(Debug)]
pub(super) enum Served {
    /// The user's own.
    File(PathBuf),
    /// A copy of it with what it leaves open, made anew by [`renew`].
    Copy(PathBuf),
}

/// Makes what is to be served, in the data directory where it has to be made.
pub(super) fn prepare(wanted: &Serve, data_dir: &Path) -> Result<Served, Failure> {
    let own = match &wanted.config {
        Some(file) => read(file)?,
        None => json!({}),
    };
    if let Some(file) = &wanted.config
        && says_where(&own)
        && wanted.listen.is_empty()
        && wanted.root.is_none()
    {
        // Whoever reloads looks at the file first; where there is no directory yet, nobody has started it before.
        if data_dir.is_dir() {
            let file = std::path::absolute(file)?;
            write(
                &data_dir.join(WISHES),
                &json!({ "config": file, "as_it_is": true }),
            )?;
        }
        return Ok(Served::File(file.clone()));
    }
    copy(own, wanted, data_dir).map(Served::Copy)
}

fn copy(own: Value, wanted: &Serve, data_dir: &Path) -> Result<PathBuf, Failure> {
    up::prepare_data_dir(data_dir)?;
    let tree = match &wanted.root {
        Some(root) => std::path::absolute(root)?,
        None => make_tree(data_dir)?,
    };
    let base = if wanted.config.is_some() { own } else { demo(&tree) };
    let whole = complete(base, wanted, &tree);
    let served = data_dir.join(SERVED);
    write(&served, &whole)?;
    let wishes = json!({
        "config": wanted.config.as_deref().map(std::path::absolute).transpose()?,
        "listen": wanted.listen,
        "root": wanted.root.is_some().then_some(tree),
    });
    write(&data_dir.join(WISHES), &wishes)?;
    Ok(served)
}

/// What the last start wished for.
fn wishes(data_dir: &Path) -> Result<Option<Value>, Failure> {
    let Ok(text) = std::fs::read(data_dir.join(WISHES)) else {
        return Ok(None);
    };
    let wishes = serde_json::from_slice(&text).map_err(|cause| {
        Failure::failed(
            format!("{WISHES} cannot be read: {cause}"),
            "stop and start again",
        )
    })?;
    Ok(Some(wishes))
}

/// The user's file that is served, or that the served copy was made from.
pub(super) fn source(data_dir: &Path) -> Result<Option<PathBuf>, Failure> {
    let wishes = wishes(data_dir)?.unwrap_or_default();
    Ok(wishes["config"].as_str().map(PathBuf::from))
}

/// Makes the served copy anew from the file it came from; nothing when a file is served as it is.
pub(super) fn renew(data_dir: &Path) -> Result<(), Failure> {
    let Some(wishes) = wishes(data_dir)?.filter(|wishes| wishes["as_it_is"] != true) else {
        return Ok(());
    };
    let listen = wishes["listen"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = Serve {
        config: wishes["config"].as_str().map(PathBuf::from),
        listen: listen
            .iter()
            .filter_map(|address| address.as_str()?.parse().ok())
            .collect(),
        root: wishes["root"].as_str().map(PathBuf::from),
        quiet: true,
    };
    let own = match &wanted.config {
        Some(file) => read(file)?,
        None => json!({}),
    };
    copy(own, &wanted, data_dir).map(drop)
}

/// `simple-tftpd-datacenter test -c FILE`.
pub(super) fn test(file: &Path) -> Outcome {
    examine(file)?;
    say!("{}: the configuration is good", file.display());
    Ok(Exit::Ok)
}

/// Tells every fault of the file.
pub(super) fn examine(file: &Path) -> Result<(), Failure> {
    let mut faults = Faults::new();
    let document = settings::parse_file(file, &mut faults)?;
    let good = !faults.has_errors() && settings::check(&document, &mut faults).is_some();
    if !faults.is_empty() {
        eprintln!(
            "{}",
            faults.to_text(&document, Paint::stderr().is_on()).trim_end()
        );
    }
    if good {
        return Ok(());
    }
    Err(Failure::failed(
        format!("{} is not a good configuration", file.display()),
        "correct the faults above",
    ))
}

/// The file as a document; faults of its syntax are told with their places.
fn read(file: &Path) -> Result<Value, Failure> {
    let mut faults = Faults::new();
    let document = settings::parse_file(file, &mut faults)?;
    if faults.has_errors() {
        eprintln!(
            "{}",
            faults.to_text(&document, Paint::stderr().is_on()).trim_end()
        );
        let what = format!("{} is not a good configuration", file.display());
        return Err(Failure::failed(what, "correct the faults above"));
    }
    Ok(document.to_json())
}

/// Whether the document itself says where boot files are served, or that they are not.
fn says_where(document: &Value) -> bool {
    let tftp = &document["tftp"];
    tftp.get("listen").is_some() || tftp.get("enabled").is_some() || tftp.pointer("/http/listen").is_some()
}

fn demo(tree: &Path) -> Value {
    let text = purlin_tftp_core::reader::demo(&tree.display().to_string());
    let mut faults = Faults::new();
    Document::parse([Input::builtin("demo-boot.toml", text)], &mut faults).to_json()
}

/// Adds addresses and a tree; those named on the command line win.
fn complete(mut document: Value, wanted: &Serve, tree: &Path) -> Value {
    if !document["tftp"].is_object() {
        document["tftp"] = json!({});
    }
    let tftp = &mut document["tftp"];
    if !wanted.listen.is_empty() {
        tftp["listen"] = json!(wanted.listen);
    } else if tftp.get("listen").is_none() {
        tftp["listen"] = json!([LISTEN]);
    }
    if wanted.root.is_some() || tftp.get("root").is_none() {
        tftp["root"] = tree.to_string_lossy().into();
    }
    document
}

fn make_tree(data_dir: &Path) -> Result<PathBuf, Failure> {
    let tree = std::path::absolute(data_dir)?.join(TREE);
    std::fs::create_dir_all(&tree).map_err(|cause| {
        Failure::failed(
            format!("cannot make {}: {cause}", tree.display()),
            "name a tree with --root, or a data directory you own with --data-dir",
        )
    })?;
    Ok(tree)
}

fn write(file: &Path, value: &Value) -> Result<(), Failure> {
    let text = crate::output::pretty(value);
    // Beside it first, so that a reader never sees half of it.
    let part = file.with_extension("part");
    std::fs::write(&part, text)
        .and_then(|()| std::fs::rename(&part, file))
        .map_err(|cause| {
            Failure::failed(
                format!("cannot write {}: {cause}", file.display()),
                "name a data directory you own with --data-dir",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(listen: &[&str]) -> Serve {
        Serve {
            config: None,
            listen: listen.iter().map(|address| address.parse().unwrap()).collect(),
            root: None,
            quiet: true,
        }
    }

    #[test]
    fn a_guide_shaped_file_gets_an_address_and_a_tree() {
        let guide = json!({"cache": {"enabled": true}});
        assert!(!says_where(&guide));
        let whole = complete(guide, &wanted(&[]), Path::new("/srv/boot"));
        assert_eq!(whole["tftp"]["listen"], json!([LISTEN]));
        assert_eq!(whole["tftp"]["root"], "/srv/boot");
        assert_eq!(whole["cache"]["enabled"], true);
    }

    #[test]
    fn what_the_file_says_stays_unless_the_command_line_says_otherwise() {
        let file = json!({"tftp": {"listen": ["10.0.0.1:69"], "root": "/a"}});
        assert!(says_where(&file));
        let same = complete(file.clone(), &wanted(&[]), Path::new("/b"));
        assert_eq!(same, file);
        let other = complete(file, &wanted(&["127.0.0.1:1069"]), Path::new("/b"));
        assert_eq!(other["tftp"]["listen"], json!(["127.0.0.1:1069"]));
        assert_eq!(other["tftp"]["root"], "/a");
    }
}
