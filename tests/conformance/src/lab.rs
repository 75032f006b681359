//! The folder and the namespaces of one test.

use crate::need;
use crate::node::Node;
use crate::space::Space;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A test's own world: a server namespace with `s0`, a client namespace with `c0`, a folder.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: programs live in the namespaces, files outlive both.
    pub client: Space,
    pub server: Space,
    folder: TempDir,
}

impl Lab {
    /// A server at 10.77.0.1/16 on `s0`, joined with `c0`. `None` when this machine cannot run the test.
    #[must_use]
    pub fn new(programs: &[&str]) -> Option<Self> {
        let all: Vec<&str> = programs.iter().copied().chain(["ip", "curl"]).collect();
        if !need::met(&all) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let server = Space::make("s", folder.path().to_owned());
        let client = Space::make("c", folder.path().to_owned());
        server.join("s0", &client, "c0");
        server.ip("addr add 10.77.0.1/16 dev s0");
        let lab = Self {
            client,
            server,
            folder,
        };
        lab.write_hook();
        Some(lab)
    }

    /// One more namespace, for a relay or a second segment.
    #[must_use]
    pub fn space(&self, what: &str) -> Space {
        Space::make(what, self.folder.path().to_owned())
    }

    /// This test's folder.
    pub(crate) fn folder(&self) -> String {
        text_of(self.folder.path())
    }

    /// A file in this test's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its path as text.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the laboratory's folder can be written");
        text_of(&path)
    }

    /// A node with this configuration in the server namespace, ready to serve.
    #[must_use]
    pub fn node(&self, config: &str) -> Node<'_> {
        Node::start(self, &self.server, config)
    }

    /// What `purlin ... -o json` prints when it is run beside the clients.
    ///
    /// # Panics
    ///
    /// When it fails or prints something else.
    #[must_use]
    pub fn json_at_client(&self, arguments: &[&str]) -> Value {
        let binary = text_of(&need::purlin().expect("checked before the laboratory was made"));
        let all: Vec<&str> = arguments.iter().copied().chain(["-o", "json"]).collect();
        let output = self.client.run(&binary, &all);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "purlin {}: {out}{err}",
            arguments.join(" ")
        );
        serde_json::from_str(&out).unwrap_or_else(|cause| panic!("{cause} in {out}"))
    }

    /// Path of the script that clients call; it leaves the machine's resolver and addresses alone.
    #[must_use]
    pub fn hook(&self) -> String {
        text_of(&self.path("hook"))
    }

    /// What the clients told their script: `reason=BOUND`, `new_ip_address=...`, `ip=...`.
    #[must_use]
    pub fn told(&self) -> String {
        std::fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    /// Writes down what a client says it got. The clients pass a cleaned environment, so the path is in the text.
    fn write_hook(&self) {
        use std::os::unix::fs::PermissionsExt;
        let told = text_of(&self.path("told"));
        let script = format!(
            "#!/bin/sh\n{{ echo \"call=$1\"; env | grep -E '^(reason|interface|new_|ip|router|dns|lease|serverid|siaddr|boot_file|mask|staticroutes)'; echo; }} >>{told}\nexit 0\n"
        );
        let path = self.path("hook");
        std::fs::write(&path, script).expect("the laboratory's folder can be written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("our own file can be changed");
    }
}

pub(crate) fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
