//! The shipped Helm chart, rendered by Helm and judged by the schemas of Kubernetes. `cargo xtask setup` puts both into
//! `target/judges/deploy`.

use crate::need;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What is shipped.
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");

/// All documents of a YAML text as JSON, as one list.
const YAML: &str =
    "import json, sys, yaml; json.dump([one for one in yaml.safe_load_all(sys.stdin) if one], sys.stdout)";
const TOML: &str = "import json, sys, tomllib; json.dump(tomllib.loads(sys.stdin.read()), sys.stdout)";

/// The chart, and the programs that read it.
#[derive(Debug)]
pub struct Chart {
    programs: PathBuf,
    /// What Helm would keep in the user's home.
    home: TempDir,
}

impl Chart {
    /// `None` when this machine cannot run the test; it has said why.
    #[must_use]
    pub fn new() -> Option<Self> {
        let folder = need::judges()?;
        let stamp = folder.join("deploy.stamp");
        let lacking = || {
            let words = format!("no deploy.stamp in {} (cargo xtask setup)", folder.display());
            (!stamp.is_file()).then_some(words)
        };
        (need::met_plainly(&[]) && need::told(lacking())).then(|| Self {
            programs: folder.join("deploy/bin"),
            home: TempDir::new().expect("a temporary folder can be made"),
        })
    }

    /// The objects of a release `site` with these arguments of `helm template`; what Helm said when it refused.
    ///
    /// # Errors
    /// Everything that Helm wrote to its standard error.
    pub fn rendered(&self, arguments: &[&str]) -> Result<Vec<Value>, String> {
        let mut helm = self.helm("template");
        let output = helm.arg("site").arg(chart()).args(arguments).output();
        let output = output.expect("setup installed it");
        if output.status.success() {
            Ok(self.read(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// What `helm lint --strict` says of the chart with an example's values.
    #[must_use]
    pub fn lint(&self, example: &str) -> (bool, String) {
        let mut helm = self.helm("lint");
        let output = helm
            .arg("--strict")
            .arg(chart())
            .args(["-f", &self.example(example)])
            .output();
        let output = output.expect("setup installed it");
        (
            output.status.success(),
            text(&output.stdout) + &text(&output.stderr),
        )
    }

    /// The path of one of the chart's examples.
    #[must_use]
    pub fn example(&self, name: &str) -> String {
        format!("{}/examples/{name}.yaml", chart().display())
    }

    /// The objects of the plain manifests in a folder of `deploy/kubernetes`.
    #[must_use]
    pub fn plain(&self, folder: &str) -> Vec<Value> {
        let entries = Path::new(DEPLOY).join("kubernetes").join(folder);
        let files = std::fs::read_dir(entries).expect("it is shipped");
        let paths = files.map(|entry| entry.expect("it can be listed").path());
        let manifests = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        manifests
            .flat_map(|path| self.read(&std::fs::read(path).expect("it is shipped")))
            .collect()
    }

    /// Whether the strict schemas of Kubernetes take these objects.
    ///
    /// # Panics
    /// With what they say, when they do not.
    pub fn judge(&self, objects: &[Value]) {
        let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
        let mut validate = Command::new(self.programs.join("kubernetes-validate"));
        validate.args(["--strict", "/dev/stdin"]);
        let output = fed(&mut validate, documents.join("\n---\n").as_bytes());
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(
            said.matches(" passed for resource ").count(),
            objects.len(),
            "{said}"
        );
    }

    /// A TOML text as JSON.
    #[must_use]
    pub fn toml(&self, toml: &str) -> Value {
        self.python(TOML, toml.as_bytes())
    }

    fn read(&self, yaml: &[u8]) -> Vec<Value> {
        match self.python(YAML, yaml) {
            Value::Array(objects) => objects,
            other => panic!("no list: {other}"),
        }
    }

    fn python(&self, program: &str, input: &[u8]) -> Value {
        let mut python = Command::new(self.programs.join("python"));
        let output = fed(python.args(["-c", program]), input);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON was asked for")
    }

    fn helm(&self, verb: &str) -> Command {
        let mut helm = Command::new(self.programs.join("helm"));
        for variable in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(variable, self.home.path());
        }
        helm.arg(verb);
        helm
    }
}

fn chart() -> PathBuf {
    Path::new(DEPLOY).join("chart")
}

/// What a program says to this input.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("setup installed it");
    let mut pipe = child.stdin.take().expect("it is piped");
    // Smaller than a pipe is: nobody has to read meanwhile.
    pipe.write_all(input).expect("it reads");
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
