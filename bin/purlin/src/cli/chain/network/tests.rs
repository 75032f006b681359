use super::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

fn order(out: &Path, validators: u16) -> Order {
    Order {
        out: out.to_owned(),
        validators,
        chain_id: 77,
        period: Duration::from_millis(500),
        gas_limit: 30_000_000,
        base_port: 30_300,
        fund: vec![(Address::repeat_byte(1), U256::from(5))],
        password: None,
        timestamp: 1_700_000_000,
    }
}

fn toml(file: &Path) -> Value {
    toml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_genesis_document_names_the_validators_whose_keys_lie_beside_it() {
    let dir = TempDir::new().unwrap();
    let network = order(&dir.path().join("net"), 4).lay_out().unwrap();
    let spec = ChainSpec::from_json(&fs::read_to_string(&network.genesis).unwrap()).unwrap();
    let consensus = spec.consensus().unwrap();
    assert_eq!(spec.chain_id(), 77);
    assert_eq!(
        (consensus.period, consensus.gas_limit),
        (Duration::from_millis(500), 30_000_000)
    );
    assert_eq!(
        spec.genesis().alloc[&Address::repeat_byte(1)].balance,
        U256::from(5)
    );
    let header = spec.genesis_header(roots::state(&spec.genesis().alloc));
    assert_eq!(header.hash_slow(), network.hash);
    assert_eq!((consensus.validators.len(), network.places.len()), (4, 4));
    for (place, validator) in network.places.iter().zip(&consensus.validators) {
        let key: Key = fs::read_to_string(&place.key_file).unwrap().parse().unwrap();
        assert_eq!((key.address(), 1), *validator);
        assert_eq!(place.address, key.address());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place.key_file), mode(&place.data_dir)), (0o600, 0o700));
    }
}

#[test]
fn the_genesis_holds_the_constitution_and_validators_can_pay_for_votes() {
    let dir = TempDir::new().unwrap();
    let network = order(&dir.path().join("net"), 4).lay_out().unwrap();
    let spec = ChainSpec::from_json(&fs::read_to_string(&network.genesis).unwrap()).unwrap();
    let account = &spec.genesis().alloc[&constitution::ADDRESS];
    assert_eq!(
        (account.nonce, account.code.clone()),
        (Some(1), Some(constitution::code()))
    );
    let storage = account.storage.clone().unwrap();
    let slot = |slot: U256| -> Result<U256, std::convert::Infallible> {
        let value = storage.get(&B256::from(slot)).copied();
        Ok(value.unwrap_or_default().into())
    };
    let versions = constitution::read(slot).unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(
        (versions[0].period, versions[0].gas_limit),
        (Duration::from_millis(500), 30_000_000)
    );
    assert_eq!(versions[0].validators.len(), 4);
    for place in &network.places {
        assert_eq!(versions[0].validators.power(&place.address), Some(1));
        let balance = spec.genesis().alloc[&place.address].balance;
        assert_eq!(balance.to_string(), "1000000000000000000000");
    }
}

#[test]
fn every_configuration_names_its_own_files_and_all_others_as_peers() {
    let dir = TempDir::new().unwrap();
    let network = order(&dir.path().join("net with \"quotes\""), 4)
        .lay_out()
        .unwrap();
    let mut sockets = BTreeSet::new();
    for place in &network.places {
        let config = toml(&place.config);
        let chain = &config["chain"];
        assert_eq!(config["node"]["id"], place.name.as_str());
        assert_eq!(config["node"]["data_dir"], place.data_dir.to_str().unwrap());
        assert_eq!(chain["genesis"], network.genesis.to_str().unwrap());
        assert_eq!(chain["key_file"], place.key_file.to_str().unwrap());
        assert_eq!(chain["role"], "validator");
        let peers: BTreeSet<&str> = chain["peers"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let others = network.places.iter().filter(|other| other.name != place.name);
        let others: Vec<String> = others
            .map(|other| format!("{}@{}", other.address, other.peers))
            .collect();
        assert_eq!(peers, others.iter().map(String::as_str).collect());
        for (said, meant) in [
            (&chain["listen"], place.peers),
            (&chain["http"], place.http),
            (&chain["websocket"], place.websocket),
            (&config["api"]["http"][0], place.api),
        ] {
            assert_eq!(said, meant.to_string().as_str());
            assert!(sockets.insert(meant), "{meant} twice");
        }
    }
}

#[test]
fn the_largest_network_has_no_port_twice() {
    let order = order(Path::new("."), VALIDATORS_MAX);
    let key = Key::development(0).unwrap();
    let places = (0..VALIDATORS_MAX).map(|index| order.place(Path::new("."), index, &key));
    let all: Vec<SocketAddr> = places
        .flat_map(|place| [place.peers, place.http, place.websocket, place.api])
        .collect();
    let different: BTreeSet<SocketAddr> = all.iter().copied().collect();
    assert_eq!(different.len(), all.len());
    assert!(
        different
            .iter()
            .all(|address| address.port() < order.base_port + PORTS)
    );
}

#[test]
fn a_single_validator_has_no_peers() {
    let dir = TempDir::new().unwrap();
    let network = order(dir.path(), 1).lay_out().unwrap();
    assert_eq!(
        toml(&network.places[0].config)["chain"]["peers"],
        Value::Array(Vec::new())
    );
}

#[test]
fn nothing_is_overwritten_and_nothing_impossible_begun() {
    let dir = TempDir::new().unwrap();
    let out = dir.path().join("net");
    order(&out, 1).lay_out().unwrap();
    assert_eq!(order(&out, 1).lay_out().unwrap_err().exit, Exit::Conflict);
    let other = dir.path().join("other");
    let ordered = |change: fn(&mut Order)| {
        let mut order = order(&other, 4);
        change(&mut order);
        order.lay_out().unwrap_err()
    };
    assert_eq!(ordered(|order| order.validators = 0).exit, Exit::Usage);
    assert_eq!(
        ordered(|order| order.validators = VALIDATORS_MAX + 1).exit,
        Exit::Usage
    );
    assert_eq!(ordered(|order| order.base_port = u16::MAX).exit, Exit::Usage);
    assert!(!other.exists());
    let failure = ordered(|order| order.period = Duration::from_millis(1));
    assert!(failure.what.contains("blockPeriodMs"), "{failure}");
}

#[test]
fn with_a_password_the_key_is_in_a_keystore_too() {
    let dir = TempDir::new().unwrap();
    let mut order = order(dir.path(), 1);
    order.password = Some("p".to_owned());
    let place = &order.lay_out().unwrap().places[0];
    let held = Folder::of(&place.data_dir).find(place.address).unwrap();
    assert_eq!(held.keystore.open(b"p").unwrap().address(), place.address);
}
