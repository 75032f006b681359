//! How the engines are reached: pools of the database, and Redis in one of its arrangements.

use super::engines::unusable;
use super::waits::Waits;
use crate::exit::{Failure, chain};
use purlin_config::sections::coordination::RedisSettings;
use purlin_config::sections::store::PoolSettings;
use purlin_fabric_redis::{Address, RedisHints, SENTINEL_PORT, Secret, SettingFault, Settings, Topology};
use purlin_store_postgres::{Obstacle, Postgres, Settings as Database, obstacle};

/// A pool of at most `connections` to the database at `url`. Waits for one that is not there, and says so.
///
/// # Errors
/// When waiting will not help: what is wrong, where, and what mends it.
pub(super) async fn database(
    url: &str,
    connections: usize,
    pool: &PoolSettings,
    waits: &Waits,
) -> Result<Postgres, Failure> {
    let mut settings = settings_of("store.url", url)?;
    settings.max_open = connections;
    settings.max_idle = usize::from(pool.max_idle).min(connections);
    settings.lifetime = pool.max_lifetime;
    settings.listen = true;
    if let Some(replica) = &pool.replica {
        let replica = settings_of("store.replica_url", replica)?;
        settings.replica = Some(replica.primary);
        // Certificates are checked in one way for both; what the primary's address says counts first.
        settings.tls = settings.tls.or(replica.tls);
    }
    let connected = Postgres::connect(settings, waits.teller()).await;
    waits.over();
    connected.map_err(|cause| Failure::failed(chain(&cause), remedy(obstacle(&cause))))
}

/// What mends it, by the names of settings here and of PostgreSQL's own.
fn remedy(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::Password => {
            "correct the password in store.url, or that of the role: ALTER ROLE ... PASSWORD"
        }
        Obstacle::User => {
            "let pg_hba.conf of the server admit this role from here, or correct the role in store.url; what it asks of TLS \
             is sslmode in store.url"
        }
        Obstacle::Database => {
            "make the database (CREATE DATABASE ... OWNER ...), or correct its name in store.url"
        }
        Obstacle::Rights => {
            "let the role make its schema: GRANT CREATE ON DATABASE ... TO ..., or make it the owner"
        }
        Obstacle::NoTls => {
            "switch TLS on at the server (ssl = on), or ask for less in store.url: sslmode=prefer"
        }
        Obstacle::Certificate => {
            "name the authority of the server's certificate in store.url (sslrootcert=FILE), and the server by a name that \
             stands in it"
        }
        Obstacle::Other => "see store.url, and the rights of its user",
    }
}

/// With TLS as the URL says: `sslmode` and `sslrootcert`, as PostgreSQL means them.
fn settings_of(key: &str, url: &str) -> Result<Database, Failure> {
    Database::of_url(url, None).map_err(|cause| {
        Failure::failed(
            format!("{key}: {cause}"),
            "for example postgresql://purlin@db.example.com/purlin?sslmode=verify-full&sslrootcert=/etc/purlin/db-ca.pem",
        )
    })
}

/// Redis at `url`, or where Sentinels say that it is.
pub(super) fn redis(url: &str, redis: &RedisSettings) -> Result<RedisHints, Failure> {
    let settings = arranged(url, redis).map_err(|fault| unusable("coordination", &[fault]))?;
    RedisHints::connect(settings).map_err(|faults| unusable("coordination", &faults))
}

/// Where Redis or its Sentinels are, `host:port` of each.
///
/// # Errors
/// As [`redis`].
pub(crate) fn redis_places(url: &str, redis: &RedisSettings) -> Result<Vec<String>, SettingFault> {
    let (Topology::Single(nodes) | Topology::Sentinel { nodes, .. } | Topology::Cluster(nodes)) =
        arranged(url, redis)?.topology;
    Ok(nodes.iter().map(ToString::to_string).collect())
}

fn arranged(url: &str, redis: &RedisSettings) -> Result<Settings, SettingFault> {
    let mut settings = match (&redis.sentinel, url) {
        (Some(sentinel), "") => Settings::new(watched(sentinel, redis)?),
        _ => Settings::from_url(url)?,
    };
    if let Some(sentinel) = &redis.sentinel {
        settings.topology = watched(sentinel, redis)?;
    }
    if let (true, Topology::Single(nodes)) = (redis.cluster, &settings.topology) {
        settings.topology = Topology::Cluster(nodes.clone());
    }
    settings.password = settings
        .password
        .or_else(|| redis.password.clone().map(Secret::new));
    settings.connections = redis.pool_size;
    settings.key_prefix.clone_from(&redis.key_prefix);
    settings.timeout = redis.timeout;
    settings.connect_timeout = redis.connect_timeout;
    settings.max_retries = redis.max_retries;
    Ok(settings)
}

fn watched((master, nodes): &(String, Vec<String>), redis: &RedisSettings) -> Result<Topology, SettingFault> {
    let address = |node: &String| {
        Address::parse(node, SENTINEL_PORT).map_err(|says| SettingFault {
            key: "sentinel_nodes",
            says: says.to_owned(),
        })
    };
    Ok(Topology::Sentinel {
        master: master.clone(),
        nodes: nodes.iter().map(address).collect::<Result<_, _>>()?,
        password: redis.sentinel_password.clone().map(Secret::new),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn plain() -> RedisSettings {
        RedisSettings {
            cluster: false,
            sentinel: None,
            sentinel_password: None,
            password: None,
            pool_size: 3,
            key_prefix: "ovncp:node1:".to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(3),
            max_retries: 3,
            cache_shared: true,
            cache_ttl: Duration::from_secs(300),
        }
    }

    #[test]
    fn every_arrangement_of_redis_is_reached() {
        let single = arranged("redis://a:1,b:2", &plain()).expect("good");
        assert!(matches!(&single.topology, Topology::Single(nodes) if nodes.len() == 2));
        assert_eq!(
            (single.connections, single.key_prefix.as_str(), single.max_retries),
            (3, "ovncp:node1:", 3)
        );
        let mut redis = plain();
        redis.cluster = true;
        let cluster = arranged("redis://a:1,b:2", &redis).expect("good");
        assert!(matches!(&cluster.topology, Topology::Cluster(nodes) if nodes.len() == 2));
        redis.cluster = false;
        redis.sentinel = Some(("mymaster".to_owned(), vec!["s1".to_owned(), "s2:1".to_owned()]));
        redis.password = Some("x".to_owned());
        let sentinel = arranged("", &redis).expect("no URL is needed");
        assert!(sentinel.password.is_some());
        assert!(matches!(&sentinel.topology, Topology::Sentinel { nodes, .. } if nodes.len() == 2));
    }

    #[test]
    fn where_redis_is_stands_in_every_arrangement() {
        let places = |url: &str, redis: &RedisSettings| redis_places(url, redis).expect("good");
        assert_eq!(
            places("rediss://:secret@[fd00::1]:6380/3", &plain()),
            ["[fd00::1]:6380"]
        );
        assert_eq!(places("redis://a,b:2", &plain()), ["a:6379", "b:2"]);
        let mut redis = plain();
        redis.sentinel = Some(("mymaster".to_owned(), vec!["s1".to_owned(), "s2:1".to_owned()]));
        assert_eq!(places("", &redis), ["s1:26379", "s2:1"]);
    }
}
