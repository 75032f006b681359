//! Ten thousand transfers at once on one thread.

use crate::rig::{Rig, peer, request};
use purlin_tftp_core::Peer;
use purlin_tftp_proto::{Mode, compose};
use std::net::{Ipv4Addr, SocketAddr};

const MANY: u32 = 10_000;

fn client(number: u32) -> Peer {
    let ip = Ipv4Addr::from(0x0a00_0000 + number);
    Peer {
        address: SocketAddr::new(ip.into(), 2000),
        ..peer(0, 0)
    }
}

#[test]
fn ten_thousand_transfers_are_open_and_all_end() {
    let mut rig = Rig::with(|settings| {
        settings.limits.total = MANY;
    });
    rig.engine.prepare(MANY as usize);
    rig.file("image", &[7; 1000]);
    let ask = request(false, "image", Mode::Octet, "blksize=400 windowsize=2");
    for number in 0..MANY {
        assert!(
            rig.hear_from(client(number), &ask)
                .ends_with("OACK blksize=400 windowsize=2")
        );
    }
    assert_eq!(
        (rig.engine.transfers(), rig.admission.open()),
        (MANY as usize, MANY)
    );
    let full = rig.hear_from(client(MANY), &ask);
    assert!(full.ends_with("too many transfers, try again"), "{full}");
    // Half of them answer; the timers of the others ring, no more than a call's worth at once.
    rig.pass(100);
    for number in (0..MANY).step_by(2) {
        assert!(
            rig.hear_from(client(number), &compose::ack(0))
                .ends_with("DATA 1-2")
        );
    }
    rig.pass(150);
    let mut repeated = 0;
    while rig.engine.deadline().is_some_and(|due| due <= rig.now.boot) {
        rig.sent.clear();
        rig.tick();
        assert!(rig.sent.len() <= 4096);
        repeated += rig.sent.len();
    }
    assert!(repeated >= MANY as usize / 2, "{repeated}");
    for number in (0..MANY).step_by(2) {
        assert!(
            rig.hear_from(client(number), &compose::ack(2))
                .ends_with("DATA 3 last")
        );
        assert!(
            rig.hear_from(client(number), &compose::ack(3))
                .ends_with("end file_sent")
        );
    }
    rig.after(120_000);
    assert_eq!((rig.engine.transfers(), rig.admission.open()), (0, 0));
    assert_eq!(
        (rig.count("file_sent"), rig.count("client_never_answered")),
        (5000, 5000)
    );
}
