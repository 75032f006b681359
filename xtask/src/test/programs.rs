//! The test programs that cargo has built: which they are, and how each is run.

use crate::repo::Repo;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    /// The package, and the file that it is made of: `purlin-api tests/it/main.rs`.
    pub(super) name: String,
    pub(super) package: String,
    folder: PathBuf,
    file: PathBuf,
}

impl Program {
    /// Those in what cargo says with `--message-format=json`, in its order.
    pub(super) fn all(said: &str) -> Vec<Self> {
        let messages = said.lines().filter_map(|line| serde_json::from_str(line).ok());
        messages.filter_map(|message: Value| Self::of(&message)).collect()
    }

    fn of(message: &Value) -> Option<Self> {
        let is_test = message["profile"]["test"].as_bool()?;
        let file = PathBuf::from(message["executable"].as_str()?);
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let folder = manifest.parent()?.to_owned();
        let source = Path::new(message["target"]["src_path"].as_str()?);
        let source = source.strip_prefix(&folder).unwrap_or(source).display();
        // path+file:///…/crates/api#purlin-api@0.1.0, without the name where the folder has it.
        let id = message["package_id"].as_str()?.rsplit(['#', '/']).next()?;
        let package = match id.split_once('@') {
            Some((name, _)) => name.to_owned(),
            None => folder.file_name()?.to_string_lossy().into_owned(),
        };
        is_test.then(|| Self {
            name: format!("{package} {source}"),
            package,
            folder,
            file,
        })
    }

    /// As cargo runs it: from its package's folder. A modest one takes what others leave of the machine.
    pub(super) fn command(&self, repo: &Repo, modest: bool) -> Command {
        let mut command = if modest {
            let mut nice = repo.command("nice");
            nice.args(["-n", "19"]).arg(&self.file);
            nice
        } else {
            repo.command(&self.file.to_string_lossy())
        };
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_what_cargo_built_for_tests() {
        let artifact = |id: &str, test: bool, executable: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"package_id\":\"{id}\",\"manifest_path\":\"/p/crates/api/Cargo.toml\",\
                 \"target\":{{\"src_path\":\"/p/crates/api/tests/it/main.rs\"}},\"profile\":{{\"test\":{test}}},\
                 \"executable\":{executable}}}\n"
            )
        };
        let said = [
            artifact(
                "path+file:///p/crates/api#purlin-api@0.1.0",
                true,
                "\"/t/deps/it-1\"",
            ),
            artifact("path+file:///p/crates/api#0.1.0", true, "\"/t/deps/it-2\""),
            artifact("path+file:///p/crates/api#purlin-api@0.1.0", true, "null"),
            artifact(
                "path+file:///p/crates/api#purlin-api@0.1.0",
                false,
                "\"/t/purlin\"",
            ),
            "{\"reason\":\"build-finished\",\"success\":true}\n".to_owned(),
        ];
        let found = Program::all(&said.concat());
        let names: Vec<_> = found.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["purlin-api tests/it/main.rs", "api tests/it/main.rs"]);
        assert_eq!(found[0].folder, Path::new("/p/crates/api"));
        assert_eq!(found[1].file, Path::new("/t/deps/it-2"));
    }
}
