//! The checkout: where it is, which files are tracked, which packages it has.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout this program was built from.
#[derive(Debug)]
pub(crate) struct Repo {
    pub(crate) root: PathBuf,
}

/// A package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder under the root, with `/`: `crates/dhcp/core`.
    pub(crate) folder: String,
    /// Names of what it depends on, workspace packages and others, development dependencies included.
    pub(crate) dependencies: Vec<String>,
}

impl Repo {
    pub(crate) fn open() -> Result<Self, String> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().ok_or("xtask has no parent folder")?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Tracked and new files, without what git ignores; paths under the root.
    pub(crate) fn files(&self) -> Result<Vec<String>, String> {
        let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let text = output(self.command("git").args(arguments))?;
        let mut files: Vec<String> = text
            .split('\0')
            .filter(|f| !f.is_empty())
            .map(str::to_owned)
            .collect();
        files.retain(|file| self.root.join(file).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Files whose names end in one of `endings`.
    pub(crate) fn files_ending(&self, endings: &[&str]) -> Result<Vec<String>, String> {
        let mut files = self.files()?;
        files.retain(|file| endings.iter().any(|ending| file.ends_with(ending)));
        Ok(files)
    }

    pub(crate) fn read(&self, file: &str) -> Result<String, String> {
        let bytes =
            std::fs::read(self.root.join(file)).map_err(|cause| format!("cannot read {file}: {cause}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A command that starts in the root.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    pub(crate) fn cargo(&self) -> Command {
        self.command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
    }

    /// All packages of the workspace.
    pub(crate) fn packages(&self) -> Result<Vec<Package>, String> {
        let metadata = self.metadata()?;
        let packages = metadata["packages"]
            .as_array()
            .ok_or("cargo metadata lists no packages")?;
        Ok(packages.iter().map(|package| self.package(package)).collect())
    }

    /// Names of the packages that have features on by default.
    pub(crate) fn packages_with_defaults(&self) -> Result<Vec<String>, String> {
        let metadata = self.metadata()?;
        let packages = metadata["packages"].as_array();
        let packages = packages.ok_or("cargo metadata lists no packages")?.iter();
        let with = packages.filter(|package| package["features"]["default"].is_array());
        Ok(with
            .filter_map(|package| package["name"].as_str())
            .map(str::to_owned)
            .collect())
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> Result<PathBuf, String> {
        let metadata = self.metadata()?;
        Ok(PathBuf::from(
            metadata["target_directory"]
                .as_str()
                .ok_or("cargo metadata names no target folder")?,
        ))
    }

    fn metadata(&self) -> Result<Value, String> {
        let text = output(
            self.cargo()
                .args(["metadata", "--format-version", "1", "--no-deps"]),
        )?;
        serde_json::from_str(&text).map_err(|cause| format!("cargo metadata: {cause}"))
    }

    fn package(&self, package: &Value) -> Package {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest
            .parent()
            .and_then(|folder| folder.strip_prefix(&self.root).ok());
        let dependencies = package["dependencies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Package {
            name: text(&package["name"]),
            folder: folder
                .map(|folder| folder.to_string_lossy().into_owned())
                .unwrap_or_default(),
            dependencies: dependencies
                .iter()
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        }
    }
}

/// Runs a command for its output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|cause| format!("cannot run {name}: {cause}"))?;
    if !output.status.success() {
        return Err(format!(
            "{name} failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
