//! The text of a validator's configuration, and of the README beside all of them.

use super::{Network, Place};
use std::fmt::Write;
use std::path::Path;

/// A configuration that `purlin up` takes as it is.
pub(super) fn validator(place: &Place, genesis: &Path, places: &[Place]) -> String {
    let others = places.iter().filter(|other| other.address != place.address);
    let peers: String = others.fold(String::new(), |mut text, other| {
        let peer = format!("{}@{}", other.address, other.peers);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "    {},", quoted(&peer));
        text
    });
    let path = |path: &Path| quoted(&path.display().to_string());
    format!(
        "# {name}, whose account is {address}.

[node]
id = {id}
data_dir = {data_dir}

[api]
http = [\"{api}\"]
https = []
metrics = []

[chain]
enabled = true
genesis = {genesis}
role = \"validator\"
key_file = {key_file}
# Where the other nodes reach this one, and where it reaches them.
listen = \"{listen}\"
peers = [
{peers}]
# JSON-RPC. Whoever reaches it may ask, and send signed transactions.
http = \"{http}\"
websocket = \"{websocket}\"
",
        name = place.name,
        address = place.address,
        id = quoted(&place.name),
        data_dir = path(&place.data_dir),
        api = place.api,
        genesis = path(genesis),
        key_file = path(&place.key_file),
        listen = place.peers,
        http = place.http,
        websocket = place.websocket,
    )
}

/// What to do with the directories.
pub(super) fn readme(network: &Network) -> String {
    let count = network.places.len();
    // More than two thirds must be up (docs/adr: quorums).
    let lost = (count - 1) / 3;
    let mut text = format!(
        "# A chain with {count} validators

Genesis hash {hash}. {lost} of them may be down, and blocks go on. Start each in a terminal of its own:

```sh
",
        hash = network.hash,
    );
    for place in &network.places {
        let _ = writeln!(text, "purlin up --config {}", place.config.display());
    }
    let first = network.places.first().map(|place| place.http);
    let first = first.map_or_else(String::new, |http| http.to_string());
    let _ = write!(
        text,
        "```

Then ask any of them:

```sh
purlin chain validators --rpc http://{first}
purlin bench chain --help
```

To spread them over machines, give each its directory and genesis.json, and change in its purlin.toml the paths, `listen`
and the addresses in `peers`. Nobody but its validator needs a validator.key; two nodes with one key are a fault that the
others can prove.
",
    );
    text
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
