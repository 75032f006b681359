//! One member of a cluster: connected all the time, its own word on who leads.

mod greeting;
mod server;

pub(super) use greeting::request;

use super::cluster::Cluster;
use super::config::Config;
use super::connection::{self, Connection, Lost, Notice};
use super::endpoint::Endpoint;
use super::stream;
use crate::schema::DatabaseSchema;
use crate::uuid::Uuid;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What is known of a member.
#[derive(Debug, Clone, Default)]
pub struct MemberStatus {
    /// Whether a connection stands and the greeting is over.
    pub connected: bool,
    /// Whether it calls itself the leader. A server that is no member of a cluster leads itself.
    pub leader: bool,
    /// Whether it is in touch with the rest of its cluster.
    pub in_cluster: bool,
    /// `standalone`, `clustered`, `relay`; empty where the server does not say.
    pub model: String,
    /// The cluster's name.
    pub cid: Option<Uuid>,
    /// The member's name.
    pub sid: Option<Uuid>,
    /// How far its log reaches.
    pub index: Option<i64>,
    /// The database's schema there.
    pub schema: Option<Arc<DatabaseSchema>>,
    /// Whether an insert may say what the row is to be called (Open vSwitch 2.13).
    pub chooses_uuids: bool,
    /// Why there is no connection.
    pub trouble: Option<String>,
    /// Counts up over all members with each word of leadership: the latest counts.
    pub(super) claim: u64,
    pub(super) connection: Option<Connection>,
}

/// Keeps one member connected until nobody uses the client any more.
pub(super) async fn run(at: usize, endpoint: Endpoint, config: Arc<Config>, cluster: Cluster) {
    let mut wait = config.back_off.0;
    while !cluster.is_over() {
        let began = Instant::now();
        let trouble = match connect(&endpoint, &config).await {
            Ok((connection, why)) => {
                let fault = live(at, connection, &config, &cluster).await;
                // What ended the connection says more than what came of its end.
                let said = why.await.ok().filter(|said| said != connection::UNUSED);
                said.or(fault).unwrap_or_else(|| Lost.to_string())
            }
            Err(trouble) => trouble,
        };
        cluster.change(at, |status| {
            *status = MemberStatus {
                trouble: Some(trouble),
                claim: status.claim,
                ..MemberStatus::default()
            };
        });
        if began.elapsed() > config.back_off.1 {
            wait = config.back_off.0;
        }
        cluster.pause_to_try_again(wait, config.back_off.0).await;
        wait = (wait * 2).min(config.back_off.1);
    }
}

type Started = (Connection, tokio::sync::oneshot::Receiver<String>);

async fn connect(endpoint: &Endpoint, config: &Config) -> Result<Started, String> {
    let stream = timeout(
        config.connect_timeout,
        stream::connect(endpoint, config.tls.as_ref()),
    )
    .await;
    match stream {
        Ok(Ok(stream)) => Ok(connection::start(stream, config)),
        Ok(Err(cause)) => Err(format!("cannot connect: {cause}")),
        Err(_) => Err(format!("no connection within {:?}", config.connect_timeout)),
    }
}

/// Greets, then follows what the member says of itself; returns when that ends, with what is wrong with the member
/// itself if the connection is not.
async fn live(at: usize, connection: Connection, config: &Config, cluster: &Cluster) -> Option<String> {
    let greeting = timeout(config.connect_timeout * 2, greeting::greet(&connection, config)).await;
    let (mut own, known) = match greeting {
        Ok(Ok(greeted)) => greeted,
        Ok(Err(trouble)) => return Some(trouble),
        Err(_) => return Some("the server takes connections and does not answer".to_owned()),
    };
    if connection.greeted().await.is_err() {
        return None;
    }
    if let Err(trouble) = publish(at, &mut own, &known, &connection, cluster) {
        return Some(trouble);
    }
    loop {
        let notice = match &mut own {
            Some(own) => tokio::select! {
                notice = own.notices.recv() => notice,
                () = cluster.over() => return None,
            },
            None => tokio::select! {
                () = connection.closed() => None,
                () = cluster.over() => return None,
            },
        };
        let notice = notice?;
        let changed = match (&mut own, notice) {
            (Some(own), Notice::Update(update, _)) => own.apply(&update.tables),
            (_, Notice::Canceled) => return Some("the server's own database is gone".to_owned()),
            _ => Ok(()),
        };
        if let Err(trouble) = changed.and_then(|()| publish(at, &mut own, &known, &connection, cluster)) {
            return Some(trouble);
        }
    }
}

fn publish(
    at: usize,
    own: &mut Option<server::Own>,
    known: &greeting::Known,
    connection: &Connection,
    cluster: &Cluster,
) -> Result<(), String> {
    let mut said = match own {
        Some(own) => own.status(known)?,
        None => MemberStatus {
            leader: true,
            in_cluster: true,
            schema: Some(known.schema.clone()),
            ..MemberStatus::default()
        },
    };
    said.connected = true;
    said.chooses_uuids = known.chooses_uuids;
    said.connection = Some(connection.clone());
    cluster.claim(at, said);
    Ok(())
}

/// A member that is not there at once is tried again after this long at most, whatever the back-off.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(60);
