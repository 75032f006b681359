//! The stream of changes over real sockets: everything once, in order, over a cut connection.

use crate::world::{Mounted, World, member};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const STREAM: &str = "/api/v1/ovn/stream";
const PORTS: &str = "/api/v1/ovn/nb/Logical_Switch_Port";

/// A client of either kind.
pub(crate) enum Client {
    Events(BufReader<TcpStream>),
    Socket(Box<WebSocketStream<TcpStream>>),
}

impl Client {
    pub(crate) async fn open(
        (address, token): &(SocketAddr, String),
        socket: bool,
        since: Option<&str>,
    ) -> Self {
        let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        if socket {
            let mut request = format!("ws://{address}{STREAM}{query}")
                .into_client_request()
                .expect("a URL");
            let bearer = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", bearer);
            let (socket, _) = tokio_tungstenite::client_async(request, stream)
                .await
                .expect("a WebSocket");
            return Self::Socket(Box::new(socket));
        }
        let request =
            format!("GET {STREAM}{query} HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        Self::Events(BufReader::new(stream))
    }

    pub(crate) async fn next(&mut self) -> Value {
        let next = async {
            match self {
                Self::Events(lines) => loop {
                    let mut line = String::new();
                    assert_ne!(
                        lines.read_line(&mut line).await.expect("a line"),
                        0,
                        "the stream ended"
                    );
                    if let Some(data) = line.strip_prefix("data: ") {
                        return serde_json::from_str(data).expect("JSON");
                    }
                },
                Self::Socket(socket) => loop {
                    let message = socket.next().await.expect("the stream ended").expect("a message");
                    if let Message::Text(text) = message {
                        return serde_json::from_str(&text).expect("JSON");
                    }
                },
            }
        };
        tokio::time::timeout(Duration::from_secs(20), next)
            .await
            .expect("a message")
    }
}

pub(crate) fn id(message: &Value) -> String {
    message["id"].as_str().expect("an id").to_owned()
}

/// Names of the ports that a message brings.
fn added(message: &Value) -> Vec<String> {
    assert_eq!(message["event"], "changes", "{message:#}");
    let changes = message["changes"].as_array().expect("a list").iter();
    let ports = changes.filter(|row| row["table"] == "Logical_Switch_Port" && row["change"] == "added");
    ports
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Follows until all ports have come, and is cut off after some; the ids and the ports, in order.
async fn follow(
    at: (SocketAddr, String),
    number: usize,
    since: String,
    ports: usize,
) -> (Vec<String>, Vec<String>) {
    let socket = number.is_multiple_of(2);
    let mut client = Client::open(&at, socket, Some(&since)).await;
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    let mut cut = 1 + number % 7;
    while names.len() < ports {
        let message = client.next().await;
        names.extend(added(&message));
        ids.push(id(&message));
        cut -= 1;
        if cut == 0 {
            // Some of what the node has sent already is lost with the connection.
            cut = 5;
            client = Client::open(&at, socket, ids.last().map(String::as_str)).await;
        }
    }
    (ids, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_each_see_every_change_once_and_in_order_over_cut_connections() {
    const PORTS_MADE: usize = 60;
    let world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    let at = world.listen().await;
    let mut first = Client::open(&at, false, None).await;
    let here = first.next().await;
    assert_eq!(here["event"], "here");
    let mut clients = JoinSet::new();
    for number in 0..50 {
        clients.spawn(follow(at.clone(), number, id(&here), PORTS_MADE));
    }
    let path = format!("{PORTS}?parent=Logical_Switch/web");
    for n in 0..PORTS_MADE {
        world.make(&path, json!({ "name": format!("p{n}") })).await;
    }
    let seen = clients.join_all().await;
    let (ids, names) = &seen[0];
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "nothing twice"
    );
    assert!(
        names.iter().cloned().eq((0..PORTS_MADE).map(|n| format!("p{n}"))),
        "{names:?}"
    );
    assert!(seen.iter().all(|one| one == &seen[0]), "the same for all");
    let told = first.next().await;
    let switch = told["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["table"] == "Logical_Switch");
    let columns = &switch.expect("the switch changes with it")["columns"];
    assert_eq!(columns["ports"]["removed"], json!([]));
    assert_eq!(columns["ports"]["added"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_new_once_though_northd_writes_to_it_too() {
    const PORTS_MADE: usize = 20;
    let world = World::with_northd().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    let at = world.listen().await;
    let mut clients = [
        Client::open(&at, false, None).await,
        Client::open(&at, true, None).await,
    ];
    for client in &mut clients {
        assert_eq!(client.next().await["event"], "here");
    }
    let path = format!("{PORTS}?parent=Logical_Switch/web");
    for n in 0..PORTS_MADE {
        world.make(&path, json!({ "name": format!("p{n}") })).await;
    }
    for client in &mut clients {
        // It says of each whether it is up.
        let (mut names, mut written_to) = (Vec::new(), BTreeSet::new());
        while names.len() < PORTS_MADE || written_to.len() < PORTS_MADE {
            let message = client.next().await;
            names.extend(added(&message));
            let rows = message["changes"].as_array().expect("a list").iter();
            let rows = rows.filter(|row| row["table"] == "Logical_Switch_Port" && row["change"] == "changed");
            written_to.extend(rows.map(|row| row["name"].to_string()));
        }
        assert!(
            names.iter().cloned().eq((0..PORTS_MADE).map(|n| format!("p{n}"))),
            "{names:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_names_an_unknown_transaction_begins_anew() {
    let world = World::new().await;
    let at = world.listen().await;
    for socket in [false, true] {
        let mut client = Client::open(&at, socket, Some("nobody-knows")).await;
        let told = client.next().await;
        assert_eq!(told["event"], "anew", "{told:#}");
        world
            .make(
                "/api/v1/ovn/nb/Logical_Switch",
                json!({ "name": format!("s{socket}") }),
            )
            .await;
        let next = client.next().await;
        assert_eq!(
            (&next["event"], &next["changes"][0]["name"]),
            (&json!("changes"), &json!(format!("s{socket}")))
        );
        // Its id is one to go on from.
        let mut again = Client::open(&at, socket, Some(&id(&told))).await;
        assert_eq!(again.next().await, next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_a_clustered_database_goes_on_at_another_node() {
    let folder = tempfile::tempdir().expect("a folder");
    let _member = member(folder.path());
    let folders = [
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    ];
    for own in &folders {
        std::os::unix::fs::symlink(folder.path().join("db.sock"), own.path().join("db.sock"))
            .expect("a link");
    }
    let (one, other) = (
        Mounted::at(folders[0].path()).await,
        Mounted::at(folders[1].path()).await,
    );
    let (one_at, other_at) = (one.listen().await, other.listen().await);
    let mut client = Client::open(&one_at, true, None).await;
    client.next().await;
    let mut watching = Client::open(&other_at, false, None).await;
    watching.next().await;
    for name in ["a", "b"] {
        let added = std::process::Command::new("ovn-nbctl")
            .arg(format!("--db=unix:{}", folder.path().join("db.sock").display()))
            .args(["--timeout=10", "ls-add", name])
            .status();
        assert!(added.expect("ovn-nbctl runs").success());
    }
    let first = client.next().await;
    assert_eq!(first["changes"][0]["name"], "a");
    // The other node has it too, under the same name.
    assert_eq!(watching.next().await, first);
    let mut moved = Client::open(&other_at, true, Some(&id(&first))).await;
    assert_eq!(moved.next().await["changes"][0]["name"], "b");
}
