//! Connections to servers: who is the right one, and how to greet it.

mod sentinel;

use crate::settings::{Address, Secret, SettingFault, Settings, Topology};
use crate::trouble::Trouble;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    PushInfo, PushKind, RedisConnectionInfo, TlsCertificates, Value,
};
use sentinel::Sentinels;
use std::sync::{Arc, Mutex, PoisonError};

/// Takes what a server says without being asked. Called by the connection's task: it must not wait.
pub(crate) type Push = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// Knows the way to the servers.
#[derive(Debug)]
pub(crate) struct Dial {
    pub(crate) settings: Settings,
    certificates: Option<TlsCertificates>,
    sentinels: Option<Sentinels>,
    /// Nodes of a Cluster: those of the settings, then those learnt.
    known: Mutex<Vec<Address>>,
}

impl Dial {
    pub(crate) fn new(settings: Settings) -> Result<Self, Vec<SettingFault>> {
        let mut faults = settings.faults();
        let certificates = settings.tls.as_ref().map(|tls| TlsCertificates {
            client_tls: None,
            root_cert: tls.roots.clone(),
        });
        let sentinels = Sentinels::of(&settings);
        let known = match &settings.topology {
            Topology::Cluster(nodes) => nodes.clone(),
            Topology::Single(_) | Topology::Sentinel { .. } => Vec::new(),
        };
        let dial = Self {
            settings,
            certificates,
            sentinels,
            known: Mutex::new(known),
        };
        // Certificates are read here once so that a bad file is a fault of the start.
        if faults.is_empty()
            && dial
                .client(&Address::new("localhost", 1), Greeting::redis(&dial))
                .is_err()
        {
            faults.push(SettingFault::new("tls.roots", "certificates in PEM form"));
        }
        if faults.is_empty() { Ok(dial) } else { Err(faults) }
    }

    /// Connects to the master of a single server or of Sentinels, and makes sure that it is one.
    pub(crate) async fn master(&self, push: &Push) -> Result<(Address, MultiplexedConnection), Trouble> {
        let candidates = match (&self.sentinels, &self.settings.topology) {
            (Some(sentinels), _) => vec![sentinels.master(self).await?],
            (None, Topology::Single(nodes) | Topology::Cluster(nodes)) => nodes.clone(),
            (None, Topology::Sentinel { .. }) => Vec::new(),
        };
        let mut last = Trouble::Closed;
        for address in candidates {
            let tried = async {
                let wire = self.connect(&address, push).await?;
                assert_master(&wire, &address).await?;
                Ok(wire)
            };
            match tried.await {
                Ok(wire) => return Ok((address, wire)),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    /// Whether the master is still at `address`, as far as any Sentinel can tell.
    pub(crate) async fn still_master(&self, address: &Address) -> Result<(), Trouble> {
        let Some(sentinels) = &self.sentinels else {
            return Ok(());
        };
        match sentinels.master(self).await {
            Ok(now) if now != *address => Err(Trouble::Moved(now.to_string())),
            // Without Sentinels there is no fail-over to follow.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// One connection that speaks RESP3, greeted and bounded in time.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        push: &Push,
    ) -> Result<MultiplexedConnection, Trouble> {
        let push = Arc::clone(push);
        let config = self.config().set_push_sender(move |info: PushInfo| {
            push(info);
            Ok::<(), ()>(())
        });
        self.open(address, Greeting::redis(self), config).await
    }

    async fn open(
        &self,
        address: &Address,
        greeting: Greeting<'_>,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Trouble> {
        let attempt = async {
            let client = self.client(address, greeting)?;
            client.get_multiplexed_async_connection_with_config(&config).await
        };
        let limit = self.settings.connect_timeout;
        match tokio::time::timeout(limit, attempt).await {
            Ok(result) => result.map_err(|cause| Trouble::from(cause).at(address)),
            Err(_) => Err(Trouble::Late(limit).at(address)),
        }
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.settings.connect_timeout))
            .set_response_timeout(Some(self.settings.timeout))
            .set_pipeline_buffer_size(1024)
    }

    fn client(&self, address: &Address, greeting: Greeting<'_>) -> redis::RedisResult<Client> {
        let info = self.info(address, greeting)?;
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
    }

    /// What is said to a node of a Cluster. Certificates go to the cluster's own builder.
    pub(crate) fn cluster_info(&self, address: &Address) -> redis::RedisResult<ConnectionInfo> {
        self.info(address, Greeting::redis(self))
    }

    pub(crate) fn certificates(&self) -> Option<&TlsCertificates> {
        self.certificates.as_ref()
    }

    fn info(&self, address: &Address, greeting: Greeting<'_>) -> redis::RedisResult<ConnectionInfo> {
        let host = address.host.clone();
        let place = if self.certificates.is_some() {
            ConnectionAddr::TcpTls {
                host,
                port: address.port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, address.port)
        };
        let info = place.into_connection_info()?;
        Ok(info
            .set_redis_settings(greeting.settings())
            .set_tcp_settings(TcpSettings::default().set_nodelay(true)))
    }

    /// Nodes of a Cluster, beginning anywhere so that not all clients listen at the same one.
    pub(crate) fn nodes(&self, random: u64) -> Vec<Address> {
        let mut nodes = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let start = random % (nodes.len() as u64).max(1);
        nodes.rotate_left(usize::try_from(start).unwrap_or(0));
        nodes
    }

    /// Remembers nodes besides those of the settings.
    pub(crate) fn learn(&self, nodes: impl IntoIterator<Item = Address>) {
        let Topology::Cluster(first) = &self.settings.topology else {
            return;
        };
        let mut known = first.clone();
        for node in nodes {
            if !known.contains(&node) {
                known.push(node);
            }
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

/// Who we say we are, and in which protocol.
#[derive(Clone, Copy)]
struct Greeting<'a> {
    username: Option<&'a str>,
    password: Option<&'a Secret>,
    database: u32,
    protocol: ProtocolVersion,
}

impl<'a> Greeting<'a> {
    fn redis(dial: &'a Dial) -> Self {
        Self {
            username: dial.settings.username.as_deref(),
            password: dial.settings.password.as_ref(),
            database: dial.settings.database,
            protocol: ProtocolVersion::RESP3,
        }
    }

    fn settings(&self) -> RedisConnectionInfo {
        let mut info = RedisConnectionInfo::default()
            .set_protocol(self.protocol)
            .set_lib_name("purlin", env!("CARGO_PKG_VERSION"))
            .set_db(i64::from(self.database));
        if let Some(username) = self.username {
            info = info.set_username(username);
        }
        if let Some(password) = self.password {
            info = info.set_password(password.reveal());
        }
        info
    }
}

/// Notes only that the server hung up.
pub(crate) fn on_disconnect(suspect: &Arc<tokio::sync::Notify>) -> Push {
    let suspect = Arc::clone(suspect);
    Arc::new(move |info| {
        if info.kind == PushKind::Disconnection {
            suspect.notify_one();
        }
    })
}

/// Asks a server for its role; one that may not tell (an access list forbids it) is believed.
pub(crate) async fn assert_master(wire: &MultiplexedConnection, address: &Address) -> Result<(), Trouble> {
    let role: Result<Vec<Value>, _> = redis::cmd("ROLE").query_async(&mut wire.clone()).await;
    match role {
        Ok(role) => match role.first() {
            Some(Value::BulkString(name)) if name != b"master" => Err(Trouble::Replica(address.to_string())),
            _ => Ok(()),
        },
        Err(cause) if cause.code() == Some("NOPERM") => {
            let pong: Result<(), _> = redis::cmd("PING").query_async(&mut wire.clone()).await;
            pong.map_err(|cause| Trouble::from(cause).at(address))
        }
        Err(cause) => Err(Trouble::from(cause).at(address)),
    }
}
