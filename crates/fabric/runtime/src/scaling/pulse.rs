//! What a node says of itself.

use purlin_types::WallTime;
use serde_json::{Value, json};

/// How a node is, as of a moment. Its text form goes along with heartbeats, under `load`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pulse {
    /// Percent of the machine's processors.
    pub cpu: Option<f64>,
    /// Percent of the machine's memory.
    pub memory: Option<f64>,
    /// Requests per second, of all services.
    pub requests: Option<f64>,
    /// Leases and sessions that go with the node's slots and connections.
    pub leases: Option<u64>,
    pub sessions: Option<u64>,
    /// Slots that wait for the promises of a lost node.
    pub suspect: u16,
    /// How the node plans when it leads.
    pub planning: String,
    pub at: WallTime,
}

impl Pulse {
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "memory": self.memory,
            "requests": self.requests,
            "leases": self.leases,
            "sessions": self.sessions,
            "suspect": self.suspect,
            "planning": self.planning,
            "at": self.at.0,
        })
    }

    /// `None` for what is none.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let number = |key: &str| value[key].as_f64().filter(|n| n.is_finite() && *n >= 0.0);
        Some(Self {
            cpu: number("cpu"),
            memory: number("memory"),
            requests: number("requests"),
            leases: value["leases"].as_u64(),
            sessions: value["sessions"].as_u64(),
            suspect: value["suspect"].as_u64().map_or(0, |n| n.min(4096) as u16),
            planning: value["planning"].as_str().unwrap_or_default().to_owned(),
            at: WallTime(value["at"].as_u64()?),
        })
    }

    /// From the body of a heartbeat, whoever wrapped it.
    pub(super) fn from_body(body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        [&body["says"]["load"], &body["load"]]
            .into_iter()
            .find_map(Self::from_json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_comes_back_from_a_heartbeat() {
        let pulse = Pulse {
            cpu: Some(12.5),
            memory: None,
            requests: Some(0.0),
            leases: Some(7),
            sessions: None,
            suspect: 3,
            planning: "consistent_hashing/3/100".to_owned(),
            at: WallTime(1_700_000_000_000),
        };
        for body in [
            json!({ "load": pulse.to_json() }),
            json!({ "beat": 7, "says": { "load": pulse.to_json(), "sessions": 1 } }),
        ] {
            assert_eq!(Pulse::from_body(&body.to_string()), Some(pulse.clone()));
        }
        for odd in ["", "[]", "{\"load\":{\"cpu\":1}}", "{\"says\":3}"] {
            assert_eq!(Pulse::from_body(odd), None, "{odd}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_not_taken() {
        let odd = json!({ "cpu": -1.0, "memory": "50", "requests": null, "suspect": 99999, "at": 1 });
        let pulse = Pulse::from_json(&odd).expect("the rest is good");
        assert_eq!(
            (pulse.cpu, pulse.memory, pulse.requests, pulse.suspect),
            (None, None, None, 4096)
        );
    }
}
