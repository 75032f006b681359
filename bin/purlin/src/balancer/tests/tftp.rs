//! `load_balancing` of the TFTP guide, from the text of a configuration to which node gets a transfer.

use super::*;
use purlin_balancer::UdpFront;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Time for one datagram over loopback, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// What opens a transfer, and what a server that has the file answers: a whole block, so that the transfer goes on.
const RRQ: &[u8] = b"\0\x01";

/// A front before nodes that tell their number in each block.
struct Scene {
    front: UdpFront,
    _nodes: JoinSet<()>,
}

/// The front that `load_balancing` of these lines makes, before so many nodes.
async fn front(load_balancing: &str, nodes: &[SocketAddr]) -> UdpFront {
    let backends: String = nodes
        .iter()
        .map(|node| format!("{{ name = \"{node}\", address = \"{node}\" }},"))
        .collect();
    let text = format!(
        "[load_balancing]\n{load_balancing}\n[[balancer.fronts]]\nname = \"boot\"\nservice = \"tftp\"\n\
         listen = \"127.0.0.1:0\"\ncheck = \"none\"\npatience = 0\nbackends = [{backends}]\n"
    );
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("b.toml", text)], &mut faults);
    let read = purlin_config::sections::balancer::read(&document, &defaults(&document), &mut faults);
    let mut settings = read.expect("it is good");
    let spec = spec(&settings.fronts.remove(0)).expect("random numbers");
    let FrontKind::Udp(settings) = spec.kind else {
        panic!("datagrams")
    };
    UdpFront::bind(&settings, Arc::new(purlin_netio::now)).expect("a front")
}

impl Scene {
    async fn of(load_balancing: &str, count: u8) -> Self {
        let (addresses, nodes) = nodes(count).await;
        Self {
            front: front(load_balancing, &addresses).await,
            _nodes: nodes,
        }
    }
}

/// Nodes that answer every request with a whole block full of their number, and every ACK of it with a last one.
async fn nodes(count: u8) -> (Vec<SocketAddr>, JoinSet<()>) {
    let (mut addresses, mut tasks) = (Vec::new(), JoinSet::new());
    for number in 0..count {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        addresses.push(socket.local_addr().expect("bound"));
        tasks.spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let answer = if buffer[..length].starts_with(RRQ) {
                    [&[0, 3, 0, 1][..], &[number; 512]].concat()
                } else {
                    vec![0, 3, 0, 2, number]
                };
                let _ = socket.send_to(&answer, from).await;
            }
        });
    }
    (addresses, tasks)
}

/// A transfer that is under way.
struct Transfer {
    socket: UdpSocket,
    node: u8,
}

impl Transfer {
    /// A machine with this address asks for a file.
    async fn begin(front: &UdpFront, machine: u8, file: &str) -> Self {
        let from = IpAddr::from([127, 0, 1, machine]);
        let socket = UdpSocket::bind((from, 0)).await.expect("all of 127 is ours");
        socket.connect(front.local_addr()).await.expect("an address");
        let request = [RRQ, file.as_bytes(), b"\0octet\0"].concat();
        let block = said(&socket, &request).await;
        let node = *block.last().expect("a block");
        Self { socket, node }
    }

    /// Takes the rest of it.
    async fn end(self) {
        assert_eq!(said(&self.socket, &[0, 4, 0, 1]).await, [0, 3, 0, 2, self.node]);
        self.socket.send(&[0, 4, 0, 2]).await.expect("sent");
    }
}

async fn said(socket: &UdpSocket, words: &[u8]) -> Vec<u8> {
    socket.send(words).await.expect("sent");
    let mut buffer = [0; 1024];
    let length = tokio::time::timeout(PATIENCE, socket.recv(&mut buffer)).await;
    buffer[..length.expect("in time").expect("an answer")].to_vec()
}

/// Who answers each of these machines, which all ask for one file.
async fn of_machines(front: &UdpFront, machines: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut nodes = Vec::new();
    for machine in machines {
        nodes.push(Transfer::begin(front, machine, "pxelinux.0").await.node);
    }
    nodes
}

#[tokio::test]
async fn s2_35_round_robin_gives_each_node_a_transfer_in_turn() {
    let scene = Scene::of("algorithm = \"round_robin\"", 3).await;
    let order = of_machines(&scene.front, [7; 9].into_iter()).await;
    assert_eq!(order[..3], order[3..6]);
    assert_eq!(order[..3], order[6..]);
    let mut turn = order[..3].to_vec();
    turn.sort_unstable();
    assert_eq!(turn, [0, 1, 2]);
}

#[tokio::test]
async fn s2_36_least_connections_gives_the_node_with_the_fewest_open_transfers() {
    let scene = Scene::of("algorithm = \"least_connections\"", 2).await;
    let mut open = Vec::new();
    for machine in 1..=6 {
        open.push(Transfer::begin(&scene.front, machine, "image").await);
    }
    let (first, second): (Vec<_>, Vec<_>) = open.into_iter().partition(|transfer| transfer.node == 0);
    assert_eq!((first.len(), second.len()), (3, 3));
    for transfer in second {
        transfer.end().await;
    }
    let open_at = |node: usize| scene.front.pool().status()[node].outstanding;
    let ended = async {
        while (open_at(0), open_at(1)) != (3, 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("no longer open");
    // Whose transfers are over has room for as many as the other still has.
    let mut next = Vec::new();
    for machine in 7..=9 {
        next.push(Transfer::begin(&scene.front, machine, "image").await);
    }
    assert!(next.iter().all(|transfer| transfer.node == 1));
}

#[tokio::test]
async fn s2_37_consistent_hashing_moves_nobody_but_to_the_new_node() {
    let (addresses, _nodes) = nodes(4).await;
    let three = front("algorithm = \"consistent_hashing\"", &addresses[..3]).await;
    let four = front("algorithm = \"consistent_hashing\"", &addresses).await;
    let before = of_machines(&three, 1..=100).await;
    let after = of_machines(&four, 1..=100).await;
    let moved: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
    let elsewhere = moved.iter().filter(|(_, now)| **now != 3).count();
    // A quarter goes to the newcomer; the table moves 2 % for nothing (figure 12 of the paper), of a hundred 10 at worst.
    assert!((8..=50).contains(&moved.len()), "{before:?} {after:?}");
    assert!(elsewhere <= 10, "{before:?} {after:?}");
    // Taken out again, all are where they were.
    assert_eq!(of_machines(&three, 1..=100).await, before);
}

#[tokio::test]
async fn s2_38_by_client_ip_a_machine_has_one_node_and_by_file_a_file_has() {
    let hashing = |key: &str| format!("algorithm = \"consistent_hashing\"\nhash_key = \"{key}\"");
    let by_client = Scene::of(&hashing("client_ip"), 3).await;
    let by_file = Scene::of(&hashing("file"), 3).await;
    let (mut of_clients, mut of_files) = (Vec::new(), Vec::new());
    for number in 1..=20 {
        // One machine and many files; one file and many machines.
        let own = [("kernel", number), ("initrd", number)];
        let mut nodes = Vec::new();
        for (file, machine) in own {
            nodes.push(Transfer::begin(&by_client.front, machine, file).await.node);
        }
        assert_eq!(nodes[0], nodes[1], "machine {number}");
        of_clients.push(nodes[0]);
        let file = format!("image-{number}");
        let nodes = [
            Transfer::begin(&by_file.front, 1, &file).await.node,
            Transfer::begin(&by_file.front, 2, &file).await.node,
        ];
        assert_eq!(nodes[0], nodes[1], "{file}");
        of_files.push(nodes[0]);
    }
    for mut used in [of_clients, of_files] {
        used.sort_unstable();
        used.dedup();
        assert_eq!(used, [0, 1, 2]);
    }
}
