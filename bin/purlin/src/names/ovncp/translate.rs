//! The guide's keys as Purlin's own sections.

use super::schema::{CACHE_REDIS, PRIMARY, REPLICA, SECTIONS};
use crate::exit::Failure;
use purlin_config::{Document, Reader, Section, format_duration};
use serde_json::{Map, Value, json};
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

/// The document that is served, and what is to be said about it.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) document: Value,
    pub(super) notes: Vec<String>,
    /// The database's host, where this node's own address has to be found out by it and it is not known (yet).
    pub(super) unknown_host: Option<String>,
}

/// Translates a checked document.
///
/// # Errors
/// When keys that are good alone do not fit together.
pub(super) fn translate(document: &Document) -> Result<Translated, Failure> {
    let guide = Guide(document);
    let database = guide.database();
    let enabled = guide.cluster().opt("enabled").unwrap_or(database.is_some());
    if enabled && database.is_none() {
        return Err(Failure::failed(
            "cluster.enabled: nodes of a cluster share one PostgreSQL, and neither DATABASE_URL nor database.primary names one",
            "name it, or set ENABLE_CLUSTERING=false for a node alone",
        ));
    }
    let redis = guide.redis();
    let memory = |key: Option<String>| key.as_deref() == Some("memory");
    if redis.is_none() && guide.section("session").opt::<String>("store_type").as_deref() == Some("redis") {
        return Err(Failure::failed(
            "session.store_type: \"redis\" is asked for, and neither REDIS_URL nor redis.addresses names one",
            "name it, or set SESSION_STORE_TYPE=memory",
        ));
    }
    if redis.is_none() && guide.section("cache").opt::<String>("type").as_deref() == Some("redis") {
        return Err(Failure::failed(
            "cache.type: \"redis\" is asked for, and neither REDIS_URL nor redis.addresses names one",
            "name it, or set CACHE_TYPE=memory",
        ));
    }
    let mut out = Map::new();
    out.insert("node".into(), guide.node());
    out.insert("api".into(), guide.api());
    // An OVN control platform hands out no addresses and no files.
    for service in crate::services::BUILT_IN
        .iter()
        .filter(|service| **service != "ovn")
    {
        out.insert((*service).to_owned(), json!({ "enabled": false }));
    }
    if cfg!(feature = "ovn") {
        out.insert("ovn".into(), guide.ovn());
    }
    let sessions_in_memory = memory(guide.section("session").opt("store_type"));
    out.insert("sessions".into(), guide.sessions(sessions_in_memory));
    let (mut notes, mut unknown_host) = (guide.ovn_notes(enabled), None);
    if let Some(database) = &database {
        // Without others the embedded store is what a node alone has.
        if enabled {
            out.insert("store".into(), guide.store(database));
            let named: Option<String> = guide.cluster().opt("node_ip");
            let (host, own) = own_address(&database.url);
            if named.is_none() && own.is_none() {
                unknown_host = Some(host);
            }
            let address = named.or(own).unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string());
            out.insert("cluster".into(), guide.among_others(database, &address));
        } else {
            notes.push("ENABLE_CLUSTERING=false: this node is alone, keeps its records in its data directory, and does not use the database".to_owned());
        }
    }
    if let Some(redis) = redis {
        out.insert("coordination".into(), redis);
    }
    if let Some(level) = guide.section("logging").opt::<String>("level") {
        out.insert("log".into(), json!({ "level": level }));
    }
    Ok(Translated {
        document: Value::Object(out),
        notes,
        unknown_host,
    })
}

struct Guide<'a>(&'a Document);

/// A database as the guide names it.
struct Database {
    url: String,
    replica: Option<String>,
}

impl Guide<'_> {
    fn section(&self, name: &str) -> Reader<'_> {
        let section: &Section = SECTIONS
            .iter()
            .find(|section| section.name == name)
            .expect("one of the guide's");
        Reader::section(self.0, section)
    }

    fn cluster(&self) -> Reader<'_> {
        self.section("cluster")
    }

    fn node(&self) -> Value {
        let mut node = Map::new();
        if let Some(id) = self.cluster().opt::<String>("node_id") {
            node.insert("id".into(), id.into());
        }
        node.into()
    }

    fn api(&self) -> Value {
        let server = self.section("server");
        let (host, port, metrics): (String, u16, u16) =
            (server.get("host"), server.get("port"), server.get("metrics_port"));
        let at = |port: u16| match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(host)) => format!("[{host}]:{port}"),
            _ => format!("{host}:{port}"),
        };
        // TLS ends at the guide's load balancer.
        let mut api =
            json!({ "http": [at(port)], "https": [], "metrics": [at(metrics)], "allow_remote_http": true });
        let rates = self.section("rate_limit");
        if rates.is_present() && rates.get("enabled") {
            let per_second: u32 = rates.get("rps");
            api["read_rate"] = json!(per_second * 60);
            api["write_rate"] = json!(per_second * 60);
        }
        api
    }

    fn sessions(&self, in_memory: bool) -> Value {
        let session = self.section("session");
        json!({
            "store": if in_memory { "memory" } else { "coordination" },
            "ttl": format_duration(session.get("ttl")),
            "cleanup_interval": format_duration(session.get("cleanup_interval")),
        })
    }

    fn database(&self) -> Option<Database> {
        let database = self.section("database");
        let primary = database.below("primary", &[PRIMARY]);
        if let Some(url) = database.opt::<String>("url") {
            return Some(Database { url, replica: None });
        }
        if !primary.is_present() {
            return None;
        }
        let text = |key: &str| primary.opt::<String>(key).unwrap_or_default();
        let (user, name) = (encoded(&text("user")), encoded(&text("database")));
        let password = primary
            .opt::<String>("password")
            .map(|password| encoded(&password));
        let login = password.map_or(user.clone(), |password| format!("{user}:{password}"));
        let tail = primary
            .opt::<String>("sslmode")
            .map_or_else(String::new, |mode| format!("?sslmode={mode}"));
        let url = |hosts: &str| format!("postgresql://{login}@{hosts}/{name}{tail}");
        let replicas: Vec<String> = database
            .tables("replicas", &[REPLICA])
            .iter()
            .map(|replica| host_port(replica))
            .collect();
        Some(Database {
            url: url(&host_port(&primary)),
            replica: (!replicas.is_empty()).then(|| url(&replicas.join(","))),
        })
    }

    fn store(&self, named: &Database) -> Value {
        let database = self.section("database");
        let lifetime: Duration = database.get("connection_max_lifetime");
        let mut store = json!({
            "engine": "postgres",
            "url": named.url,
            "max_open": database.get::<u16>("max_open_connections"),
            "max_idle": database.get::<u16>("max_idle_connections"),
            "max_lifetime": format_duration(lifetime),
        });
        if let Some(replica) = &named.replica {
            store["replica_url"] = json!(replica);
        }
        store
    }

    fn among_others(&self, database: &Database, address: &str) -> Value {
        let cluster = self.cluster();
        let mut section = json!({
            "enabled": true,
            "node_ip": address,
            "heartbeat_interval": format_duration(cluster.get("heartbeat_interval")),
            "node_timeout": format_duration(cluster.get("node_timeout")),
            // Nodes that know the database's password know this; nothing of the guide's services is sealed with it.
            "secret": cluster.opt("secret").unwrap_or_else(|| format!("ovncp cluster {}", database.url)),
        });
        for key in ["hostname", "zone"] {
            if let Some(text) = cluster.opt::<String>(key) {
                section[key] = json!(text);
            }
        }
        section
    }

    fn redis(&self) -> Option<Value> {
        let redis = self.section("redis");
        let addresses: Vec<String> = redis.opt("addresses").unwrap_or_default();
        let url = redis
            .opt::<String>("url")
            .or_else(|| (!addresses.is_empty()).then(|| format!("redis://{}", addresses.join(","))));
        let master: Option<String> = redis.opt("sentinel_master");
        if url.is_none() && master.is_none() {
            return None;
        }
        let cache = self.section("cache");
        let speaking = cache.below("redis", &[CACHE_REDIS]);
        let waits: [Duration; 2] = [speaking.get("read_timeout"), speaking.get("write_timeout")];
        let pool: u16 = speaking
            .opt("pool_size")
            .unwrap_or_else(|| redis.get("pool_size"));
        let dial: Duration = speaking.get("dial_timeout");
        let mut section = json!({
            "engine": "redis",
            "pool_size": pool,
            "cluster": redis.get::<bool>("cluster_mode"),
            "connect_timeout": format_duration(dial),
            "timeout": format_duration(waits[0].max(waits[1])),
            "max_retries": speaking.get::<u32>("max_retries"),
            "cache": if cache.opt::<String>("type").as_deref() == Some("memory") { "memory" } else { "shared" },
        });
        let optional = [
            ("url", url.map(Value::from)),
            ("password", redis.opt::<String>("password").map(Value::from)),
            ("sentinel_master", master.map(Value::from)),
            (
                "sentinel_nodes",
                redis.opt::<Vec<String>>("sentinel_nodes").map(Value::from),
            ),
            ("key_prefix", cache.opt::<String>("key_prefix").map(Value::from)),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                section[key] = value;
            }
        }
        Some(section)
    }

    /// Servers of one of OVN's databases.
    fn endpoints(&self, side: &str) -> Option<Vec<String>> {
        let ovn = self.section("ovn");
        let side = ovn.below(side, &[super::schema::ENDPOINTS]);
        side.opt::<Vec<String>>("endpoints")
            .filter(|endpoints| !endpoints.is_empty())
    }

    fn ovn(&self) -> Value {
        let mut section = json!({ "enabled": true });
        for side in ["northbound", "southbound"] {
            if let Some(endpoints) = self.endpoints(side) {
                section[side] = endpoints.into();
            }
        }
        let ovn = self.section("ovn");
        if ovn.node("connection_timeout").is_some() {
            let timeout: Duration = ovn.get("connection_timeout");
            section["connect_timeout"] = format_duration(timeout).into();
        }
        let batches = self.section("batch_processor");
        if batches.is_present() {
            section["batch_size"] = batches.get::<u32>("batch_size").into();
            section["batch_timeout"] = format_duration(batches.get("batch_timeout")).into();
            section["max_concurrent"] = batches.get::<u32>("max_concurrent").into();
        }
        section
    }

    fn ovn_notes(&self, among_others: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if self.endpoints("northbound").is_none() {
            let own = "ovn.northbound.endpoints names no server: this node starts databases of its own";
            notes.push(if among_others {
                format!(
                    "{own}, and so does every other node: what is written at one is not seen at the others; name one OVN for all of them (OVN_NORTHBOUND_ENDPOINTS=tcp:ovn-nb-1:6641)"
                )
            } else {
                own.to_owned()
            });
        }
        let pool = [
            "max_connections",
            "connection_idle_timeout",
            "connection_lifetime",
        ];
        if let Some(key) = pool.iter().find(|key| self.section("ovn").node(key).is_some()) {
            notes.push(format!(
                "ovn.{key}: one connection to each server carries everything and is kept; there is no pool"
            ));
        }
        if self.section("rate_limit").node("burst").is_some() {
            notes.push(
                "rate_limit.burst: two seconds' worth of requests, and at least ten, may come at once"
                    .to_owned(),
            );
        }
        let prefix = self.section("cache").opt::<String>("key_prefix");
        let id = self.cluster().opt::<String>("node_id");
        if let (Some(prefix), Some(id)) = (prefix, id)
            && (prefix.contains(&id) || prefix.contains(&id.replace('-', "")))
        {
            notes.push(format!(
                "cache.key_prefix {prefix:?} holds this node's own name: nodes with different prefixes do not see each other in Redis"
            ));
        }
        notes
    }
}

fn host_port(reader: &Reader<'_>) -> String {
    let host: String = reader.opt("host").unwrap_or_default();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    format!("{host}:{}", reader.get::<u16>("port"))
}

fn encoded(text: &str) -> String {
    crate::client::encode(text)
}

/// The database's first host, and the address from which this machine reaches it; no packet is sent for it.
fn own_address(url: &str) -> (String, Option<String>) {
    let place = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = place.split('/').next().unwrap_or_default();
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let first = place.split(',').next().unwrap_or_default();
    let first = if first.contains(':') {
        first.to_owned()
    } else {
        format!("{first}:5432")
    };
    let towards = first
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.find(std::net::SocketAddr::is_ipv4));
    let own = towards.and_then(|towards| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect(towards).ok()?;
        Some(socket.local_addr().ok()?.ip().to_string())
    });
    (first, own)
}
