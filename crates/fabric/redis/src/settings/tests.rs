use super::*;
use proptest::prelude::*;

fn url(text: &str) -> Settings {
    Settings::from_url(text).expect("a good url")
}

fn says(text: &str) -> String {
    Settings::from_url(text).expect_err("a bad url").to_string()
}

fn variables(pairs: &[(&str, &str)]) -> Result<Option<Settings>, Vec<SettingFault>> {
    Settings::from_variables(&|key| {
        let found = pairs.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn keys(faults: &[SettingFault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.key).collect()
}

#[test]
fn a_url_names_host_port_user_password_and_database() {
    let settings = url("rediss://ops:p%40ss@redis.example.com:6380/3");
    assert_eq!(
        settings.topology,
        Topology::Single(vec![Address::new("redis.example.com", 6380)])
    );
    assert_eq!(settings.username.as_deref(), Some("ops"));
    assert_eq!(settings.password, Some(Secret::new("p@ss")));
    assert_eq!(settings.database, 3);
    assert_eq!(settings.tls, Some(Tls::default()));
}

#[test]
fn the_port_defaults_and_plain_text_is_plain() {
    let settings = url("redis://redis");
    assert_eq!(
        settings.topology,
        Topology::Single(vec![Address::new("redis", 6379)])
    );
    assert_eq!(
        (settings.tls, settings.password, settings.database),
        (None, None, 0)
    );
    let settings = url("redis://[2001:db8::1]:7000,[2001:db8::2]/");
    assert_eq!(
        settings.topology,
        Topology::Single(vec![
            Address::new("2001:db8::1", 7000),
            Address::new("2001:db8::2", 6379)
        ])
    );
    assert_eq!(
        Address::new("2001:db8::1", 7000).to_string(),
        "[2001:db8::1]:7000"
    );
}

#[test]
fn a_password_that_was_not_encoded_still_reads() {
    assert_eq!(url("redis://:a@b:c@host:1").password, Some(Secret::new("a@b:c")));
}

#[test]
fn faults_of_a_url_say_what_is_expected() {
    assert!(says("http://redis").contains("redis:// or rediss://"));
    assert!(says("redis://").contains("host is missing"));
    assert!(says("redis://host:99999").contains("1 to 65535"));
    assert!(says("redis://host/two").contains("number of a database"));
    assert!(says("redis://secret@host").contains("after a colon"));
    assert!(says("redis://host?timeout=1").contains("options"));
    assert!(says("redis://::1").contains("brackets"));
}

#[test]
fn a_password_is_never_shown() {
    let secret = "hunter2";
    let settings = url("redis://:hunter2@host");
    assert!(!format!("{settings:?}").contains(secret));
    for text in [
        "redis://:hunter2?@host",
        "redis://:hunter2#@host",
        "redis://hunter2@host",
        "redis://:%ff-hunter2@host",
        "redis//:hunter2@host",
        "redis://host:hunter2",
        "redis://host/hunter2",
        "redis://:hunter2@",
    ] {
        assert!(!says(text).contains(secret), "{text}: {}", says(text));
    }
    let faults = variables(&[("REDIS_URL", "redis:hunter2"), ("REDIS_POOL_SIZE", "hunter2")]);
    assert!(!format!("{faults:?}").contains(secret));
}

#[test]
fn variables_of_a_single_server() {
    let settings = variables(&[
        ("REDIS_URL", "redis://redis:6379"),
        ("REDIS_CLUSTER_MODE", "false"),
        ("REDIS_POOL_SIZE", "10"),
        ("CACHE_KEY_PREFIX", "ovncp:node1:"),
        ("REDIS_PASSWORD", "hunter2"),
        ("REDIS_SENTINEL_MASTER", ""),
    ]);
    let settings = settings.expect("no faults").expect("there is a url");
    assert_eq!(
        settings.topology,
        Topology::Single(vec![Address::new("redis", 6379)])
    );
    assert_eq!(
        (settings.connections, settings.key_prefix.as_str()),
        (10, "ovncp:node1:")
    );
    assert_eq!(settings.password, Some(Secret::new("hunter2")));
}

#[test]
fn variables_of_sentinels() {
    let settings = variables(&[
        ("REDIS_URL", "rediss://:pw@redis.example.com:6379/2"),
        ("REDIS_SENTINEL_MASTER", "mymaster"),
        (
            "REDIS_SENTINEL_NODES",
            "sentinel1:26379, sentinel2:26380,sentinel3",
        ),
    ]);
    let settings = settings.expect("no faults").expect("there are Sentinels");
    let nodes = [("sentinel1", 26379), ("sentinel2", 26380), ("sentinel3", 26379)];
    assert_eq!(
        settings.topology,
        Topology::Sentinel {
            master: "mymaster".into(),
            nodes: nodes.map(|(host, port)| Address::new(host, port)).to_vec(),
            password: None,
        }
    );
    assert_eq!((settings.database, settings.tls.is_some()), (2, true));
}

#[test]
fn variables_of_a_cluster() {
    let settings = variables(&[("REDIS_URL", "redis://a:1,b:2"), ("REDIS_CLUSTER_MODE", "true")]);
    let settings = settings.expect("no faults").expect("there is a url");
    assert_eq!(
        settings.topology,
        Topology::Cluster(vec![Address::new("a", 1), Address::new("b", 2)])
    );
}

#[test]
fn without_a_place_there_is_no_redis() {
    assert_eq!(variables(&[("REDIS_CLUSTER_MODE", "false")]), Ok(None));
    assert_eq!(variables(&[]), Ok(None));
}

#[test]
fn all_faults_come_in_one_pass() {
    let faults = variables(&[
        ("REDIS_URL", "redis://host/1"),
        ("REDIS_CLUSTER_MODE", "true"),
        ("REDIS_POOL_SIZE", "0"),
        ("CACHE_KEY_PREFIX", "a{b}"),
    ]);
    assert_eq!(
        keys(&faults.expect_err("three faults")),
        ["REDIS_URL", "REDIS_POOL_SIZE", "CACHE_KEY_PREFIX"]
    );
    let faults = variables(&[
        ("REDIS_URL", "nonsense"),
        ("REDIS_CLUSTER_MODE", "maybe"),
        ("REDIS_SENTINEL_NODES", "a,b"),
        ("REDIS_POOL_SIZE", "many"),
    ]);
    assert_eq!(
        keys(&faults.expect_err("four faults")),
        [
            "REDIS_URL",
            "REDIS_CLUSTER_MODE",
            "REDIS_SENTINEL_MASTER",
            "REDIS_POOL_SIZE"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_or_refused_without_showing_it(text in "\\PC{0,40}") {
        let marked = format!("redis://:zq{text}zq@host{text}");
        match Settings::from_url(&marked) {
            Ok(settings) => prop_assert!(settings.faults().is_empty()),
            Err(fault) => prop_assert!(!fault.to_string().contains("zq")),
        }
    }

    #[test]
    fn what_is_written_as_a_url_is_read_back(host in "[a-z0-9.-]{1,20}", port in 1..=u16::MAX, database in 0..16u32) {
        let settings = url(&format!("redis://{host}:{port}/{database}"));
        prop_assert_eq!(settings.topology, Topology::Single(vec![Address::new(host, port)]));
        prop_assert_eq!(settings.database, database);
    }
}
