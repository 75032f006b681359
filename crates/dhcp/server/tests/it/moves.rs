//! Leases whose network changes threads, and what is left of them when the power goes.

use crate::client::Relay;
use crate::journal::{Disk, Journals};
use crate::server::{Server, network, run, settings, until};
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_proto::MessageType;
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::task::Poll;

/// Both networks as one of a new name: one of them changes threads.
fn joined() -> Settings {
    let mut joined = settings(2, 2);
    let mut both = network("joined", 1);
    both.subnets.extend(joined.networks.remove(1).subnets);
    joined.networks = vec![both];
    joined
}

/// The networks of two threads the other way round: each is the other's at the next start.
fn swapped() -> Settings {
    let mut swapped = settings(2, 2);
    swapped.networks.reverse();
    swapped
}

async fn lease_in_each(server: &Server) -> [Ipv4Addr; 2] {
    [1u8, 2].map(|n| Relay::new(server.address, [10, n, 0, 1]).lease(u32::from(n)))
}

/// Lets every thread end some turns of its loop: each does a bounded number of tasks per turn.
async fn turns(server: &Server) {
    for _ in 0..20 {
        server.handle.status().await;
    }
}

async fn assert_known(settings: Settings, journals: Journals, leases: [Ipv4Addr; 2]) {
    let server = Server::start_on(settings, journals).await;
    for lease in leases {
        assert!(server.handle.lease(lease).await.is_some(), "{lease} is forgotten");
    }
    server.stop().await;
}

#[test]
fn no_journal_forgets_moved_leases_before_their_new_one_is_durable() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let leases = lease_in_each(&server).await;
        turns(&server).await;
        let joined = joined();
        let plan = Plan::compile(&joined, Some(&server.handle.plan()));
        let keeper = plan.shard_of(leases[0], 2).expect("a subnet of the plan");
        let former = format!("dhcp-{}", 1 - keeper);
        let (_, before) = server.journals.checkpoints(&former);

        server.journals.set_one(&format!("dhcp-{keeper}"), Disk::Slow);
        server
            .handle
            .apply(joined.clone())
            .await
            .expect("the settings are good");
        turns(&server).await;
        let left = server.journals.after_power_cut();
        assert_known(joined, left, leases).await;

        server.journals.set(Disk::Good);
        until(
            || async { server.journals.checkpoints(&former) },
            |(_, published)| *published > before,
        )
        .await;
        server.stop().await;
    });
}

#[test]
fn a_start_that_moves_leases_keeps_them_where_they_were_until_they_are_durable() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let leases = lease_in_each(&server).await;
        let journals = server.stop().await;
        for slow in ["dhcp-0", "dhcp-1"] {
            let journals = journals.after_power_cut();
            journals.set_one(slow, Disk::Slow);
            let counts = |journals: &Journals| ["dhcp-0", "dhcp-1"].map(|n| journals.checkpoints(n).1);
            let before = counts(&journals);
            let server = Server::start_on(swapped(), journals).await;
            turns(&server).await;
            assert_known(swapped(), server.journals.after_power_cut(), leases).await;

            server.journals.set(Disk::Good);
            until(
                || async { counts(&server.journals) },
                |now| now[0] > before[0] && now[1] > before[1],
            )
            .await;
            server.stop().await;
        }
    });
}

#[test]
fn a_plan_that_changes_under_an_open_checkpoint_loses_nothing_of_it() {
    run(async {
        let clients = 3000;
        let server = Server::start(settings(2, 1)).await;
        let relay = Relay::new(server.address, [10, 2, 0, 1]);
        for first in (0..clients).step_by(500) {
            (first..first + 500).for_each(|client| relay.discover_rapidly(client));
            bound(&server, u64::from(first) + 500).await;
        }
        let (begun, published) = server.journals.checkpoints("dhcp-0");
        server.journals.stall_checkpoints(true);
        server.journals.want_checkpoints();
        until(
            || async { server.journals.checkpoints("dhcp-0") },
            |now| now.0 > begun,
        )
        .await;
        // The second network becomes the first.
        let mut fewer = settings(2, 1);
        fewer.networks.remove(0);
        server.handle.apply(fewer).await.expect("the settings are good");
        server.journals.stall_checkpoints(false);
        until(
            || async { server.journals.checkpoints("dhcp-0") },
            |now| now.1 > published,
        )
        .await;
        let journals = server.stop().await;

        let server = Server::start_on(settings(2, 1), journals).await;
        let usage = server.handle.usage().await;
        assert_eq!(usage.iter().map(|u| u.bound).sum::<u64>(), u64::from(clients));
        server.stop().await;
    });
}

async fn bound(server: &Server, wanted: u64) {
    let sum = async || server.handle.usage().await.iter().map(|u| u.bound).sum::<u64>();
    until(sum, |now| *now == wanted).await;
}

#[test]
fn leases_cut_off_by_a_shorter_prefix_are_kept_aside_on_every_thread() {
    run(async {
        for n in [1u8, 2] {
            let mut wide = settings(2, 2);
            wide.networks[usize::from(n) - 1].subnets[0].pools[0].range =
                format!("10.{n}.200.0-10.{n}.200.255").parse().expect("a range");
            let server = Server::start(wide.clone()).await;
            let lease = Relay::new(server.address, [10, n, 0, 1]).lease(1);

            let mut narrow = settings(2, 2);
            let subnet = &mut narrow.networks[usize::from(n) - 1].subnets[0];
            subnet.network = format!("10.{n}.0.0/17").parse().expect("a prefix");
            subnet.pools[0].range = format!("10.{n}.1.0-10.{n}.100.255").parse().expect("a range");
            server.handle.apply(narrow).await.expect("the settings are good");
            assert!(server.handle.lease(lease).await.is_none());
            server.handle.apply(wide).await.expect("the settings are good");
            assert!(server.handle.lease(lease).await.is_some(), "{lease} is forgotten");
            server.stop().await;
        }
    });
}

#[test]
fn a_change_that_nobody_waits_for_any_more_is_still_made_whole() {
    run(async {
        let server = Server::start(settings(2, 2)).await;
        let leases = lease_in_each(&server).await;
        // Whoever asked goes away while the threads are asked to pause.
        let mut asked = Box::pin(server.handle.apply(joined()));
        let pending = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx).is_pending())).await;
        assert!(pending);
        drop(asked);
        until(
            || async { server.handle.plan() },
            |plan| plan.settings().networks.len() == 1,
        )
        .await;
        for (n, lease) in [1u8, 2].into_iter().zip(leases) {
            let relay = Relay::new(server.address, [10, n, 0, 1]);
            relay.remember(u32::from(n), lease);
            assert_eq!(relay.hear().kind, MessageType::Ack);
        }
        server.stop().await;
    });
}
