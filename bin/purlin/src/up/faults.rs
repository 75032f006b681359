//! Failures of the parts, in the words of the command line.

use crate::client::NodeFile;
use crate::exit::{Failure, chain};
use purlin_api::Problem;
use purlin_store::OpenError;
use purlin_telemetry::reason::general;
use std::path::Path;

/// The store could not be opened.
pub(super) fn unopened(cause: &OpenError, data_dir: &Path) -> Failure {
    let dir = data_dir.display();
    let (mut failure, code) = match cause {
        OpenError::Locked { .. } => {
            let node = NodeFile::read(data_dir).filter(NodeFile::is_alive);
            let who = node.map_or_else(
                || "another process".to_owned(),
                |node| format!("process {}", node.pid),
            );
            let what = format!("the data directory {dir} is in use by {who}");
            (
                Failure::failed(what, "stop it, or give this node its own with --data-dir"),
                general::STORE_IN_USE,
            )
        }
        OpenError::Damaged { .. } => {
            let fix = "restore the newest backup into another directory; keep this one for inspection";
            (Failure::failed(chain(cause), fix), general::STORE_DAMAGED)
        }
        OpenError::Io { .. } => {
            let what = format!("cannot open the store: {}", chain(cause));
            return Failure::failed(what, format!("purlin doctor --data-dir {dir}"));
        }
    };
    failure.code = Some(code.to_string());
    failure
}

/// The API crate found something wrong.
pub(super) fn broken(what: &str, problem: &Problem) -> Failure {
    let mut failure = Failure::failed(
        format!("cannot read {what}: {}", problem.detail()),
        problem.reason().fix,
    );
    failure.code = Some(problem.reason().code.to_string());
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_directory_says_so_with_its_code() {
        let failure = unopened(&OpenError::Locked { path: "/d".into() }, Path::new("/d"));
        assert_eq!(failure.what, "the data directory /d is in use by another process");
        assert_eq!(failure.code.as_deref(), Some("PUR-8004"));
    }
}
