//! Libraries and tools that judge: npm packages, a Python environment and a compiled contract for the chain, Helm and the
//! schemas of Kubernetes for what is shipped, all of them in `target/judges`. What is in folders of `tests/conformance` says
//! which; nothing is installed into the checkout.

use crate::repo::Repo;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SOURCE: &str = "tests/conformance";

/// A registry that does not answer must not keep everything else waiting.
const SECONDS: &str = "300";

/// Something that is installed once, and again when one of the files is another one.
struct Part {
    name: &'static str,
    programs: &'static [&'static str],
    /// Where the files are, in [`SOURCE`].
    folder: &'static str,
    files: &'static [&'static str],
    /// Written when everything is there; tests look for it.
    stamp: &'static str,
    install: fn(&Place) -> Result<(), String>,
}

const PARTS: &[Part] = &[
    Part {
        name: "ethers, viem, cast, hardhat and solc",
        programs: &["node", "npm"],
        folder: "chain",
        files: &[
            "package.json",
            "package-lock.json",
            ".npmrc",
            "Probe.sol",
            "compile.mjs",
        ],
        stamp: "node.stamp",
        install: npm,
    },
    Part {
        name: "web3.py",
        programs: &["python3"],
        folder: "chain",
        files: &["requirements.txt"],
        stamp: "python.stamp",
        install: |place| python(place, "python"),
    },
    Part {
        name: "Helm and kubernetes-validate",
        programs: &["python3"],
        folder: "deploy",
        files: &["requirements.txt"],
        stamp: "deploy.stamp",
        install: |place| python(place, "deploy"),
    },
];

/// Where things come from and where they go.
struct Place {
    source: PathBuf,
    target: PathBuf,
}

/// Installs what is missing, half a minute once; `false` when something could not be had.
pub(super) fn run(repo: &Repo) -> Result<bool, String> {
    let mut whole = true;
    for part in PARTS {
        let place = Place {
            source: repo.root.join(SOURCE).join(part.folder),
            target: repo.target()?.join("judges"),
        };
        if let Err(reason) = part.ready(&place) {
            whole = false;
            println!(
                "   {} cannot be installed: {reason}; their tests will be skipped",
                part.name
            );
        }
    }
    Ok(whole)
}

impl Part {
    fn ready(&self, place: &Place) -> Result<(), String> {
        let wanted = self.wanted(place)?;
        let stamp = place.target.join(self.stamp);
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(());
        }
        let missing: Vec<&str> = self
            .programs
            .iter()
            .copied()
            .filter(|program| super::find(program).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(format!("{} not installed", missing.join(" and ")));
        }
        println!("   installing {}", self.name);
        // A part that is half there must not look whole to the next run.
        let _ = fs::remove_file(&stamp);
        fs::create_dir_all(&place.target).map_err(|cause| cannot(&place.target, &cause))?;
        (self.install)(place)?;
        fs::write(&stamp, wanted).map_err(|cause| cannot(&stamp, &cause))
    }

    /// What the stamp must say: the files themselves, which are small.
    fn wanted(&self, place: &Place) -> Result<String, String> {
        self.files
            .iter()
            .map(|file| {
                let file = place.source.join(file);
                fs::read_to_string(&file).map_err(|cause| cannot(&file, &cause))
            })
            .collect()
    }
}

fn npm(place: &Place) -> Result<(), String> {
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        let (from, to) = (place.source.join(file), place.target.join(file));
        fs::copy(&from, &to).map_err(|cause| cannot(&from, &cause))?;
    }
    // Not `ci`: that wants the programs of every other platform in the lock file, whether a registry has them or not.
    let mut install = bounded("npm");
    install
        .args(["install", "--loglevel=error", "--no-progress"])
        .current_dir(&place.target);
    done(&mut install)?;
    let mut compile = bounded("node");
    compile
        .arg(place.source.join("compile.mjs"))
        .arg(place.target.join("Probe.json"))
        .env("JUDGES", &place.target);
    done(&mut compile)
}

/// A Python environment of this name.
fn python(place: &Place, name: &str) -> Result<(), String> {
    let folder = place.target.join(name);
    let mut make = bounded("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    done(&mut make).map_err(|cause| format!("{cause} (package python3-venv)"))?;
    let mut install = Command::new("timeout");
    install
        .args(["-k", "5", SECONDS])
        .arg(folder.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(place.source.join("requirements.txt"));
    done(&mut install)
}

fn bounded(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", SECONDS, program]);
    command
}

/// Runs it to its end without a word; the last line of what it said is the reason when it fails.
fn done(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|cause| format!("cannot run timeout: {cause}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let words = |line: &&str| !line.trim().is_empty() && !line.contains("complete log");
    let last = said.lines().rev().find(words);
    Err(last
        .unwrap_or("it took too long, or ended without a word")
        .to_owned())
}

fn cannot(file: &Path, cause: &std::io::Error) -> String {
    format!("{}: {cause}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(place: &Place) -> Result<(), String> {
        let file = place.target.join("count");
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, before + "x").map_err(|cause| cannot(&file, &cause))
    }

    #[test]
    fn a_part_is_installed_once_for_each_state_of_its_files() {
        let folder = std::env::temp_dir().join(format!("purlin-judges-{}", std::process::id()));
        let place = Place {
            source: folder.join("source"),
            target: folder.join("target"),
        };
        fs::create_dir_all(&place.source).unwrap();
        let part = |programs| Part {
            name: "a part",
            programs,
            folder: "",
            files: &["list"],
            stamp: "stamp",
            install,
        };
        let count = || {
            fs::read_to_string(place.target.join("count"))
                .unwrap_or_default()
                .len()
        };
        fs::write(place.source.join("list"), "one").unwrap();
        for _ in 0..2 {
            part(&["sh"]).ready(&place).unwrap();
            assert_eq!(count(), 1);
        }
        fs::write(place.source.join("list"), "two").unwrap();
        part(&["sh"]).ready(&place).unwrap();
        assert_eq!(count(), 2);
        fs::write(place.source.join("list"), "three").unwrap();
        let missing = part(&["no-such-program"]).ready(&place).unwrap_err();
        assert_eq!(missing, "no-such-program not installed");
        fs::remove_dir_all(&folder).unwrap();
    }
}
