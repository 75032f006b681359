//! The least that a client can do: one blocking socket and the session, nothing else. What the client is compared with.

use crate::Outcome;
use purlin_ovsdb::session::{Event, Limits, Session, methods::Transact};
use purlin_ovsdb::{Operation, Transaction, Uuid};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub(crate) fn rate(address: &str, flight: usize, part: Duration) -> Outcome<f64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut session = Session::new(Duration::ZERO, Duration::from_secs(60), Limits::default());
    let (began, mut sent, mut answered) = (Instant::now(), 0, 0);
    let mut octets = vec![0; 1 << 16];
    let mut at = Uuid::ZERO;
    while began.elapsed() < part || answered < sent {
        while sent - answered < flight && began.elapsed() < part {
            let change = if sent % 100 == 0 {
                at = Uuid::from_random(u128::to_be_bytes(0x1234_5678_9abc_def0 * (sent as u128 + 1)));
                named_switch(at, sent)
            } else {
                crate::port(at, &format!("r{sent}"))
            };
            let operations: Vec<&Operation> = change.operations().iter().collect();
            session.call(
                "transact",
                &Transact {
                    database: crate::DATABASE,
                    operations: &operations,
                },
            );
            sent += 1;
        }
        while let Some(out) = session.poll_transmit() {
            stream.write_all(&out)?;
        }
        let read = stream.read(&mut octets)?;
        session.receive(began.elapsed(), &octets[..read])?;
        while let Some(event) = session.poll_event() {
            answered += usize::from(matches!(event, Event::Reply(..)));
        }
    }
    Ok(crate::rate(answered, began))
}

fn named_switch(uuid: Uuid, n: usize) -> Transaction {
    let mut change = Transaction::new();
    change.insert(
        purlin_ovsdb::Insert::new("Logical_Switch")
            .with("name", format!("s{n}"))
            .uuid(uuid),
    );
    change
}
