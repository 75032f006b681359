//! Nodes under the name `ovncp`, by the variables or the file of its scaling guide.

use super::member::Ports;
use super::{Cluster, Member, bound_to_us};
use crate::lab::text_of;
use crate::process::Process;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Duration;

impl Cluster {
    /// Starts `ovncp` with these variables beside those that say who it is, and perhaps a file. Not waited for.
    #[must_use]
    pub fn ovncp(&self, id: &str, variables: &[(&str, &str)], file: Option<&Path>) -> Member {
        let data = self.path(id);
        let ports = Ports::free();
        let mut command = bound_to_us("purlin", "KILL");
        command.args(["as", "ovncp", "--data-dir", &text_of(&data)]);
        if let Some(file) = file {
            command.args(["--config", &text_of(file)]);
        }
        command.env("NODE_ID", id).env("NODE_IP", "127.0.0.1");
        command.env("NODE_PORT", ports.api.to_string());
        command.env("METRICS_PORT", ports.metrics.to_string());
        // Several nodes on one machine; the guide has one on each.
        command.env("PURLIN__CLUSTER__PEER_PORT", ports.peers.to_string());
        command.envs(variables.iter().copied());
        let process = Process::start(command, data.with_extension("1.log"));
        Member::running(id, process, ports, &data)
    }

    /// Where the database is, as the guide writes it, with a password that must not be seen anywhere.
    #[must_use]
    pub fn database_url(&self, password: &str) -> String {
        format!(
            "postgresql://purlin:{password}@127.0.0.1:{}/purlin",
            self.database.port()
        )
    }

    /// Where Redis is.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn redis_url(&self) -> String {
        format!(
            "redis://127.0.0.1:{}",
            self.redis_port.expect("this cluster has one")
        )
    }

    /// What Redis answers to a line, as it goes over the wire.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn redis_says(&self, order: &str) -> String {
        let port = self.redis_port.expect("this cluster has one");
        let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it answers");
        line.set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a time");
        line.write_all(format!("{order}\r\nQUIT\r\n").as_bytes())
            .expect("it reads");
        let mut said = Vec::new();
        line.read_to_end(&mut said).expect("it answers");
        String::from_utf8_lossy(&said).into_owned()
    }

    /// All keys in Redis.
    ///
    /// # Panics
    /// When Redis does not answer.
    #[must_use]
    pub fn redis_keys(&self) -> Vec<String> {
        let said = self.redis_says("KEYS *");
        // An array of texts, each behind its length, and the OK of the farewell.
        let texts = said
            .split("\r\n")
            .filter(|line| !line.starts_with(['*', '$', '+']));
        texts.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }
}
