//! Finding a server, and bringing its schema up to date.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use purlin_fabric::port::{ClaimStore, Fault};
use purlin_store_postgres::{Obstacle, Postgres, Settings, Target, obstacle};

use crate::rig::{Mode, Proxy, Server, connect, met, on_fresh, on_shared, run, settings};

#[test]
fn a_start_waits_for_the_server_and_says_so() {
    on_shared(async |server, database| {
        let proxy = Arc::new(Proxy::to(server.port()).await);
        proxy.set(Mode::Cut);
        let said = Mutex::new(Vec::new());
        let told = |waiting: &purlin_store_postgres::Waiting| {
            let mut said = said.lock().expect("one teller");
            said.push(waiting.clone());
            if said.len() == 3 {
                proxy.set(Mode::Pass);
            }
        };
        let store = Postgres::connect(settings(proxy.port(), &database), told).await;
        store
            .expect("it is there in the end")
            .probe()
            .await
            .expect("it answers");
        let said = said.into_inner().expect("one teller");
        assert_eq!(
            said.iter().map(|waiting| waiting.attempt).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert!(said[1].pause > said[0].pause && said[2].waited >= said[1].pause);
        assert!(said[0].cause.contains("not reachable"), "{}", said[0].cause);
    });
}

#[test]
fn patience_at_the_start_ends() {
    run(async {
        let impatient = Settings {
            start_patience: Some(Duration::from_millis(600)),
            ..settings(1, "none")
        };
        let refused = Postgres::connect(impatient, |_| {}).await;
        assert!(matches!(refused, Err(Fault::Unknown(_))), "{refused:?}");
    });
}

#[test]
fn tls_that_is_demanded_and_not_possible_is_said_at_once() {
    run(async {
        let target = Target::parse("postgresql://postgres@127.0.0.1:1/none?sslmode=require");
        let demanding = Settings::new(target.expect("well formed"));
        let refused = Postgres::connect(demanding, |_| panic!("waiting does not help")).await;
        let Err(Fault::Unusable(cause)) = refused else {
            panic!("{refused:?}")
        };
        assert!(cause.to_string().contains("demands TLS"), "{cause}");
    });
}

#[test]
fn the_first_host_that_takes_writes_is_the_primary() {
    on_fresh(async |server, database| {
        let standby = server.standby("reader");
        let (reads, writes) = (standby.port(), server.port());
        let folder = server.folder().display();
        for hosts in [
            format!("host=127.0.0.1,127.0.0.1,127.0.0.1 port=1,{reads},{writes}"),
            format!("host=127.0.0.1,{folder} port={reads},{writes}"),
        ] {
            let url = format!("{hosts} user=postgres dbname={database}");
            let target = Target::parse(&url).expect("well formed");
            let store = Postgres::connect(Settings::new(target), |_| {}).await;
            store.expect("one of them").probe().await.expect("it answers");
        }
    });
}

#[test]
fn a_wrong_password_ends_the_start_and_is_not_shown() {
    if !met() {
        return;
    }
    run(async {
        let server = Server::fresh();
        server.ask_for_passwords().await;
        let wrong = format!("postgresql://guarded:wr0ng@127.0.0.1:{}/postgres", server.port());
        let settings = Settings::new(Target::parse(&wrong).expect("well formed"));
        let refused = Postgres::connect(settings, |_| panic!("waiting does not help")).await;
        let fault = refused.expect_err("a wrong password");
        assert_eq!(obstacle(&fault), Obstacle::Password, "{fault:?}");
        assert!(!format!("{fault:?}").contains("wr0ng"));
        let Fault::Unusable(cause) = fault else {
            panic!("{fault:?}")
        };
        let said = cause.to_string();
        assert!(said.contains(&format!("127.0.0.1:{}", server.port())), "{said}");
        let nowhere = wrong.replace("wr0ng", "geheim").replace("/postgres", "/nowhere");
        let settings = Settings::new(Target::parse(&nowhere).expect("well formed"));
        let refused = Postgres::connect(settings, |_| panic!("waiting does not help")).await;
        let fault = refused.expect_err("there is no such database");
        assert_eq!(obstacle(&fault), Obstacle::Database, "{fault:?}");
        let right = wrong.replace("wr0ng", "geheim");
        let settings = Settings::new(Target::parse(&right).expect("well formed"));
        // Its role may not make a schema: said at once, and in the server's words.
        let refused = Postgres::connect(settings, |_| panic!("waiting does not help")).await;
        let fault = refused.expect_err("a missing right");
        assert_eq!(obstacle(&fault), Obstacle::Rights, "{fault:?}");
        let Fault::Unusable(cause) = fault else {
            panic!("{fault:?}")
        };
        assert!(cause.to_string().contains("permission denied"), "{cause}");
    });
}

#[test]
fn many_nodes_may_start_at_once_and_again() {
    on_shared(async |server, database| {
        let nodes = (0..6).map(|_| {
            let (port, database) = (server.port(), database.clone());
            tokio::spawn(async move { connect(port, &database).await })
        });
        for node in nodes.collect::<Vec<_>>() {
            node.await.expect("no panic").probe().await.expect("it answers");
        }
        let again = connect(server.port(), &database).await;
        assert_eq!(again.view().await.expect("it answers").plan, (0, Vec::new()));
    });
}

#[test]
fn a_newer_schema_is_refused() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let other = server.sql(&database).await;
        let raised = other.batch_execute("UPDATE purlin.schema_version SET version = 1000");
        raised.await.expect("may");
        let refused = Postgres::connect(settings(server.port(), &database), |_| panic!("no waiting")).await;
        let Err(Fault::Unusable(cause)) = refused else {
            panic!("{refused:?}")
        };
        assert!(cause.to_string().contains("version 1000"), "{cause}");
        assert!(cause.to_string().contains("newer Purlin"), "{cause}");
        // Whoever is at work goes on: steps do not break what came before them.
        store.probe().await.expect("it answers");
    });
}

#[test]
fn what_the_server_is_can_be_asked() {
    on_shared(async |server, database| {
        let store = connect(server.port(), &database).await;
        let facts = store.facts().await.expect("it answers");
        assert!(!facts.version.is_empty() && !facts.fsync && facts.sees_standbys);
        assert_eq!((facts.standbys, facts.standby_names.as_str()), (0, ""));
    });
}
