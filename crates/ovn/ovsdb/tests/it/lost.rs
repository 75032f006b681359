//! Answers that are lost after the server did the work: nothing happens twice.

use crate::rig::{DATABASE, Rig, is_here, soon};
use crate::standalone::{replica, switch};
use purlin_ovsdb::client::{Client, CommitError, Config, Endpoint};
use purlin_ovsdb::{Datum, Mutation, Mutator, Row, Transaction, Uuid};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const LS: &str = "Logical_Switch";
const GLOBAL: &str = "NB_Global";

/// Stands between client and server, and cuts the line in place of each of the next answers to a `transact`.
struct Proxy {
    cuts: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
    client: Client,
}

impl Proxy {
    async fn before(rig: &Rig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (socket, server) = (folder.path().join("proxy.sock"), rig.servers[0].socket());
        let listener = UnixListener::bind(&socket).unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let armed = cuts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), armed.clone()));
            }
        });
        let client = Client::start(Config::new(DATABASE, vec![Endpoint::Unix(socket)]));
        soon("a leader", client.ready()).await;
        Self {
            cuts,
            _folder: folder,
            client,
        }
    }

    async fn commit(&self, transaction: Transaction, lost: usize) -> Result<u32, CommitError> {
        self.cuts.store(lost, Ordering::SeqCst);
        let answer = soon("an answer", self.client.commit(transaction)).await;
        assert_eq!(
            self.cuts.load(Ordering::SeqCst),
            0,
            "the line was cut as often as asked"
        );
        answer.map(|committed| committed.sendings)
    }
}

async fn carry(mut client: UnixStream, server: PathBuf, cuts: Arc<AtomicUsize>) {
    let Ok(mut server) = UnixStream::connect(server).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut asked = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(1..) = read else { return };
                let octets = &up[..read.unwrap()];
                // The greeting tries a transaction too, one that takes itself back.
                let text = String::from_utf8_lossy(octets);
                asked |= text.contains("\"transact\"") && !text.contains("\"abort\"");
                if server.write_all(octets).await.is_err() { return }
            }
            read = server.read(&mut down) => {
                let Ok(1..) = read else { return };
                let cut = asked && cuts.try_update(Ordering::SeqCst, Ordering::SeqCst, |cuts| cuts.checked_sub(1)).is_ok();
                if cut { return }
                if client.write_all(&down[..read.unwrap()]).await.is_err() { return }
            }
        }
    }
}

async fn rows(client: &Client, table: &str) -> Vec<Row> {
    let replica = client.replicate(purlin_ovsdb::client::Spec::everything());
    let snapshot = soon("a load", replica.live()).await;
    snapshot
        .table(table)
        .unwrap()
        .rows()
        .map(|row| row.to_row())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_inserted_once_however_often_the_answer_is_lost() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let proxy = Proxy::before(&rig).await;
    assert_eq!(proxy.commit(switch("once"), 0).await, Ok(1));
    assert_eq!(proxy.commit(switch("twice"), 1).await, Ok(2));
    assert_eq!(proxy.commit(switch("thrice"), 2).await, Ok(3));
    assert_eq!(rows(&rig.client(), LS).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marked_change_is_made_once() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let proxy = Proxy::before(&rig).await;
    let mut global = Transaction::new();
    global.insert(purlin_ovsdb::Insert::new(GLOBAL));
    let committed = proxy.client.commit(global).await.unwrap();
    let row = committed.outcome.uuids().next().unwrap();
    let add = |row: Uuid| {
        let mut change = Transaction::new();
        change.mutate(GLOBAL, row, [Mutation::new("nb_cfg", Mutator::Add, 1)]);
        change
    };
    assert_eq!(proxy.commit(add(row).marked(GLOBAL, row), 0).await, Ok(1));
    assert_eq!(proxy.commit(add(row).marked(GLOBAL, row), 1).await, Ok(2));
    assert_eq!(
        proxy.commit(add(row), 1).await,
        Err(CommitError::Unknown),
        "without a mark nobody can know"
    );
    let global = &rows(&rig.client(), GLOBAL).await[0];
    assert_eq!(global.get("nb_cfg"), Some(&Datum::from(3)));
    let marks = global.get("external_ids").unwrap().pairs().len();
    assert_eq!(marks, 1, "the next mark takes the place of the last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_repeated_is() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let proxy = Proxy::before(&rig).await;
    let committed = proxy.client.commit(switch("gone")).await.unwrap();
    let mut delete = Transaction::new();
    delete.delete(LS, committed.outcome.uuids().next().unwrap());
    assert_eq!(proxy.commit(delete, 1).await, Ok(2));
    let replica = replica(&proxy.client);
    assert!(soon("a load", replica.live()).await.table(LS).unwrap().is_empty());
}
