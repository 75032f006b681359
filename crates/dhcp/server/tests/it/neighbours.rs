//! Relays on an attached link, some of which answer no ARP.

use crate::client::Relay;
use crate::server::{Server, run, settings, until};
use purlin_netio::netns::Pair;

/// Requests in the name of relays that do not exist, between two of one that does.
const DEAD_PER_ROUND: u32 = 100;
const ROUNDS: u32 = 40;

#[test]
fn relays_that_answer_no_arp_do_not_silence_those_that_do() {
    let Some(pair) = Pair::addressed("dead") else {
        return;
    };
    let mut settings = settings(1, 1);
    // On the real port replies go to giaddr.
    let address = "10.77.0.1:67".parse().expect("an address");
    settings.listen = vec![address];
    let subnet = &mut settings.networks[0].subnets[0];
    subnet.network = "10.77.0.0/24".parse().expect("a prefix");
    subnet.pools[0].range = "10.77.0.220-10.77.0.250".parse().expect("a range");

    let relay = pair.in_client(|| Relay::at("10.77.0.2:67", address, [10, 77, 0, 2]));
    let server = pair.in_server(|| run(Server::start_silent(settings)));
    for round in 0..ROUNDS {
        for host in 0..DEAD_PER_ROUND {
            let dead = 11 + (round * DEAD_PER_ROUND + host) % 200;
            relay.posing_as([10, 77, 0, dead as u8]).discover(1);
        }
        relay.offer(2);
    }
    run(async {
        // Counts are left once a second.
        let metrics = server.handle.metrics();
        let all = u64::from((DEAD_PER_ROUND + 1) * ROUNDS);
        let replies = until(
            async || metrics.replies(),
            |r| r.sent + r.unresolved + r.failed + r.blocked >= all,
        )
        .await;
        assert!(replies.unresolved > 0 && replies.blocked == 0, "{replies:?}");
        server.stop().await;
    });
}
