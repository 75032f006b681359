//! Serves databases on a Unix socket until it is killed, for test suites that start a server by themselves.
//!
//! ```sh
//! cargo run -p purlin-ovn-embedded --example serve -- SOCKET LOG SCHEMA [LOG SCHEMA]...
//! ```

use purlin_ovn_embedded::{Server, serve};
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (socket, databases) = arguments
        .split_first()
        .ok_or("SOCKET LOG SCHEMA [LOG SCHEMA]...")?;
    let random = SystemRandom::new();
    let mut server = Server::new(Box::new(move || {
        let mut octets = [0; 16];
        random.fill(&mut octets).expect("the system has random octets");
        octets
    }));
    for database in databases.chunks(2) {
        let [log, schema] = database else {
            return Err("a log and a schema for each database".into());
        };
        let schema = serde_json::from_slice(&std::fs::read(schema)?)?;
        server.open(&schema, Path::new(log))?;
    }
    let (door, running) = serve(server);
    door.unix(Path::new(socket))?;
    Ok(running.await?)
}
