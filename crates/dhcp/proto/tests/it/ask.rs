//! One function for the laws, the corpus and the fuzz target.

use purlin_dhcp_proto::Message;
use purlin_dhcp_proto::message::OPTIONS_MAX;

/// Asks a message everything there is to ask; none of it may panic.
pub(crate) fn ask_everything(payload: &[u8]) {
    let Ok(message) = Message::parse(payload) else {
        return;
    };
    let mut buffer = [0; 2048];
    let _ = format!("{message:?}");
    let _ = (
        message.sname(),
        message.file(),
        message.chaddr(),
        message.mac(),
        message.secs(),
    );
    let _ = (
        message.vendor_information().map(Iterator::count),
        message.client_fqdn().map(|name| name.to_text()),
    );
    let _ = (
        message.user_classes().count(),
        message.architectures().count(),
        message.uuid(),
        message.status(),
    );
    let _ = (
        message.vendor_classes().count(),
        message.vendor_options().count(),
        message.subnet_selection(),
    );
    if let Some(relay) = message.relay_agent() {
        let _ = (
            relay.suboptions().count(),
            relay.link_selection(),
            relay.source_port(),
            relay.came_by_unicast(),
        );
    }
    for code in 0..=u8::MAX {
        let octets = message.concat(code, &mut buffer).map(<[u8]>::to_vec);
        let parts: Vec<u8> = message
            .option(code)
            .into_iter()
            .flat_map(|option| option.parts().flatten().copied().collect::<Vec<_>>())
            .collect();
        assert_eq!(message.has(code), message.option(code).is_some());
        if let Some(octets) = octets {
            assert_eq!(octets, parts);
        }
    }
    assert!(message.option_count() <= OPTIONS_MAX);
}
