//! Signs of life.

use super::{RedisHints, millis};
use crate::{keys, script};
use purlin_fabric::port::{Heartbeat, HintFault};
use purlin_types::{Incarnation, NodeId};
use std::time::Duration;

impl RedisHints {
    pub(super) async fn say(&self, beat: &Heartbeat, lasting: Duration) -> Result<(), HintFault> {
        let index = self.keys.beats();
        let row = keys::row(&index, &beat.node);
        let incarnation = beat.incarnation.to_string();
        let arguments = [&beat.node, &incarnation, &beat.body, &millis(lasting)];
        self.run(&script::BEAT, &[&row, &index], &arguments.map(String::as_str))
            .await
    }

    /// In the order of the nodes' names.
    pub(super) async fn said(&self) -> Result<Vec<Heartbeat>, HintFault> {
        let index = self.keys.beats();
        let said: Vec<(String, u64, String)> = self.run(&script::BEATS, &[&index], &[]).await?;
        let mut beats: Vec<Heartbeat> = said
            .into_iter()
            .map(|(node, incarnation, body)| Heartbeat {
                node,
                incarnation,
                body,
            })
            .collect();
        beats.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(beats)
    }

    pub(super) async fn take_back(&self, node: &NodeId, incarnation: Incarnation) -> Result<(), HintFault> {
        let index = self.keys.beats();
        let node = node.to_string();
        let row = keys::row(&index, &node);
        let incarnation = incarnation.0.to_string();
        self.run(&script::HUSH, &[&row, &index], &[&node, &incarnation])
            .await
    }
}
