//! What is promised and what the disk has.

use crate::client::Relay;
use crate::journal::{Disk, Journals};
use crate::server::{Server, run, settings, until};
use purlin_dhcp_proto::MessageType;
use purlin_dhcp_server::{Condition, ServerStatus};

#[test]
fn a_durable_ack_waits_for_the_disk_and_an_offer_does_not() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let offer = relay.offer(1);
        server.journals.set(Disk::Slow);
        relay.request(1, &offer);
        // Answers of one thread leave in order: the offer to 2 would have come after an ACK to 1.
        until(|| server.handle.status(), |status| status.journals[0].parked == 1).await;
        relay.offer(2);
        assert!(relay.heard_nothing());
        server.journals.set(Disk::Good);
        let ack = relay.hear();
        assert_eq!(
            (ack.kind, ack.xid, ack.address),
            (MessageType::Ack, 1, offer.address)
        );
        server.stop().await;
    });
}

#[test]
fn a_full_disk_stops_promises_says_so_and_recovers() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let offer = relay.offer(1);
        server.journals.set(Disk::Full);
        relay.request(1, &offer);
        let mut health = server.handle.health();
        health
            .wait_for(|health| health.condition() == Condition::Full)
            .await
            .expect("the service runs");
        assert!(relay.heard_nothing());

        server.journals.set(Disk::Good);
        health
            .wait_for(|health| health.condition() == Condition::Serving)
            .await
            .expect("the service runs");
        relay.request(1, &offer);
        let ack = relay.hear();
        assert_eq!((ack.kind, ack.address), (MessageType::Ack, offer.address));
        server.stop().await;
    });
}

#[test]
fn replies_parked_when_the_disk_is_found_full_are_never_sent() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let offer = relay.offer(1);
        server.journals.set(Disk::Slow);
        relay.request(1, &offer);
        until(|| server.handle.status(), |status| status.journals[0].parked == 1).await;
        server.journals.set(Disk::Full);
        let mut health = server.handle.health();
        health
            .wait_for(|health| health.condition() == Condition::Full)
            .await
            .expect("the service runs");
        until(|| server.handle.status(), |status| status.journals[0].parked == 0).await;
        server.journals.set(Disk::Good);
        health
            .wait_for(|health| health.condition() == Condition::Serving)
            .await
            .expect("the service runs");
        assert!(relay.heard_nothing());
        // What was recorded for it is found when it asks again.
        relay.request(1, &offer);
        let ack = relay.hear();
        assert_eq!((ack.kind, ack.address), (MessageType::Ack, offer.address));
        server.stop().await;
    });
}

#[test]
fn a_batch_that_met_a_full_disk_is_recorded_later() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let address = relay.lease(1);
        let frames = server.journals.frames("dhcp-0");
        server.journals.set(Disk::Full);
        let released = server.handle.release(address).await;
        assert_eq!(released, Err(purlin_dhcp_server::ControlError::NotRecorded));
        assert_eq!(server.journals.frames("dhcp-0"), frames);
        server.journals.set(Disk::Good);
        let released = until(|| server.handle.release(address), Result::is_ok).await;
        assert_eq!(released, Ok(true));
        server.stop().await;
    });
}

#[test]
fn an_operator_who_waits_for_a_disk_found_full_is_told_so() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let address = relay.lease(1);
        let frames = server.journals.frames("dhcp-0");
        server.journals.set(Disk::Slow);
        let fill_up = async {
            until(|| async { server.journals.frames("dhcp-0") }, |now| *now > frames).await;
            server.journals.set(Disk::Full);
        };
        let (released, ()) = tokio::join!(server.handle.release(address), fill_up);
        assert_eq!(released, Err(purlin_dhcp_server::ControlError::NotRecorded));
        server.journals.set(Disk::Good);
        server.stop().await;
    });
}

#[test]
fn a_failed_sync_is_the_end_of_answers() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let offer = relay.offer(1);
        server.journals.set(Disk::Slow);
        relay.request(1, &offer);
        until(|| server.handle.status(), |status| status.journals[0].parked == 1).await;
        server.journals.set(Disk::Failed);
        let mut health = server.handle.health();
        let told = health
            .wait_for(|health| health.condition() == Condition::Failed)
            .await
            .expect("it runs")
            .clone();
        assert_eq!(told.cause, Some("the lease journal failed"));
        // Even a disk that claims to be well again is not believed.
        server.journals.set(Disk::Good);
        until(|| server.handle.status(), |status| status.journals[0].parked == 0).await;
        relay.remember(1, offer.address);
        relay.discover(2);
        server.stop().await;
        assert!(relay.heard_nothing());
    });
}

#[test]
fn a_restart_keeps_leases_and_a_power_cut_keeps_every_promise() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let kept = relay.lease(1);
        let journals = server.stop().await;
        journals.cut_power();

        let server = Server::start_on(settings(1, 1), journals).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        relay.remember(1, kept);
        assert_eq!(relay.hear().kind, MessageType::Ack);
        for client in 2..50 {
            assert_ne!(relay.lease(client), kept);
        }
        server.stop().await;
    });
}

#[test]
fn a_checkpoint_shortens_the_journal_and_loses_nothing() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        let leases: Vec<_> = (0..200).map(|client| relay.lease(client)).collect();
        let before = server.journals.frames("dhcp-0");
        server.journals.want_checkpoints();
        until(
            || async { server.journals.frames("dhcp-0") },
            |frames| *frames < before,
        )
        .await;
        let journals: Journals = server.stop().await;

        let server = Server::start_on(settings(1, 1), journals).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        for (client, address) in leases.iter().enumerate() {
            relay.remember(client as u32, *address);
            assert_eq!(
                (relay.hear().kind, relay.heard_nothing()),
                (MessageType::Ack, true)
            );
        }
        server.stop().await;
    });
}

#[test]
fn reading_stops_while_too_many_replies_wait_for_the_disk() {
    run(async {
        let server = Server::start(settings(1, 1)).await;
        let relay = Relay::new(server.address, [10, 1, 0, 1]);
        server.journals.set(Disk::Slow);
        let parked = |status: &ServerStatus| status.journals[0].parked;
        let mut client = 0;
        let full = loop {
            // Few enough at a time that the socket buffer holds them while they are read.
            (client..client + 500).for_each(|client| relay.discover_rapidly(client));
            let before = parked(&server.handle.status().await);
            client += 500;
            let now = parked(&server.handle.status().await);
            if now > 32_000 && now == before {
                break now;
            }
            assert!(client < 200_000, "the ring never filled");
        };
        assert!(full <= 32_768);
        server.journals.set(Disk::Good);
        until(|| server.handle.status(), |status| parked(status) == 0).await;
        // The kernel's queue is read again, newcomers are served.
        until(
            || server.handle.lease("10.1.1.0".parse().expect("an address")),
            Option::is_some,
        )
        .await;
        Relay::new(server.address, [10, 1, 0, 1]).lease(client + 1_000_000);
        server.stop().await;
    });
}
