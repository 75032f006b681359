use super::*;
use purlin_balancer::{TcpFront, TcpKey, TcpSettings};
use purlin_fabric::health::Condition;
use std::collections::BTreeSet;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

pub(super) fn settings(algorithm: Algorithm, backends: Vec<FrontBackend>) -> TcpSettings {
    TcpSettings {
        listen: LOOPBACK,
        pool: pool_settings(algorithm, backends),
        connect_timeout: Duration::from_secs(2),
        idle: Duration::from_secs(3600),
        attempts: 3,
        connections_max: 64,
        proxy_protocol: false,
        key: TcpKey::ClientIp,
        stickiness: Duration::ZERO,
    }
}

async fn front(settings: TcpSettings) -> TcpFront {
    TcpFront::bind(settings, clock()).await.expect("a front")
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn new(front: &TcpFront) -> Self {
        Self(BufReader::new(
            TcpStream::connect(front.local_addr())
                .await
                .expect("the front accepts"),
        ))
    }

    /// The next line; empty at the end.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = tokio::time::timeout(DEADLINE, self.0.read_line(&mut line))
            .await
            .expect("a line in time");
        read.map_or_else(|_| String::new(), |_| line.trim_end().to_owned())
    }

    async fn say(&mut self, line: &str) -> String {
        // A cut connection shows in the answer.
        let _ = self.0.get_mut().write_all(format!("{line}\n").as_bytes()).await;
        self.line().await
    }
}

/// Who greets `count` new clients.
pub(super) async fn greetings(front: &TcpFront, count: usize) -> Vec<String> {
    let mut greetings = Vec::new();
    for _ in 0..count {
        greetings.push(Client::new(front).await.line().await);
    }
    greetings
}

#[tokio::test]
async fn each_node_gets_a_share() {
    let nodes = [
        Echo::start("a").await,
        Echo::start("b").await,
        Echo::start("c").await,
    ];
    let front = front(settings(
        Algorithm::RoundRobin,
        nodes.iter().map(Echo::backend).collect(),
    ))
    .await;
    let mut greeted = greetings(&front, 9).await;
    greeted.sort();
    assert_eq!(greeted, ["a", "a", "a", "b", "b", "b", "c", "c", "c"]);
}

#[tokio::test]
async fn a_node_killed_midway_costs_its_connections_only() {
    let nodes = [Echo::start("a").await, Echo::start("b").await];
    let front = front(settings(
        Algorithm::RoundRobin,
        nodes.iter().map(Echo::backend).collect(),
    ))
    .await;
    let mut clients = [Client::new(&front).await, Client::new(&front).await];
    let names = [clients[0].line().await, clients[1].line().await];
    let (dead, alive) = if names[0] == "a" { (0, 1) } else { (1, 0) };
    nodes[0].kill();
    assert_eq!(clients[dead].say("anybody?").await, "");
    assert_eq!(clients[alive].say("still here?").await, "still here?");
    // New ones are served at once: the refused connection is tried elsewhere.
    assert_eq!(greetings(&front, 4).await, ["b"; 4]);
    until("the dead node is down", || {
        status(front.pool(), "a").condition == Condition::Down
    })
    .await;
    assert_eq!(front.counters().refused.get(), 0);
}

#[tokio::test]
async fn a_draining_node_keeps_its_connections_and_gets_no_new_ones() {
    let nodes = [Echo::start("a").await, Echo::start("b").await];
    let front = front(settings(
        Algorithm::RoundRobin,
        nodes.iter().map(Echo::backend).collect(),
    ))
    .await;
    let mut clients = [Client::new(&front).await, Client::new(&front).await];
    let names = [clients[0].line().await, clients[1].line().await];
    let old = usize::from(names[1] == "a");
    assert!(front.pool().drain("a", true));
    assert_eq!(greetings(&front, 4).await, ["b"; 4]);
    assert_eq!(clients[old].say("still here?").await, "still here?");
    assert_eq!(status(front.pool(), "a").outstanding, 1);
    drop(clients);
    until("nothing is left at the draining node", || {
        status(front.pool(), "a").outstanding == 0
    })
    .await;
    front.pool().drain("a", false);
    assert!(greetings(&front, 4).await.contains(&"a".to_owned()));
}

#[tokio::test]
async fn s0_17_new_work_goes_to_the_node_with_fewer_open() {
    let nodes = [Echo::start("a").await, Echo::start("b").await];
    let front = front(settings(
        Algorithm::LeastConnections,
        nodes.iter().map(Echo::backend).collect(),
    ))
    .await;
    let mut held = Vec::new();
    for _ in 0..6 {
        let mut client = Client::new(&front).await;
        let name = client.line().await;
        held.push((name, client));
    }
    assert_eq!(held.iter().filter(|(name, _)| name == "a").count(), 3);
    held.retain(|(name, _)| name == "a");
    until("b is free", || status(front.pool(), "b").outstanding == 0).await;
    for _ in 0..3 {
        let mut client = Client::new(&front).await;
        assert_eq!(client.line().await, "b");
        held.push(("b".to_owned(), client));
    }
}

#[tokio::test]
async fn an_address_stays_with_its_node() {
    let nodes = [
        Echo::start("a").await,
        Echo::start("b").await,
        Echo::start("c").await,
    ];
    for algorithm in [Algorithm::ConsistentHashing, Algorithm::IpHash] {
        let front = front(settings(algorithm, nodes.iter().map(Echo::backend).collect())).await;
        let distinct: BTreeSet<_> = greetings(&front, 8).await.into_iter().collect();
        assert_eq!(distinct.len(), 1);
    }
}

#[tokio::test]
async fn a_node_that_is_not_ready_gets_nothing() {
    let (good, bad) = (Echo::start("good").await, Echo::start("bad").await);
    let ready = http("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let unready = http("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await;
    let mut backends = vec![good.backend(), bad.backend()];
    (backends[0].check, backends[1].check) = (ready, unready);
    let mut settings = settings(Algorithm::RoundRobin, backends);
    settings.pool.check = Check::Http {
        path: "/health/ready".to_owned(),
        status: 200,
    };
    let front = front(settings).await;
    until("the unready node is down", || {
        status(front.pool(), "bad").condition == Condition::Down
    })
    .await;
    assert_eq!(greetings(&front, 4).await, ["good"; 4]);
}

/// Gives every request the same answer.
async fn http(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            while stream.read_line(&mut request).await.is_ok() && !request.ends_with("\r\n\r\n") {}
            assert!(
                request.starts_with("GET /health/ready HTTP/1.0\r\nHost: "),
                "{request}"
            );
            let _ = stream.get_mut().write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn the_backend_is_told_who_the_client_is() {
    let node = Echo::start("a").await;
    let mut settings = settings(Algorithm::RoundRobin, vec![node.backend()]);
    settings.proxy_protocol = true;
    let front = front(settings).await;
    let mut client = Client::new(&front).await;
    let me = client.0.get_ref().local_addr().expect("connected");
    assert_eq!(client.line().await, "a");
    let line = format!(
        "PROXY TCP4 127.0.0.1 127.0.0.1 {} {}",
        me.port(),
        front.local_addr().port()
    );
    assert_eq!(client.line().await, line);
    assert_eq!(client.say("hello").await, "hello");
}

#[tokio::test]
async fn without_any_node_a_client_is_turned_away() {
    let node = Echo::start("a").await;
    let front = front(settings(Algorithm::RoundRobin, vec![node.backend()])).await;
    front.pool().drain("a", true);
    assert_eq!(greetings(&front, 1).await, [""]);
    assert_eq!(front.counters().refused.get(), 1);
}

#[tokio::test]
async fn a_silent_connection_is_cut_and_a_talking_one_is_not() {
    let node = Echo::start("a").await;
    let mut settings = settings(Algorithm::RoundRobin, vec![node.backend()]);
    settings.idle = Duration::from_millis(400);
    let front = front(settings).await;
    let (mut silent, mut talking) = (Client::new(&front).await, Client::new(&front).await);
    assert_eq!(silent.line().await, "a");
    assert_eq!(talking.line().await, "a");
    let end = tokio::spawn(async move { silent.line().await });
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while !end.is_finished() {
        assert_eq!(talking.say("hello").await, "hello");
        pace.tick().await;
    }
    assert_eq!(end.await.expect("no panic"), "");
    assert_eq!(talking.say("still here?").await, "still here?");
}

#[tokio::test]
async fn closing_lets_open_connections_end() {
    let node = Echo::start("a").await;
    let front = front(settings(Algorithm::RoundRobin, vec![node.backend()])).await;
    let mut client = Client::new(&front).await;
    client.line().await;
    let address = front.local_addr();
    let closing = tokio::spawn(async move { front.close(DEADLINE).await });
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, refused)
        .await
        .expect("it stops listening");
    assert_eq!(client.say("still here?").await, "still here?");
    drop(client);
    assert_eq!(closing.await.expect("no panic"), 0);
}

#[tokio::test]
async fn a_sticky_client_comes_back_to_its_node_until_that_is_gone() {
    let nodes = [Echo::start("a").await, Echo::start("b").await];
    let mut settings = settings(Algorithm::RoundRobin, nodes.iter().map(Echo::backend).collect());
    settings.stickiness = DEADLINE;
    let front = front(settings).await;
    let first = greetings(&front, 5).await;
    assert!(first.iter().all(|name| *name == first[0]), "{first:?}");
    let (own, other) = if first[0] == "a" { (0, "b") } else { (1, "a") };
    nodes[own].kill();
    until("its port is closed", || nodes[own].life.is_finished()).await;
    assert_eq!(greetings(&front, 3).await, [other; 3]);
}

#[tokio::test]
async fn requests_with_one_value_of_a_header_go_to_one_node() {
    let nodes = [
        Echo::start("a").await,
        Echo::start("b").await,
        Echo::start("c").await,
    ];
    let backends = nodes.iter().map(Echo::backend).collect();
    let mut settings = settings(Algorithm::ConsistentHashing, backends);
    settings.key = TcpKey::Header("X-Session".to_owned());
    let front = front(settings).await;
    let mut used = BTreeSet::new();
    for session in 0..20 {
        let mut names = BTreeSet::new();
        for _ in 0..2 {
            let mut client = Client::new(&front).await;
            let head = format!("GET / HTTP/1.1\r\nx-session:  s{session} \r\n\r\n");
            client.0.get_mut().write_all(head.as_bytes()).await.expect("sent");
            names.insert(client.line().await);
            // All of the head has reached the node.
            assert_eq!(client.line().await, "GET / HTTP/1.1");
        }
        assert_eq!(names.len(), 1);
        used.extend(names);
    }
    assert_eq!(used.len(), 3);
}
