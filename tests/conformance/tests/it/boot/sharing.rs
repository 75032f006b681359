//! Two boot file servers that meet in one Redis.

use purlin_conformance::{met_plainly, program, purlin, until};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> Running {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    Running(quiet.spawn().expect("it was found before"))
}

/// Free for UDP and TCP a moment ago.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has ports");
    let port = socket.local_addr().expect("it is bound").port();
    if TcpListener::bind(("127.0.0.1", port)).is_ok() {
        port
    } else {
        free_port()
    }
}

struct Node {
    tftp: u16,
    api: u16,
    /// Of its API, with the word before it.
    token: String,
    running: Running,
}

impl Node {
    /// Over the tree in `folder`, with its own data there.
    fn start(folder: &Path, id: &str, redis: u16) -> Self {
        let (tftp, api) = (free_port(), free_port());
        let file = folder.join(format!("{id}.toml"));
        let text = format!(
            "[node]\nid = \"{id}\"\n[api]\nhttp = [\"127.0.0.1:{api}\"]\nhttps = []\nmetrics = []\n\
             [coordination]\nengine = \"redis\"\nurl = \"redis://127.0.0.1:{redis}\"\n\
             [tftp]\nlisten = [\"127.0.0.1:{tftp}\"]\nroot = \"{}\"\n[tftp.cache]\nshared = \"cluster\"\n",
            folder.join("tree").display()
        );
        std::fs::write(&file, text).expect("the folder is ours");
        let mut command = Command::new(purlin().expect("asked for before"));
        command.arg("up").arg("--data-dir").arg(folder.join(id));
        let running = start(command.arg("--config").arg(&file));
        let mut node = Self {
            tftp,
            api,
            token: String::new(),
            running,
        };
        until("the node answered", || {
            node.ask("/health/ready").contains("\"ready\"")
        });
        let token = std::fs::read_to_string(folder.join(id).join("admin-token"));
        node.token = format!(
            "Authorization: Bearer {}",
            token.expect("a node makes one").trim()
        );
        node
    }

    fn ask(&self, path: &str) -> String {
        let url = format!("http://127.0.0.1:{}{path}", self.api);
        let output = Command::new("curl")
            .args(["-s", "-m", "5", "-H", &self.token, &url])
            .output();
        String::from_utf8_lossy(&output.expect("asked for before").stdout).into_owned()
    }

    /// The sum of a counter over its labels.
    fn counter(&self, name: &str) -> f64 {
        let text = self.ask("/metrics");
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// What the node's TFTP gives for a name; `None` when it refuses.
    fn get(&self, folder: &Path, name: &str) -> Option<Vec<u8>> {
        let to = folder.join("got");
        let _ = std::fs::remove_file(&to);
        let mut command = Command::new(purlin().expect("asked for before"));
        command.args(["tftp", "get", &format!("127.0.0.1:{}", self.tftp), name]);
        let output = command.arg(&to).output().expect("it runs");
        output
            .status
            .success()
            .then(|| std::fs::read(&to).expect("it was written"))
    }
}

/// Any node serves any file; a miss that one paid for is known to the other; without Redis, and with one node dead,
/// the other goes on.
#[test]
fn s2_34_files_are_served_by_any_node_whatever_happens_to_redis_or_the_other() {
    if !met_plainly(&["redis-server", "curl"]) {
        return;
    }
    let folder = TempDir::new().expect("a temporary folder can be made");
    std::fs::create_dir(folder.path().join("tree")).expect("the folder is ours");
    std::fs::write(folder.path().join("tree/file"), "octets").expect("the folder is ours");
    let port = free_port();
    let mut command = Command::new(program("redis-server").expect("asked for before"));
    let redis = start(command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]));
    until("Redis answered", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let [one, other] = ["one", "other"].map(|id| Node::start(folder.path(), id, port));

    let get = |node: &Node, name| node.get(folder.path(), name);
    assert_eq!(get(&one, "file").as_deref(), Some(&b"octets"[..]));
    assert_eq!(get(&other, "file").as_deref(), Some(&b"octets"[..]));
    until("the other node knew of a miss", || {
        assert!(get(&one, "none").is_none() && get(&other, "none").is_none());
        other.counter("purlin_boot_metadata_hits_total") >= 1.0
    });
    std::fs::write(folder.path().join("tree/none"), "came").expect("the folder is ours");
    until("both saw the file that came", || {
        [&one, &other].map(|node| get(node, "none")) == [(); 2].map(|()| Some(b"came".to_vec()))
    });

    drop(redis);
    std::fs::write(folder.path().join("tree/later"), "later").expect("the folder is ours");
    for node in [&one, &other] {
        assert_eq!(get(node, "later").as_deref(), Some(&b"later"[..]));
        assert!(get(node, "never").is_none());
    }
    assert!(other.counter("purlin_boot_metadata_away_total") >= 1.0);
    drop(one.running);
    assert_eq!(get(&other, "file").as_deref(), Some(&b"octets"[..]));
}
