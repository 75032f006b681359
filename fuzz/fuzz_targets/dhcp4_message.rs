//! Any octets as a DHCPv4 message.

#![no_main]

#[path = "../../crates/dhcp/proto/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;
use purlin_dhcp_proto::message::OPTIONS_MAX;
use purlin_dhcp_proto::{Composer, Message};

fuzz_target!(|payload: &[u8]| {
    ask::ask_everything(payload);
    let Ok(message) = Message::parse(payload) else {
        return;
    };
    let mut buffer = [0; 1472];
    let mut composer = Composer::reply(&mut buffer, 548, &message);
    composer.echo_relay_agent_of(&message);
    // Overload and relay echo come on top of these.
    for (code, value) in message
        .options()
        .filter(|(code, _)| !matches!(code, 52 | 82))
        .take(OPTIONS_MAX - 2)
    {
        composer.option(code, value);
    }
    let composed = composer.finish();
    let reply = Message::parse(&buffer[..composed.len]).expect("what is composed is well formed");
    assert_eq!((reply.xid(), reply.chaddr()), (message.xid(), message.chaddr()));
});
