use super::*;
use crate::{ServerConfig, start};
use purlin_tftp_core::settings::{Settings, Threads};
use purlin_tftp_files::{Kernel, NoFacts, Parts};
use std::net::UdpSocket;
use std::sync::mpsc;

/// One packet thread over an empty folder.
fn one_thread() -> Handle {
    let settings = Settings {
        enabled: true,
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        threads: Threads::Count(1),
        ..Settings::default()
    };
    let plan = Plan::compile(&settings);
    let parts = Parts {
        plan: Arc::clone(&plan),
        facts: Arc::new(NoFacts),
        clock: Arc::new(|| purlin_netio::now().boot),
        shared: None,
        kernel: Kernel::default(),
    };
    let tree = Library::new(parts).unwrap();
    let neighbours = None;
    let config = ServerConfig {
        plan,
        tree,
        neighbours,
    };
    start(config).unwrap().0
}

#[test]
fn a_request_that_waits_at_the_end_is_told_of_it() {
    let handle = one_thread();
    let door = &handle.0.doors[0];
    // The thread is busy while the request comes, and is told to stop before it looks again.
    let (release, held) = mpsc::channel::<()>();
    let (busy, begun) = mpsc::channel();
    drop(door.send(move |_| {
        busy.send(()).unwrap();
        held.recv()
    }));
    begun.recv().unwrap();
    let (done, end) = oneshot::channel();
    drop(door.send(move |worker| worker.stop(Duration::from_secs(60), done)));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .send_to(b"\0\x01file\0octet\0", handle.status().listen[0])
        .unwrap();
    release.send(()).unwrap();
    end.blocking_recv().unwrap();
    let mut answer = [0; 64];
    client.set_nonblocking(true).unwrap();
    let (length, _) = client
        .recv_from(&mut answer)
        .expect("an answer, sent before the end");
    assert_eq!(&answer[..length], b"\0\x05\0\0the server is stopping\0");
}
