//! Who fails real work is put out for a while, without any probe, and gets its share back slowly. Time is stepped.

use super::*;
use purlin_balancer::{TcpFront, UdpFront, UdpService};
use purlin_fabric::health::Condition;
use std::sync::atomic::{AtomicU64, Ordering};

const EJECTION: Duration = Duration::from_secs(30);
const SLOW_START: Duration = Duration::from_secs(10);

/// No probes; two failures put a backend out.
fn strict() -> HealthSettings {
    HealthSettings {
        active: false,
        errors: 2,
        ejection: EJECTION,
        slow_start: SLOW_START,
        ..HealthSettings::default()
    }
}

/// A clock that stands until it is put forward.
#[derive(Clone, Default)]
struct Stepped(Arc<AtomicU64>);

impl Stepped {
    fn clock(&self) -> Arc<dyn Fn() -> Now + Send + Sync> {
        let millis = Arc::clone(&self.0);
        Arc::new(move || Now {
            boot: BootTime(1).plus_millis(millis.load(Ordering::Relaxed)),
            wall: WallTime(0),
        })
    }

    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }
}

fn is_out(pool: &Pool) -> bool {
    matches!(status(pool, "a").condition, Condition::Ejected { .. })
}

#[tokio::test]
async fn a_node_that_refuses_connections_is_put_out_and_comes_back_slowly() {
    let nodes = [Echo::start("a").await, Echo::start("b").await];
    let backends = nodes.iter().map(Echo::backend).collect();
    let mut settings = tcp::settings(Algorithm::RoundRobin, backends);
    settings.pool.health = strict();
    let time = Stepped::default();
    let front = TcpFront::bind(settings, time.clock()).await.expect("a front");
    nodes[0].kill();
    until("its port is closed", || nodes[0].life.is_finished()).await;
    // Nobody notices but the front: who was refused there is given to the other.
    assert_eq!(tcp::greetings(&front, 6).await, ["b"; 6]);
    assert!(is_out(front.pool()));
    assert_eq!(front.counters().retried.get(), 2);

    let _again = Echo::start_at("a", nodes[0].address).await;
    assert_eq!(tcp::greetings(&front, 6).await, ["b"; 6]);
    time.pass(EJECTION);
    // A tenth of its share against a whole one: 2 of 22, and all of it when the slow start is over.
    assert_eq!(of_a(&tcp::greetings(&front, 22).await), 2);
    time.pass(SLOW_START);
    assert_eq!(of_a(&tcp::greetings(&front, 20).await), 10);
}

fn of_a(names: &[String]) -> usize {
    names.iter().filter(|name| name.starts_with('a')).count()
}

/// Clients that came one after the other. They stay: one that went could leave its port to the next, which would then be
/// taken for the same conversation, and be given to the same node.
struct Crowd<'a> {
    front: &'a UdpFront,
    clients: Vec<udp::Client>,
}

impl Crowd<'_> {
    async fn answers(&mut self, count: usize) -> Vec<String> {
        let mut answers = Vec::new();
        for _ in 0..count {
            let client = udp::Client::new(self.front).await;
            answers.push(client.ask("x").await);
            self.clients.push(client);
        }
        answers
    }
}

#[tokio::test]
async fn a_node_whose_port_is_closed_is_put_out_and_comes_back_slowly() {
    let nodes = [
        udp::Service::start("a", udp::Manner::Same).await,
        udp::Service::start("b", udp::Manner::Same).await,
    ];
    let mut settings = udp::settings(Algorithm::RoundRobin, UdpService::Other, &nodes);
    settings.pool.health = strict();
    let time = Stepped::default();
    let front = UdpFront::bind(&settings, time.clock()).expect("a front");
    nodes[0].life.abort();
    until("its socket is closed", || nodes[0].life.is_finished()).await;
    let mut crowd = Crowd {
        front: &front,
        clients: Vec::new(),
    };
    assert_eq!(crowd.answers(6).await, ["b:x"; 6]);
    assert!(is_out(front.pool()));
    let retried = front.counters().retried.get();
    assert_eq!(crowd.answers(4).await, ["b:x"; 4]);
    assert_eq!(front.counters().retried.get(), retried);

    let _again = udp::Service::start_at("a", udp::Manner::Same, nodes[0].address).await;
    time.pass(EJECTION);
    assert_eq!(of_a(&crowd.answers(22).await), 2);
    time.pass(SLOW_START);
    assert_eq!(of_a(&crowd.answers(20).await), 10);
}
