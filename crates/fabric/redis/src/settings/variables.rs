//! The variables of the environment, as the deployment guides name them.

use super::{Address, SENTINEL_PORT, Secret, SettingFault, Settings, Topology, url};

pub(super) fn read(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Option<Settings>, Vec<SettingFault>> {
    let get = |key: &str| lookup(key).filter(|value| !value.trim().is_empty());
    let mut faults = Vec::new();
    let url = get("REDIS_URL").and_then(|text| keep(&mut faults, url::read("REDIS_URL", &text)));
    let cluster = get("REDIS_CLUSTER_MODE")
        .and_then(|text| keep(&mut faults, truth("REDIS_CLUSTER_MODE", &text)))
        .unwrap_or(false);
    let sentinel = sentinel(&get, &mut faults);
    let pool = get("REDIS_POOL_SIZE").and_then(|text| keep(&mut faults, count("REDIS_POOL_SIZE", &text)));
    if cluster && sentinel.is_some() {
        faults.push(SettingFault::new(
            "REDIS_CLUSTER_MODE",
            "a Cluster elects its own masters: not together with REDIS_SENTINEL_MASTER",
        ));
    }
    let Some(mut settings) = assemble(url, sentinel, cluster) else {
        return if faults.is_empty() { Ok(None) } else { Err(faults) };
    };
    settings.connections = pool.unwrap_or(settings.connections);
    settings.username = settings.username.or_else(|| get("REDIS_USERNAME"));
    settings.password = settings
        .password
        .or_else(|| get("REDIS_PASSWORD").map(Secret::new));
    if let Some(prefix) = get("CACHE_KEY_PREFIX") {
        settings.key_prefix = prefix;
    }
    faults.extend(settings.faults().into_iter().map(as_variable));
    if faults.is_empty() {
        Ok(Some(settings))
    } else {
        Err(faults)
    }
}

fn sentinel(get: &dyn Fn(&str) -> Option<String>, faults: &mut Vec<SettingFault>) -> Option<Topology> {
    let master = get("REDIS_SENTINEL_MASTER");
    let nodes = get("REDIS_SENTINEL_NODES");
    let missing = match (&master, &nodes) {
        (Some(_), None) => Some((
            "REDIS_SENTINEL_NODES",
            "REDIS_SENTINEL_MASTER needs Sentinels to ask",
        )),
        (None, Some(_)) => Some((
            "REDIS_SENTINEL_MASTER",
            "REDIS_SENTINEL_NODES needs the name of a master",
        )),
        _ => None,
    };
    faults.extend(missing.map(|(key, says)| SettingFault::new(key, says)));
    let nodes = Address::parse_list(&nodes?, SENTINEL_PORT)
        .map_err(|says| SettingFault::new("REDIS_SENTINEL_NODES", says));
    Some(Topology::Sentinel {
        master: master?.trim().to_owned(),
        nodes: keep(faults, nodes)?,
        password: get("REDIS_SENTINEL_PASSWORD").map(Secret::new),
    })
}

fn assemble(url: Option<Settings>, sentinel: Option<Topology>, cluster: bool) -> Option<Settings> {
    let mut settings = match (url, &sentinel) {
        (Some(settings), _) => settings,
        (None, Some(topology)) => Settings::new(topology.clone()),
        (None, None) => return None,
    };
    settings.topology = match (sentinel, settings.topology) {
        (Some(topology), _) => topology,
        (None, Topology::Single(nodes)) if cluster => Topology::Cluster(nodes),
        (None, other) => other,
    };
    Some(settings)
}

/// A check speaks of settings; whoever set a variable wants its name.
fn as_variable(fault: SettingFault) -> SettingFault {
    let key = match fault.key {
        "connections" => "REDIS_POOL_SIZE",
        "key_prefix" => "CACHE_KEY_PREFIX",
        "sentinel.master" => "REDIS_SENTINEL_MASTER",
        _ => "REDIS_URL",
    };
    SettingFault { key, ..fault }
}

fn truth(key: &'static str, text: &str) -> Result<bool, SettingFault> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(SettingFault::new(key, "true or false")),
    }
}

fn count(key: &'static str, text: &str) -> Result<u16, SettingFault> {
    let number = text.trim().parse();
    number.map_err(|_| SettingFault::new(key, "a number from 1 to 64"))
}

fn keep<T>(faults: &mut Vec<SettingFault>, result: Result<T, SettingFault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}
