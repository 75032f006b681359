//! What was decided, as the leader tells it to all nodes.

use purlin_fabric::scaling::Direction;
use purlin_types::WallTime;
use serde_json::{Value, json};

/// A decision with what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Who decided, and when.
    pub by: String,
    pub at: WallTime,
    pub direction: Direction,
    /// Nodes that stay, and how many there should be.
    pub nodes: u16,
    pub target: u16,
    /// What the load of that moment alone asks for.
    pub desired: u16,
    pub reason: String,
    /// Whether the driver is told.
    pub acts: bool,
    /// Why no node could be removed then.
    pub hold: Option<String>,
    /// What is short and no further node would help against.
    pub shortage: Option<String>,
    /// Seconds until an action of each direction is allowed again.
    pub up_left: u64,
    pub down_left: u64,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            by: String::new(),
            at: WallTime(0),
            direction: Direction::Maintain,
            nodes: 1,
            target: 1,
            desired: 1,
            reason: "not looked yet".to_owned(),
            acts: false,
            hold: None,
            shortage: None,
            up_left: 0,
            down_left: 0,
        }
    }
}

impl Verdict {
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "by": self.by,
            "at": self.at.0,
            "direction": self.direction.as_str(),
            "nodes": self.nodes,
            "target": self.target,
            "desired": self.desired,
            "reason": self.reason,
            "acts": self.acts,
            "hold": self.hold,
            "shortage": self.shortage,
            "up_left": self.up_left,
            "down_left": self.down_left,
        })
    }

    /// `None` for what a later version wrote.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let count = |key: &str| value[key].as_u64().and_then(|n| u16::try_from(n).ok());
        let word = value["direction"].as_str()?;
        let all = [Direction::Maintain, Direction::ScaleUp, Direction::ScaleDown];
        Some(Self {
            by: value["by"].as_str()?.to_owned(),
            at: WallTime(value["at"].as_u64()?),
            direction: all.into_iter().find(|one| one.as_str() == word)?,
            nodes: count("nodes")?,
            target: count("target")?,
            desired: count("desired")?,
            reason: value["reason"].as_str()?.to_owned(),
            acts: value["acts"].as_bool()?,
            hold: value["hold"].as_str().map(str::to_owned),
            shortage: value["shortage"].as_str().map(str::to_owned),
            up_left: value["up_left"].as_u64().unwrap_or(0),
            down_left: value["down_left"].as_u64().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_comes_back_from_its_record() {
        let verdict = Verdict {
            by: "n1".to_owned(),
            hold: Some("slots are being moved".to_owned()),
            shortage: Some("a pool is full".to_owned()),
            up_left: 12,
            ..Verdict::default()
        };
        assert_eq!(Verdict::from_json(&verdict.to_json()), Some(verdict));
        assert_eq!(Verdict::from_json(&json!([])), None);
    }
}
