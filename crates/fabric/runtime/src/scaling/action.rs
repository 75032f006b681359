//! What was decided and done, as rows that outlive their leader.

use purlin_fabric::scaling::Direction;
use purlin_types::{Epoch, WallTime};
use serde_json::{Value, json};

/// How far an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionState {
    /// Nobody acts here: it was told.
    Recommended,
    /// The driver works on it.
    Running,
    Done,
    /// The driver said no, or took too long.
    Failed,
    /// Its leader went before it told the outcome: it may or may not have been done.
    Lost,
}

impl ActionState {
    const ALL: [Self; 5] = [
        Self::Recommended,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Lost,
    ];

    /// The word that interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// One decision that was acted on, or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// From 1, without gaps.
    pub number: u64,
    pub at: WallTime,
    /// The leader that decided, and its right to.
    pub leader: String,
    pub epoch: Epoch,
    pub direction: Direction,
    pub from: u16,
    pub to: u16,
    pub reason: String,
    pub driver: String,
    pub state: ActionState,
    /// What the driver said.
    pub output: String,
    pub took_ms: u64,
}

impl Action {
    /// Whether it counts as acting: cooldowns run from it.
    #[must_use]
    pub fn is_deed(&self) -> bool {
        self.state != ActionState::Recommended
    }

    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "number": self.number,
            "at": self.at.0,
            "leader": self.leader,
            "epoch": format!("{}.{}", self.epoch.timeline, self.epoch.counter),
            "direction": self.direction.as_str(),
            "from": self.from,
            "to": self.to,
            "reason": self.reason,
            "driver": self.driver,
            "state": self.state.as_str(),
            "output": self.output,
            "took_ms": self.took_ms,
        })
    }

    /// `None` for what a later version wrote.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let nodes = |key: &str| value[key].as_u64().and_then(|n| u16::try_from(n).ok());
        let all = [Direction::Maintain, Direction::ScaleUp, Direction::ScaleDown];
        let (direction, state) = (text("direction")?, text("state")?);
        Some(Self {
            number: value["number"].as_u64()?,
            at: WallTime(value["at"].as_u64()?),
            leader: text("leader")?,
            epoch: epoch(&text("epoch")?)?,
            direction: all.into_iter().find(|one| one.as_str() == direction)?,
            from: nodes("from")?,
            to: nodes("to")?,
            reason: text("reason")?,
            driver: text("driver")?,
            state: ActionState::ALL.into_iter().find(|one| one.as_str() == state)?,
            output: text("output").unwrap_or_default(),
            took_ms: value["took_ms"].as_u64().unwrap_or(0),
        })
    }
}

/// `TIMELINE.COUNTER`.
pub(super) fn epoch(text: &str) -> Option<Epoch> {
    let (timeline, counter) = text.split_once('.')?;
    Some(Epoch {
        timeline: timeline.parse().ok()?,
        counter: counter.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_comes_back_from_its_row() {
        for state in ActionState::ALL {
            let action = Action {
                number: 7,
                at: WallTime(1_700_000_000_000),
                leader: "n1".to_owned(),
                epoch: Epoch {
                    timeline: 2,
                    counter: 9,
                },
                direction: Direction::ScaleUp,
                from: 3,
                to: 5,
                reason: "processor at 84 % is above the upper threshold".to_owned(),
                driver: "exec".to_owned(),
                state,
                output: "started".to_owned(),
                took_ms: 12,
            };
            assert_eq!(Action::from_json(&action.to_json()), Some(action));
        }
        assert_eq!(Action::from_json(&json!({ "number": 1 })), None);
    }
}
