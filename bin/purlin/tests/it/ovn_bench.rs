//! `purlin bench ovn`: what it says when all is well, and when something is lost on the way.

use crate::harness::Node;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// OVN of this kind, on ports that nobody else has.
fn config(own: &str) -> String {
    let api = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]
"#;
    format!("{api}\n[ovn]\nenabled = true\nown = \"{own}\"\n")
}

const STREAM: [&str; 10] = [
    "bench",
    "ovn",
    "--quiet",
    "--ports=0",
    "--part=stream",
    "--followers=4",
    "--duration=1s",
    "--keep",
    "-o",
    "json",
];

/// With ovn-northd where that is installed: it writes to each port that it finds, and followers are told of that, too.
#[test]
fn every_follower_sees_every_write_once_and_in_order() {
    let node = Node::start(&config("auto"));
    let ended = node.run(&STREAM);
    // What the node has started ends with it.
    let _ended = node.stop();
    assert_eq!(ended.code, 0, "{} {}", ended.out, ended.err);
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    let writes = report["ports_acknowledged"].as_u64().expect("a number");
    assert!(writes > 0, "{report:#}");
    let phases = report["phases"].as_array().expect("a list");
    assert_eq!(phases.len(), 2, "{report:#}");
    for phase in phases {
        assert_eq!(phase["requests"], writes, "{report:#}");
        assert_eq!(phase["done"], writes * 4, "{report:#}");
        assert_eq!(phase["failed"], 0, "{report:#}");
    }
}

#[test]
fn a_message_that_is_lost_on_the_way_is_named_and_fails_the_run() {
    let node = Node::start(&config("in_process"));
    let text = std::fs::read_to_string(node.path("purlin-data/node.json")).expect("the node is up");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let url = file["url"].as_str().expect("it listens");
    let target = url.strip_prefix("http://").expect("HTTP").parse();
    let thief = Thief::before(target.expect("an address"));
    let server = format!("--server=http://{}", thief.0);
    let token = format!("--token-file={}", node.path("purlin-data/admin-token").display());
    let ended = node.run(&[&STREAM[..], &[&server, &token]].concat());
    assert_eq!(ended.code, 1, "{} {}", ended.out, ended.err);
    let report: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(report["clean"], false);
    let phase = &report["phases"][0];
    // The first write, by all four; the second by nobody, and the run's time is over.
    assert_eq!((&phase["done"], &phase["failed"]), (&4.into(), &4.into()));
    for follower in 0..4 {
        let words = format!("follower {follower} did not see write 1 in time");
        let evidence = phase["evidence"].as_array().expect("a list");
        assert!(evidence.iter().any(|said| *said == *words), "{phase:#}");
    }
}

/// Stands before a node and takes one message out of every WebSocket: the one that tells of the port `f1`.
struct Thief(SocketAddr);

impl Thief {
    fn before(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let node = TcpStream::connect(node).expect("the node listens");
                let asks = (
                    client.try_clone().expect("a socket"),
                    node.try_clone().expect("a socket"),
                );
                thread::spawn(move || pass(asks.0, asks.1));
                thread::spawn(move || answers(node, client));
            }
        });
        Self(address)
    }
}

/// Until one of them has closed.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ended = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Write);
}

/// `None` when the node has closed.
fn answers(mut node: TcpStream, mut client: TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(octets(&mut node, 1)?[0]);
    }
    client.write_all(&head).ok()?;
    if !head.starts_with(b"HTTP/1.1 101 ") {
        pass(node, client);
        return None;
    }
    loop {
        let frame = frame(&mut node)?;
        let text = String::from_utf8_lossy(&frame);
        if !(text.contains("-f1\"") && text.contains("added")) {
            client.write_all(&frame).ok()?;
        }
    }
}

/// One frame of a server, whole (RFC 6455, section 5.2).
fn frame(node: &mut TcpStream) -> Option<Vec<u8>> {
    let mut frame = octets(node, 2)?;
    let length = match frame[1] {
        126 => {
            let length = octets(node, 2)?;
            frame.extend(&length);
            u64::from(u16::from_be_bytes(length.try_into().expect("two octets")))
        }
        127 => {
            let length = octets(node, 8)?;
            frame.extend(&length);
            u64::from_be_bytes(length.try_into().expect("eight octets"))
        }
        short => u64::from(short),
    };
    frame.extend(octets(node, usize::try_from(length).expect("it is small"))?);
    Some(frame)
}

fn octets(from: &mut TcpStream, many: usize) -> Option<Vec<u8>> {
    let mut octets = vec![0; many];
    from.read_exact(&mut octets).ok()?;
    Some(octets)
}
