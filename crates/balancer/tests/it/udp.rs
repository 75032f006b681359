use super::*;
use purlin_balancer::{DhcpKey, TftpKey, UdpFront, UdpService, UdpSettings};
use purlin_fabric::health::Condition;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use tokio::net::UdpSocket;

/// How a backend answers.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Manner {
    /// From the port it was asked at.
    Same,
    /// From a port of the conversation, as TFTP servers do.
    Another,
    /// Not.
    Silent,
}

/// A UDP service that answers `name:datagram`, and a TCP port for probes; it remembers what it heard, from whom.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    alive: Echo,
    pub(super) life: AbortHandle,
    heard: Arc<Mutex<Vec<(SocketAddr, String)>>>,
}

impl Service {
    pub(super) async fn start(name: &'static str, manner: Manner) -> Self {
        Self::start_at(name, manner, LOOPBACK).await
    }

    pub(super) async fn start_at(name: &'static str, manner: Manner, at: SocketAddr) -> Self {
        let socket = UdpSocket::bind(at).await.expect("a port");
        let address = socket.local_addr().expect("bound");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let life = tokio::spawn(serve(socket, name, manner, Arc::clone(&heard)));
        Self {
            address,
            alive: Echo::start(name).await,
            life: life.abort_handle(),
            heard,
        }
    }

    fn backend(&self) -> FrontBackend {
        FrontBackend {
            address: self.address,
            ..self.alive.backend()
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard
            .lock()
            .expect("no panic")
            .iter()
            .map(|(_, text)| text.clone())
            .collect()
    }
}

async fn serve(
    socket: UdpSocket,
    name: &'static str,
    manner: Manner,
    heard: Arc<Mutex<Vec<(SocketAddr, String)>>>,
) {
    let mut conversations: BTreeMap<SocketAddr, UdpSocket> = BTreeMap::new();
    let mut buffer = vec![0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let answer = format!("{name}:{text}");
        heard.lock().expect("no panic").push((from, text));
        match manner {
            Manner::Silent => {}
            Manner::Same => drop(socket.send_to(answer.as_bytes(), from).await),
            Manner::Another => {
                let own = UdpSocket::bind(LOOPBACK).await.expect("a port");
                own.send_to(answer.as_bytes(), from).await.expect("sent");
                // The rest of the conversation goes to that port.
                let length = own.recv_from(&mut buffer).await.expect("an acknowledgement").0;
                let text = String::from_utf8_lossy(&buffer[..length]);
                own.send_to(format!("{name}:{text}:ended").as_bytes(), from)
                    .await
                    .expect("sent");
                conversations.insert(from, own);
            }
        }
    }
}

pub(super) fn settings(algorithm: Algorithm, service: UdpService, services: &[Service]) -> UdpSettings {
    UdpSettings {
        listen: LOOPBACK,
        pool: pool_settings(algorithm, services.iter().map(Service::backend).collect()),
        service,
        affinity: Duration::from_secs(60),
        patience: Some(Duration::from_millis(100)),
        flows_max: 100,
    }
}

fn front(settings: &UdpSettings) -> UdpFront {
    UdpFront::bind(settings, clock()).expect("a front")
}

pub(super) struct Client(UdpSocket);

impl Client {
    pub(super) async fn new(front: &UdpFront) -> Self {
        let socket = UdpSocket::bind(LOOPBACK).await.expect("a port");
        // Connected: an answer from anywhere but the front would not be heard.
        socket.connect(front.local_addr()).await.expect("an address");
        Self(socket)
    }

    async fn tell(&self, text: &str) {
        self.0.send(text.as_bytes()).await.expect("sent");
    }

    async fn answer(&self, patience: Duration) -> Option<String> {
        let mut buffer = [0; 2048];
        let length = tokio::time::timeout(patience, self.0.recv(&mut buffer))
            .await
            .ok()?
            .ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Asks as real clients do: again when there is no answer.
    pub(super) async fn ask(&self, text: &str) -> String {
        for _ in 0..50 {
            self.tell(text).await;
            if let Some(answer) = self.answer(Duration::from_millis(150)).await {
                return answer;
            }
        }
        panic!("nobody answers {text}");
    }
}

#[tokio::test]
async fn each_node_answers_a_share_and_a_client_stays() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
        Service::start("c", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let mut count = BTreeMap::new();
    // They stay: a port that one of them left could be the next one's.
    let mut clients = Vec::new();
    for _ in 0..9 {
        let client = Client::new(&front).await;
        let first = client.ask("1").await;
        assert_eq!(client.ask("2").await, first.replace('1', "2"));
        *count.entry(first).or_insert(0) += 1;
        clients.push(client);
    }
    assert_eq!(count.into_values().collect::<Vec<_>>(), [3, 3, 3]);
}

#[tokio::test]
async fn the_datagrams_of_a_client_keep_their_order() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let clients = [Client::new(&front).await, Client::new(&front).await];
    for number in 0..50 {
        for client in &clients {
            client.tell(&number.to_string()).await;
        }
    }
    until("all have arrived", || {
        nodes.iter().all(|node| node.heard().len() == 50)
    })
    .await;
    let sent: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    assert!(nodes.iter().all(|node| node.heard() == sent));
}

#[tokio::test]
async fn a_node_killed_midway_loses_its_clients_to_others_within_a_retry() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let clients = [Client::new(&front).await, Client::new(&front).await];
    let first = [clients[0].ask("1").await, clients[1].ask("1").await];
    let of_a = usize::from(first[1] == "a:1");
    nodes[0].life.abort();
    until("its socket is closed", || nodes[0].life.is_finished()).await;
    let mut tries = 0;
    let answer = loop {
        tries += 1;
        clients[of_a].tell("2").await;
        if let Some(answer) = clients[of_a].answer(Duration::from_millis(300)).await {
            break answer;
        }
    };
    // The first datagram meets the closed port, the client's own retry meets the other node.
    assert_eq!((answer.as_str(), tries <= 2), ("b:2", true));
}

#[tokio::test]
async fn a_node_that_hangs_loses_its_clients_too() {
    let nodes = [
        Service::start("a", Manner::Silent).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    for _ in 0..4 {
        assert_eq!(Client::new(&front).await.ask("x").await, "b:x");
    }
    assert!(front.counters().retried.get() >= 1);
}

#[tokio::test]
async fn a_node_whose_probe_fails_loses_its_clients() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let clients = [Client::new(&front).await, Client::new(&front).await];
    for client in &clients {
        client.ask("1").await;
    }
    nodes[0].alive.kill();
    until("a is down", || {
        status(front.pool(), "a").condition == Condition::Down
    })
    .await;
    for client in &clients {
        assert_eq!(client.ask("2").await, "b:2");
    }
}

#[tokio::test]
async fn a_draining_node_keeps_its_clients_and_gets_no_new_ones() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let clients = [Client::new(&front).await, Client::new(&front).await];
    let first = [clients[0].ask("1").await, clients[1].ask("1").await];
    let of_a = usize::from(first[1] == "a:1");
    front.pool().drain("a", true);
    assert_eq!(clients[of_a].ask("2").await, "a:2");
    for _ in 0..3 {
        assert_eq!(Client::new(&front).await.ask("3").await, "b:3");
    }
    assert_eq!(status(front.pool(), "a").outstanding, 1);
}

#[tokio::test]
async fn a_silent_client_is_forgotten() {
    let nodes = [Service::start("a", Manner::Same).await];
    let mut settings = settings(Algorithm::RoundRobin, UdpService::Other, &nodes);
    settings.affinity = Duration::from_millis(50);
    let front = front(&settings);
    Client::new(&front).await.ask("1").await;
    until("its flow ends", || status(front.pool(), "a").outstanding == 0).await;
}

/// A read request, an acknowledgement, and what follows its two octets.
const RRQ: &str = "\0\u{1}";
const ACK: &str = "\0\u{4}";

#[tokio::test]
async fn a_server_that_answers_from_another_port_is_followed_and_each_transfer_begins_anew() {
    let nodes = [Service::start("a", Manner::Another).await];
    let front = front(&settings(
        Algorithm::RoundRobin,
        UdpService::Tftp {
            key: TftpKey::ClientIp,
        },
        &nodes,
    ));
    let client = Client::new(&front).await;
    for file in ["first", "second"] {
        let request = format!("{RRQ}{file}");
        assert_eq!(client.ask(&request).await, format!("a:{request}"));
        assert_eq!(client.ask(&format!("{ACK}1")).await, format!("a:{ACK}1:ended"));
    }
    assert_eq!(nodes[0].heard(), [format!("{RRQ}first"), format!("{RRQ}second")]);
}

#[tokio::test]
async fn a_transfer_whose_server_is_gone_is_told_so_and_the_next_goes_elsewhere() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
    ];
    let front = front(&settings(
        Algorithm::RoundRobin,
        UdpService::Tftp {
            key: TftpKey::ClientIp,
        },
        &nodes,
    ));
    let clients = [Client::new(&front).await, Client::new(&front).await];
    let request = format!("{RRQ}file");
    let first = [clients[0].ask(&request).await, clients[1].ask(&request).await];
    let of_a = usize::from(first[1].starts_with("a:"));
    nodes[0].alive.kill();
    until("a is down", || {
        status(front.pool(), "a").condition == Condition::Down
    })
    .await;
    let told = clients[of_a].ask(&format!("{ACK}1")).await;
    assert!(told.starts_with("\0\u{5}\0\u{5}"), "{told:?}");
    assert_eq!(clients[of_a].ask(&request).await, format!("b:{request}"));
}

#[tokio::test]
async fn by_file_each_file_is_at_one_node_whoever_asks() {
    let nodes = [
        Service::start("a", Manner::Same).await,
        Service::start("b", Manner::Same).await,
        Service::start("c", Manner::Same).await,
    ];
    let service = UdpService::Tftp { key: TftpKey::File };
    let front = front(&settings(Algorithm::ConsistentHashing, service, &nodes));
    let mut used = BTreeSet::new();
    for file in 0..20 {
        let mut names = BTreeSet::new();
        for options in ["octet\0", "netascii\0blksize\x001024\0"] {
            let request = format!("{RRQ}boot/{file}.img\0{options}");
            let answer = Client::new(&front).await.ask(&request).await;
            names.extend(answer.split(':').next().map(str::to_owned));
        }
        assert_eq!(names.len(), 1, "{file}");
        used.extend(names);
    }
    assert_eq!(used.len(), 3);
}

#[tokio::test]
async fn the_longest_datagram_passes() {
    let nodes = [Service::start("a", Manner::Silent).await];
    let front = front(&settings(Algorithm::RoundRobin, UdpService::Other, &nodes));
    let long = "x".repeat(60_000);
    Client::new(&front).await.tell(&long).await;
    until("it has arrived", || nodes[0].heard() == [long.clone()]).await;
}

/// A DISCOVER of a client behind a relay.
fn discover(xid: u8, client: u8) -> Vec<u8> {
    let mut octets = vec![0; 240];
    octets[..3].copy_from_slice(&[1, 1, 6]);
    octets[7] = xid;
    octets[24..28].copy_from_slice(&[10, 0, 0, 5]);
    octets[33] = client;
    octets[236..].copy_from_slice(&[99, 130, 83, 99]);
    octets.extend([53, 1, 1, 255]);
    octets
}

#[tokio::test]
async fn an_answer_that_comes_to_the_front_reaches_the_relay_that_asked() {
    let server = UdpSocket::bind(LOOPBACK).await.expect("a port");
    let mut settings = settings(
        Algorithm::LeastConnections,
        UdpService::Dhcp { key: DhcpKey::Client },
        &[],
    );
    let alive = Echo::start("a").await;
    settings.pool.backends = vec![FrontBackend {
        address: server.local_addr().expect("bound"),
        ..alive.backend()
    }];
    let front = front(&settings);
    let relay = Client::new(&front).await;
    relay.0.send(&discover(1, 1)).await.expect("sent");
    let mut buffer = [0; 2048];
    let (length, from) = server.recv_from(&mut buffer).await.expect("a question");
    // The backend sees the front's listening address.
    assert_eq!(
        (&buffer[..length], from),
        (&discover(1, 1)[..], front.local_addr())
    );
    assert_eq!(status(front.pool(), "a").outstanding, 1);
    // A stranger's answer, and one that nobody asked for, go nowhere.
    let mut ack = discover(1, 1);
    (ack[0], ack[242]) = (2, 5);
    let mut other = ack.clone();
    other[7] = 9;
    let stranger = Client::new(&front).await;
    stranger.0.send(&ack).await.expect("sent");
    server.send_to(&other, from).await.expect("sent");
    server.send_to(&ack, from).await.expect("sent");
    let heard = tokio::time::timeout(DEADLINE, relay.0.recv(&mut buffer)).await;
    let length = heard.expect("in time").expect("an answer");
    assert_eq!(buffer[..length], ack);
    until("the work is done", || status(front.pool(), "a").outstanding == 0).await;
    assert_eq!(
        (front.counters().answers.get(), front.counters().unreadable.get()),
        (1, 1)
    );
}

#[tokio::test]
async fn beyond_the_limit_of_clients_new_ones_are_turned_away() {
    let nodes = [Service::start("a", Manner::Same).await];
    let mut settings = settings(Algorithm::RoundRobin, UdpService::Other, &nodes);
    settings.flows_max = 1;
    let front = front(&settings);
    let known = Client::new(&front).await;
    known.ask("1").await;
    Client::new(&front).await.tell("2").await;
    until("it is counted", || front.counters().full.get() == 1).await;
    assert_eq!(known.ask("3").await, "a:3");
}
