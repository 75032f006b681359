//! The programs that keep the databases.

use super::Daemon;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One member of a cluster that has no others, so that transactions have names.
pub(crate) fn member(folder: &Path) -> Daemon {
    let made = Command::new("ovsdb-tool")
        .arg("create-cluster")
        .arg(folder.join("nb.db"))
        .arg("/usr/share/ovn/ovn-nb.ovsschema")
        .arg(format!("unix:{}", folder.join("raft.sock").display()))
        .status();
    assert!(made.expect("ovsdb-tool runs").success());
    let made = Command::new("ovsdb-tool")
        .arg("create")
        .arg(folder.join("sb.db"))
        .arg("/usr/share/ovn/ovn-sb.ovsschema")
        .status();
    assert!(made.expect("ovsdb-tool runs").success());
    serve(folder)
}

/// `ovsdb-server` with both databases.
pub(crate) fn database(folder: &Path) -> Daemon {
    for name in ["nb", "sb"] {
        made(folder, name, &schema(name));
    }
    serve(folder)
}

pub(super) fn schema(name: &str) -> PathBuf {
    PathBuf::from(format!("/usr/share/ovn/ovn-{name}.ovsschema"))
}

pub(super) fn made(folder: &Path, name: &str, schema: &Path) {
    let made = Command::new("ovsdb-tool")
        .arg("create")
        .arg(folder.join(format!("{name}.db")))
        .arg(schema)
        .status();
    assert!(made.expect("ovsdb-tool runs").success());
}

pub(super) fn serve(folder: &Path) -> Daemon {
    let server = Command::new("ovsdb-server")
        .arg(format!("--remote=punix:{}", folder.join("db.sock").display()))
        .arg(format!("--unixctl={}", folder.join("db.ctl").display()))
        .arg(folder.join("nb.db"))
        .arg(folder.join("sb.db"))
        .stderr(Stdio::null())
        .spawn();
    Daemon(server.expect("ovsdb-server starts"))
}
