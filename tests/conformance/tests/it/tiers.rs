//! The tiers of the scaling guide for OVN by their real programs: HAProxy with the shipped file, three nodes, Redis,
//! PostgreSQL, OVN.

use purlin_conformance::{LIMIT, Socket, Tiers, until, within};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// The topic of what every node is told of.
const TOLD: &str = "cache.invalidate";

/// Writes go through the front to any node, and every node and OVN itself have them.
#[test]
fn s4_7_a_write_through_the_balancer_is_seen_by_every_node_and_by_ovn() {
    Tiers::with(|tiers| {
        let names: Vec<String> = (1..=6).map(|n| format!("web-{n}")).collect();
        for name in &names {
            assert_eq!(tiers.make(name), Some(201), "{name}");
        }
        for name in &names {
            tiers.until_all_have(name, &[]);
        }
        // Which node took it makes no difference, and all of them took some.
        let takers: BTreeSet<String> = audited(tiers).into_iter().map(|(node, _)| node).collect();
        assert_eq!(takers.len(), 3, "{takers:?}");
        let listed = tiers.of_ovn("ovn-nbctl", &["ls-list"]);
        assert!(
            names.iter().all(|name| listed.contains(&format!("({name})"))),
            "{listed}"
        );
        // And through ovn-northd to the southbound, as is said to who waits for it.
        let port = json!({ "name": "web-1-a", "addresses": ["02:00:00:00:00:01 10.0.0.5"] });
        let path = "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web-1&wait=sb";
        let (status, made) = tiers.ask("POST", path, Some(&port)).expect("it answers");
        assert_eq!(status, 201, "{made}");
        let bound = tiers.of_ovn(
            "ovn-sbctl",
            &["--bare", "--columns=logical_port", "list", "Port_Binding"],
        );
        assert_eq!(bound.trim(), "web-1-a");
        s4_7_what_the_page_names_is_shown(tiers);
    });
}

/// Who took which write, by what the nodes wrote down.
fn audited(tiers: &Tiers) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for node in &tiers.cluster.nodes {
        let (_, page) = node
            .ask_as(tiers.token(), "GET", "/api/v1/audit?limit=200", None)
            .expect("it answers");
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let writes = items
            .iter()
            .filter(|item| item.to_string().contains("Logical_Switch"));
        all.extend(writes.map(|item| (node.id.clone(), item.to_string())));
    }
    all
}

/// Every metric that the page about the guide names is shown by a node, and every path of it answers.
fn s4_7_what_the_page_names_is_shown(tiers: &Tiers) {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/operating/ovn-scaling-guide.md"
    );
    let page = std::fs::read_to_string(page).expect("it is part of the project");
    let node = &tiers.cluster.nodes[0];
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: BTreeSet<&str> = words
        .filter(|word| word.starts_with("ovncp_") || word.starts_with("purlin_"))
        // Two nodes and a move are needed for it: see the tests of sessions that move.
        .filter(|word| *word != "ovncp_session_migrations_total")
        .collect();
    assert!(named.len() >= 12, "{named:?}");
    // A series is there when something has happened.
    let order = json!({ "name": "switch:update:uuid", "ttl": "1m" });
    let (status, lock) = node
        .ask("POST", "/api/v1/cluster/locks", Some(&order))
        .expect("it answers");
    assert_eq!(status, 201, "{lock}");
    let order = json!({ "patterns": ["switch:*"] });
    assert!(
        node.ask("POST", "/api/v1/cluster/invalidations", Some(&order))
            .is_some()
    );
    let missing = || {
        let scrape = node.scrape();
        let shown = |name: &&str| scrape.contains(&format!("# TYPE {name} "));
        let names = named.iter().copied().filter(|name| !shown(name));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    within(LIMIT, || missing().is_empty().then_some(()))
        .unwrap_or_else(|| panic!("no node shows {:?}", missing()));
    let paths = page.split('`').filter_map(|word| word.strip_prefix("GET "));
    for path in paths {
        let path = path.replace("NODE", "node-2");
        let answered = tiers.ask("GET", &path, None);
        assert_eq!(answered.map(|(status, _)| status), Some(200), "{path}");
    }
}

/// A client stays at its node for as long as that takes clients, and goes on elsewhere with every event when it drains.
#[test]
fn s4_7_a_websocket_stays_at_its_node_and_moves_on_when_that_drains() {
    Tiers::with(|tiers| {
        let topics = format!("topics={TOLD}");
        let open = || Socket::open_at(tiers.client(), tiers.token(), &topics).expect("a session");
        let mut socket = open();
        let home = socket.session["node"].as_str().expect("named").to_owned();
        for _ in 0..4 {
            assert_eq!(open().session["node"], home.as_str(), "one source, one node");
        }
        let happen = |number: u64| {
            let order = json!({ "patterns": [format!("number:{number}")] });
            let answered = tiers.ask("POST", "/api/v1/cluster/invalidations", Some(&order));
            assert_eq!(answered.map(|(status, _)| status), Some(202), "{number}");
        };
        (1..=3).for_each(happen);
        socket.until("events came", |socket| socket.events.len() == 3);
        let node = tiers
            .cluster
            .nodes
            .iter()
            .find(|node| node.id == home)
            .expect("one of them");
        let _ = node.says(&["cluster", "drain", &home, "--no-wait"]);
        socket.until("the node let it go", |socket| socket.closed.is_some());
        assert_eq!(socket.closed.as_ref().map(|(code, _)| *code), Some(1012));
        (4..=6).for_each(happen);
        let mut socket = socket.go_on_at(tiers.client(), TOLD);
        assert_ne!(socket.session["node"], home.as_str());
        assert_eq!(socket.session["generation"], 2);
        (7..=8).for_each(happen);
        socket.until("all came", |socket| socket.events.len() == 8);
        let wanted: Vec<String> = (1..=8).map(|number| format!("number:{number}")).collect();
        assert_eq!(socket.subjects(), wanted, "every event once, in order");
        assert_eq!(socket.gaps, Vec::<Value>::new());
    });
}

/// What is under way at a node that dies may be lost and is said to be; nothing else is.
#[test]
fn s4_7_a_killed_node_costs_no_request_but_those_it_had_in_hand() {
    const WRITERS: usize = 3;
    Tiers::with(|tiers| {
        let over = AtomicBool::new(false);
        let mut victim = tiers.cluster.nodes.remove(1);
        let (writes, reads) = std::thread::scope(|scope| {
            let (over, tiers) = (&over, &*tiers);
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn(move || {
                        let names = (0..).map(|n| format!("w{writer}-{n}"));
                        let done = names.take_while(|_| !over.load(Ordering::Relaxed));
                        done.map(|name| (tiers.make(&name), name)).collect::<Vec<_>>()
                    })
                })
                .collect();
            let reader = scope.spawn(move || {
                let mut statuses = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    statuses.push(tiers.ask("GET", "/api/v1/ovn/nb/Logical_Switch?limit=1", None));
                }
                statuses
            });
            let ending = Ending(over);
            until("writes were under way", || {
                tiers.of_ovn("ovn-nbctl", &["ls-list"]).lines().count() > 10
            });
            victim.process.crash();
            let before = tiers.of_ovn("ovn-nbctl", &["ls-list"]).lines().count();
            until("they went on", || {
                tiers.of_ovn("ovn-nbctl", &["ls-list"]).lines().count() > before + 20
            });
            drop(ending);
            let writes = writers
                .into_iter()
                .flat_map(|writer| writer.join().expect("no panic"));
            (writes.collect::<Vec<_>>(), reader.join().expect("no panic"))
        });
        // Reads may be sent twice, so HAProxy does; each writer had one request at that node at most.
        assert!(reads.len() > 10, "{}", reads.len());
        let failed = |answer: &&Option<(u16, Value)>| answer.as_ref().map(|(status, _)| *status) != Some(200);
        assert_eq!(reads.iter().filter(failed).count(), 0);
        let lost: Vec<_> = writes.iter().filter(|(status, _)| *status != Some(201)).collect();
        assert!(lost.len() <= WRITERS, "{lost:?}");
        let listed = tiers.of_ovn(
            "ovn-nbctl",
            &["--bare", "--columns=name", "list", "Logical_Switch"],
        );
        let there: Vec<&str> = listed.split_whitespace().collect();
        let once: BTreeSet<&str> = there.iter().copied().collect();
        assert_eq!(there.len(), once.len(), "none is there twice");
        for (status, name) in &writes {
            assert!(
                *status != Some(201) || once.contains(name.as_str()),
                "{name} was acknowledged"
            );
        }
        let last = &writes.last().expect("there were some").1;
        if once.contains(last.as_str()) {
            tiers.until_all_have(last, &[]);
        }
    });
}

/// Ends what goes on when it is dropped, also when the test fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Redis is a hint: nodes stay ready, writes and events go on. PostgreSQL decides: without it nodes say so, the front
/// sends nobody to them, and what is read from OVN goes on.
#[test]
fn s4_7_without_redis_all_goes_on_and_without_the_database_nodes_say_so() {
    Tiers::with(|tiers| {
        tiers.cluster.lose_redis();
        assert_eq!(tiers.make("without-redis"), Some(201));
        tiers.until_all_have("without-redis", &[]);
        let topics = format!("topics={TOLD}");
        let mut socket = Socket::open_at(tiers.client(), tiers.token(), &topics).expect("a session");
        let order = json!({ "patterns": ["without:redis"] });
        let told = tiers.ask("POST", "/api/v1/cluster/invalidations", Some(&order));
        assert_eq!(told.map(|(status, _)| status), Some(202));
        socket.until("the event came by the database", |socket| {
            socket.events.len() == 1
        });
        for node in &tiers.cluster.nodes {
            assert_eq!(
                node.readiness().map(|(ready, _)| ready),
                Some(true),
                "{}",
                node.id
            );
        }
        tiers.cluster.bring_redis_back();

        tiers.cluster.database.stop();
        for node in &tiers.cluster.nodes {
            node.until("it was not ready, and said why", || {
                node.readiness()
                    .is_some_and(|(ready, why)| !ready && why.to_lowercase().contains("database"))
            });
            assert_eq!(
                tiers.has(node, "without-redis"),
                Some(200),
                "what OVN has is read all the same"
            );
        }
        let open = "purlin_database_breaker{for=\"claims\",state=\"open\"}";
        let node = &tiers.cluster.nodes[0];
        node.until("its breaker had opened", || {
            let scrape = node.scrape();
            let opened = scrape
                .lines()
                .find(|line| line.starts_with("purlin_database_breaker_opened_total{for=\"claims\"}"));
            scrape.contains(open) && opened.is_some_and(|line| !line.ends_with(" 0"))
        });
        until("the front had nobody to send to", || {
            tiers
                .ask("GET", "/api/v1/ovn", None)
                .is_none_or(|(status, _)| status == 503)
        });
        tiers.cluster.database.start_again();
        until("the front had nodes again", || {
            tiers
                .make("with-the-database")
                .is_some_and(|status| status == 201)
        });
        tiers.until_all_have("with-the-database", &[]);
        let node = &tiers.cluster.nodes[0];
        node.until("its breaker had closed", || {
            let closed = "purlin_database_breaker{for=\"claims\",state=\"closed\"} 1";
            node.scrape().contains(closed)
        });
    });
}

/// OVN away: rows are shown as they were, and since when; writes are refused and not lost in silence.
#[test]
fn s4_7_without_ovn_rows_are_shown_as_they_were_and_writes_are_refused() {
    Tiers::with(|tiers| {
        assert_eq!(tiers.make("before"), Some(201));
        tiers.until_all_have("before", &[]);
        tiers.stop_ovn();
        for node in &tiers.cluster.nodes {
            node.until("it knew", || {
                let (_, shown) = node.get("/api/v1/ovn").expect("it answers");
                shown.to_string().contains("stale")
            });
            assert_eq!(tiers.has(node, "before"), Some(200), "{}", node.id);
            assert_eq!(
                node.readiness().map(|(ready, _)| ready),
                Some(true),
                "{}",
                node.id
            );
        }
        let refused = tiers.make("meanwhile");
        assert_eq!(refused, Some(503));
        tiers.start_ovn_again();
        until("writes were taken again", || tiers.make("after") == Some(201));
        tiers.until_all_have("after", &[]);
        let listed = tiers.of_ovn("ovn-nbctl", &["ls-list"]);
        assert!(
            listed.contains("(before)") && !listed.contains("(meanwhile)"),
            "{listed}"
        );
    });
}
