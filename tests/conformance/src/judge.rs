//! Libraries and tools of Ethereum that judge a running chain. Their scripts are in `tests/conformance/chain`; what they need
//! is put into `target/judges` by `cargo xtask setup`.

use crate::lab::{Lab, text_of};
use crate::need;
use crate::process::run;
use std::path::Path;
use std::process::Command;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/chain");

/// How long a judge may take. Ten seconds are usual with instant blocks, a minute with a block a second.
const SECONDS: &str = "300";

/// One that asks a node everything and says what it thinks of each answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    Ethers,
    Viem,
    Web3,
    Cast,
    Hardhat,
    /// Of validators' votes, by ethers; it is given their keys.
    Votes,
}

impl Judge {
    /// A laboratory in which this judge can work. `None` when this machine cannot run the test; it has said why.
    #[must_use]
    pub fn lab(self) -> Option<Lab> {
        let program = match self {
            Self::Ethers | Self::Viem | Self::Cast | Self::Hardhat | Self::Votes => "node",
            Self::Web3 => "python3",
        };
        let lab = Lab::new(&[program])?;
        need::told(self.lacking()).then_some(lab)
    }

    /// Why it cannot work here.
    fn lacking(self) -> Option<String> {
        let stamps: &[&str] = match self {
            Self::Ethers | Self::Viem | Self::Cast | Self::Hardhat | Self::Votes => &["node.stamp"],
            // The contract is compiled by solc of npm.
            Self::Web3 => &["node.stamp", "python.stamp"],
        };
        let folder = need::judges()?;
        let missing = stamps.iter().find(|stamp| !folder.join(stamp).is_file())?;
        Some(format!(
            "no {} in {} (cargo xtask setup)",
            missing,
            folder.display()
        ))
    }

    /// Judges the node at these addresses in the laboratory's server namespace; everything that it said.
    ///
    /// # Panics
    ///
    /// When a check failed, or when it checked nothing; with the lines of what failed.
    pub fn judges(self, lab: &Lab, http: &str, websocket: &str) -> String {
        self.judges_with(lab, http, websocket, &[])
    }

    /// The same, with further arguments of its script.
    ///
    /// # Panics
    ///
    /// As [`Judge::judges`].
    pub fn judges_with(self, lab: &Lab, http: &str, websocket: &str, more: &[&str]) -> String {
        let folder = need::judges().expect("looked for before the laboratory was made");
        let (program, script) = match self {
            Self::Ethers => ("node".into(), "ethers.mjs"),
            Self::Viem => ("node".into(), "viem.mjs"),
            Self::Web3 => (text_of(&folder.join("python/bin/python")), "web3_check.py"),
            Self::Cast => ("sh".into(), "cast.sh"),
            Self::Hardhat => ("node".into(), "hardhat.mjs"),
            Self::Votes => ("node".into(), "votes.mjs"),
        };
        let script = text_of(&Path::new(SCRIPTS).join(script));
        let mut arguments = vec!["-k", "5", SECONDS, &program, &script, http, websocket];
        arguments.extend(more);
        let mut command = lab.server.command("timeout", &arguments);
        let output = run(command.env("JUDGES", &folder));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("not ok")).collect();
        let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(
            output.status.success() && failed.is_empty() && passed > 0,
            "{self:?} says of this chain ({passed} checks passed):\n{}\n{}",
            failed.join("\n"),
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }
}

/// The runtime bytecode that solc makes of the contract which holds a chain's constitution, hexadecimal in lines, as the
/// committed file has it. `None` when this machine cannot compile it; it has said why.
///
/// # Panics
///
/// When solc does not take the source, or warns of something in it.
#[must_use]
pub fn constitution_compiled() -> Option<String> {
    let program = need::program("node");
    let missing = program.is_none().then(|| "not installed: node".to_owned());
    if !need::told(missing.or_else(|| Judge::Ethers.lacking())) {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder for what solc makes");
    let out = folder.path().join("Constitution.hex");
    let mut command = Command::new(program?);
    command
        .arg(Path::new(SCRIPTS).join("constitution.mjs"))
        .arg(&out)
        .env("JUDGES", need::judges()?);
    let output = run(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "solc says: {said}");
    Some(std::fs::read_to_string(&out).expect("written by the script"))
}
