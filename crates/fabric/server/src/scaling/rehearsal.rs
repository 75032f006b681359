//! What would be decided under a load that is not there.

use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_fabric::scaling::{History, NodeLoad, Observation, Recommendation, ScalingSettings, decide};
use purlin_fabric_runtime::scaling::NodeInput;
use purlin_types::BootTime;
use std::time::Duration;

/// Between two looks of the rehearsal.
const STEP: Duration = Duration::from_secs(30);

/// The load that is imagined; what is not said is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wish {
    pub(super) nodes: Option<u16>,
    pub(super) cpu: Option<f64>,
    pub(super) memory: Option<f64>,
    /// Of all nodes together.
    pub(super) requests: Option<f64>,
}

impl Wish {
    /// What was asked for; `None` for nothing.
    pub(super) fn of(asked: &Asked) -> Result<Option<Self>, Problem> {
        let number = |name: &str, most: f64, form: &str| {
            let value = asked.parsed::<f64>(name, form)?;
            match value {
                Some(n) if !(0.0..=most).contains(&n) => Err(Problem::parameter(format!(
                    "{name}={n} is not valid; expected {form}"
                ))),
                value => Ok(value),
            }
        };
        let nodes = asked.parsed::<u16>("nodes", "a number from 1 to 1000")?;
        if nodes.is_some_and(|nodes| !(1..=1000).contains(&nodes)) {
            return Err(Problem::parameter(
                "nodes is not valid; expected a number from 1 to 1000",
            ));
        }
        let wish = Self {
            nodes,
            cpu: number("cpu", 100.0, "a number from 0 to 100")?,
            memory: number("memory", 100.0, "a number from 0 to 100")?,
            requests: number("requests", 1e12, "a number, 0 or more")?,
        };
        Ok((wish != Self::default()).then_some(wish))
    }

    fn load(&self, now: NodeLoad, nodes: u16) -> NodeLoad {
        NodeLoad {
            ready: true,
            cpu: self.cpu.or(now.cpu),
            memory: self.memory.or(now.memory),
            requests: self
                .requests
                .map_or(now.requests, |all| Some(all / f64::from(nodes))),
            queue: now.queue,
        }
    }
}

/// How many nodes there would be before, and what would be decided when the load had been such for long enough.
pub(super) fn rehearse(
    settings: &ScalingSettings,
    inputs: &[NodeInput],
    wish: &Wish,
) -> (u16, Recommendation) {
    let staying: Vec<NodeLoad> = inputs
        .iter()
        .filter(|input| !input.is_leaving())
        .map(NodeInput::load)
        .collect();
    let nodes = wish.nodes.unwrap_or(staying.len() as u16).max(1);
    let known = |n: usize| staying.get(n % staying.len().max(1)).copied().unwrap_or_default();
    let loads: Vec<NodeLoad> = (0..usize::from(nodes))
        .map(|n| wish.load(known(n), nodes))
        .collect();
    let seen = Observation {
        nodes: &loads,
        target: nodes,
        hold: None,
    };
    let (mut history, mut now) = (History::new(STEP), BootTime(0));
    let windows = settings.stabilisation.max(settings.sustain) + STEP;
    let end = now.plus_millis(windows.as_millis() as u64);
    loop {
        history.note_floor(now, nodes < settings.min_nodes);
        let said = decide(settings, &seen, &history, now);
        if now >= end {
            return (nodes, said);
        }
        history.note(now, said.desired, settings);
        now = now.plus_millis(STEP.as_millis() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_fabric::scaling::Direction;

    fn said(wish: Wish) -> (u16, Direction, u16) {
        let settings = ScalingSettings {
            min_nodes: 1,
            requests_per_node: Some(1000.0),
            ..ScalingSettings::default()
        };
        let (nodes, said) = rehearse(&settings, &[], &wish);
        (nodes, said.direction, said.target_nodes)
    }

    #[test]
    fn what_lasts_is_decided_about() {
        let with = |nodes, cpu, requests| {
            said(Wish {
                nodes: Some(nodes),
                cpu: Some(cpu),
                memory: Some(10.0),
                requests: Some(requests),
            })
        };
        assert_eq!(with(3, 50.0, 0.0), (3, Direction::Maintain, 3));
        assert_eq!(with(3, 90.0, 0.0), (3, Direction::ScaleUp, 5));
        assert_eq!(with(5, 10.0, 0.0), (5, Direction::ScaleDown, 4));
        // 8000 a second over 3 nodes of 1000: 13 at 63.6 %, at most doubled or 4 more, at most 10.
        assert_eq!(with(3, 10.0, 8000.0), (3, Direction::ScaleUp, 7));
        assert_eq!(with(1, 10.0, 0.0), (1, Direction::Maintain, 1));
    }
}
