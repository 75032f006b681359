//! Limits that hold over several nodes: each tells the others once a second who has transfers open with it.

use super::Neighbours;
use purlin_fabric::port::{Message, Subscription};
use purlin_tftp_core::{Admission, Who};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

const CHANNEL: &str = "tftp:open";
/// How often nodes tell each other.
const EVERY: Duration = Duration::from_secs(1);
/// A node that said nothing for so long has nothing open that counts.
const BELIEVED: Duration = Duration::from_secs(3);
/// Of how many clients others are told: those with most open transfers.
const TOLD_MAX: usize = 1024;

/// What one node says.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    node: String,
    /// Transfers open there, by [`Who`] as text.
    open: Vec<(String, u32)>,
}

/// Tells the others and listens to them for as long as there are packet threads that count.
pub(crate) fn follow(neighbours: &Neighbours, admission: &Arc<Admission>) {
    let task = run(neighbours.clone(), Arc::downgrade(admission));
    neighbours.runtime.spawn(task);
}

async fn run(neighbours: Neighbours, admission: Weak<Admission>) {
    let mut others = Others::default();
    let mut told = false;
    while let Some(counts) = admission.upgrade() {
        let subscribed = neighbours.hints.subscribe(&[CHANNEL]).await;
        let Ok(mut ear) = subscribed else {
            // What was heard before lapses.
            counts.hear(others.sum(Instant::now()));
            drop(counts);
            sleep(EVERY).await;
            continue;
        };
        drop(counts);
        talk(&neighbours, &admission, ear.as_mut(), &mut others, &mut told).await;
    }
}

/// Until the line is cut.
async fn talk(
    neighbours: &Neighbours,
    admission: &Weak<Admission>,
    ear: &mut dyn Subscription,
    others: &mut Others,
    told: &mut bool,
) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let Some(counts) = admission.upgrade() else { return };
                counts.hear(others.sum(Instant::now()));
                let open = counts.tally(TOLD_MAX);
                drop(counts);
                tell(neighbours, open, told).await;
            }
            heard = ear.next() => match heard {
                Some(message) => others.hear(&neighbours.node, &message, Instant::now()),
                None => return,
            },
        }
    }
}

/// Says what is open; an end is said once, silence means the same later.
async fn tell(neighbours: &Neighbours, open: Vec<(Who, u32)>, told: &mut bool) {
    if open.is_empty() && !*told {
        return;
    }
    *told = !open.is_empty();
    let said = Said {
        node: neighbours.node.clone(),
        open: open
            .into_iter()
            .map(|(who, open)| (who.to_string(), open))
            .collect(),
    };
    let body = serde_json::to_vec(&said).expect("names and numbers");
    // Nobody hears it while the service is away, and then nodes count for themselves.
    let _ = timeout(EVERY, neighbours.hints.publish(CHANNEL, &body)).await;
}

/// The last word of each other node, and when it came.
#[derive(Debug, Default)]
struct Others(HashMap<String, (Instant, Vec<(Who, u32)>)>);

impl Others {
    fn hear(&mut self, me: &str, message: &Message, now: Instant) {
        let Ok(said) = serde_json::from_slice::<Said>(&message.body) else {
            return;
        };
        if said.node == me {
            return;
        }
        // Kinds that a newer version counts are left out.
        let known = said
            .open
            .iter()
            .filter_map(|(who, open)| Some((who.parse().ok()?, *open)));
        self.0.insert(said.node, (now, known.take(TOLD_MAX).collect()));
    }

    fn sum(&mut self, now: Instant) -> Vec<(Who, u32)> {
        self.0.retain(|_, (at, _)| now.duration_since(*at) < BELIEVED);
        self.0
            .values()
            .flat_map(|(_, open)| open.iter().copied())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(node: &str, open: &[(&str, u32)]) -> Message {
        let open = open
            .iter()
            .map(|(who, open)| ((*who).to_owned(), *open))
            .collect();
        let said = Said {
            node: node.to_owned(),
            open,
        };
        Message {
            channel: CHANNEL.to_owned(),
            body: serde_json::to_vec(&said).expect("names and numbers"),
        }
    }

    #[test]
    fn the_last_word_of_each_other_node_counts_for_three_seconds() {
        let (mut others, now) = (Others::default(), Instant::now());
        others.hear("me", &says("me", &[("ip:10.0.0.1", 9)]), now);
        others.hear("me", &says("two", &[("ip:10.0.0.1", 9)]), now);
        others.hear("me", &says("two", &[("ip:10.0.0.1", 2), ("moon:x", 1)]), now);
        let two = (Who::Address([10, 0, 0, 1].into()), 2);
        assert_eq!(others.sum(now + BELIEVED / 2), [two]);
        assert_eq!(others.sum(now + BELIEVED), []);
    }

    #[test]
    fn noise_on_the_channel_changes_nothing() {
        let mut others = Others::default();
        let body = b"{\"node\":3}".to_vec();
        let noise = Message {
            channel: CHANNEL.to_owned(),
            body,
        };
        others.hear("me", &noise, Instant::now());
        assert!(others.0.is_empty());
    }
}
