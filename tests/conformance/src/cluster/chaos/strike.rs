//! How each fault is brought about, and how it is put right.

use super::Fault;
use crate::cluster::Member;
use crate::cluster::campus::Campus;
use crate::cluster::dice::Dice;
use crate::wait::within;
use std::fmt;
use std::time::Duration;

/// How much of a lagging standby is lost: what is committed in this time.
const LAG: Duration = Duration::from_millis(1500);

/// How far a clock is set forth or back, in ms.
const JUMP: i64 = 3_600_000;
/// How long a command may be refused.
const INSIST: Duration = Duration::from_secs(90);

/// A fault at work, and whom it hit.
#[derive(Debug)]
pub struct Wound {
    pub fault: Fault,
    /// The host that was hit, or the first of two.
    pub who: String,
    /// The other of two, where there is one.
    pub other: String,
}

impl fmt::Display for Wound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault.has_two() && !self.other.is_empty() {
            true => write!(f, "{} and {}", self.who, self.other),
            false => f.write_str(&self.who),
        }
    }
}

impl Campus {
    /// Brings a fault about, at somebody whom the dice choose.
    pub fn strike(&mut self, fault: Fault, dice: &mut Dice) -> Wound {
        let names: Vec<String> = self.nodes.iter().map(|node| node.id.clone()).collect();
        let victim = dice.below(names.len());
        let neighbour = (victim + 1 + dice.below(names.len() - 1)) % names.len();
        let mut wound = Wound {
            fault,
            who: names[victim].clone(),
            other: names[neighbour].clone(),
        };
        match fault {
            Fault::NodeKilled => self.nodes[victim].process.crash(),
            Fault::NodePaused => self.nodes[victim].process.signal("STOP"),
            Fault::NodeStopped => self.stop_in_order(victim),
            Fault::NodeDrained => insist(
                &self.nodes[neighbour],
                &["cluster", "drain", "--no-wait", &wound.who],
            ),
            Fault::NodeRemoved => insist(
                &self.nodes[neighbour],
                &["cluster", "remove", &wound.who, "--timeout", "20"],
            ),
            Fault::NodeClockJumps => {
                let forth = dice.below(2) == 0;
                self.nodes[victim].set_clock(if forth { JUMP } else { -JUMP });
            }
            Fault::NodesAllKilled => {
                self.nodes.iter_mut().for_each(|node| node.process.crash());
                (wound.who, wound.other) = (names.join(", "), String::new());
            }
            Fault::NodesRestartInTurn => {
                self.restart_in_turn();
                (wound.who, wound.other) = (names.join(", "), String::new());
            }
            Fault::NodeCutFromClients => {
                self.wire.cut_all_from("clients", &wound.who);
                wound.other = "clients".to_owned();
            }
            Fault::PacketsLost => self.wire.lose(&wound.who, 20),
            Fault::NodesCut => self.wire.cut(&wound.who, &wound.other),
            Fault::NodeCutFromDatabase | Fault::NodeHearsNoDatabase | Fault::NodeCutFromRedis => {
                self.cut_off(fault, &mut wound);
            }
            Fault::RedisFlushed | Fault::RedisKilled | Fault::RedisFrozen | Fault::RedisCut => {
                self.strike_redis(fault, &mut wound);
            }
            Fault::DatabaseRestarted
            | Fault::DatabaseAway
            | Fault::DatabaseFull
            | Fault::DatabaseSlow
            | Fault::StandbyCut
            | Fault::PrimaryKilled
            | Fault::PrimaryLagsAndDies
            | Fault::PrimaryCutOff => self.strike_database(fault, &mut wound, &names[neighbour]),
        }
        wound
    }

    fn stop_in_order(&mut self, victim: usize) {
        let process = &mut self.nodes[victim].process;
        process.signal("TERM");
        assert!(
            process.ended(),
            "a node that is asked to stop ends with 0\n{}",
            process.said()
        );
    }

    /// As an operator who has a new version: the next one when all is well with the last.
    fn restart_in_turn(&mut self) {
        for place in 0..self.nodes.len() {
            self.stop_in_order(place);
            self.nodes[place].start_again();
            let _ = self.until_whole();
        }
    }

    fn cut_off(&self, fault: Fault, wound: &mut Wound) {
        let (far, one_way) = match fault {
            Fault::NodeCutFromRedis => (&["r1", "r2", "r3"][..], false),
            fault => (&["pg1", "pg2"][..], fault == Fault::NodeHearsNoDatabase),
        };
        for other in far {
            if one_way {
                self.wire.cut_one_way(other, &wound.who);
            } else {
                self.wire.cut(other, &wound.who);
            }
        }
        wound.other = far.join(", ");
    }

    fn strike_redis(&mut self, fault: Fault, wound: &mut Wound) {
        let hints = self.hints.as_mut().expect("a campus with Redis");
        wound.who = hints.master();
        wound.other = String::new();
        match fault {
            Fault::RedisFlushed => hints.flush(),
            Fault::RedisKilled => hints.kill(&wound.who),
            Fault::RedisFrozen => hints.signal(&wound.who, "STOP"),
            _ => {
                for other in ["r1", "r2", "r3"].into_iter().filter(|name| *name != wound.who) {
                    self.wire.cut(&wound.who, other);
                }
            }
        }
    }

    fn strike_database(&mut self, fault: Fault, wound: &mut Wound, witness: &str) {
        wound.who = self.databases.primary().to_owned();
        wound.other = self.databases.standby().to_owned();
        match fault {
            Fault::DatabaseRestarted | Fault::DatabaseAway => self.databases.kill_primary(),
            Fault::DatabaseFull => self.databases.fill(),
            Fault::DatabaseSlow => self.databases.slow_down(true),
            Fault::StandbyCut => self.wire.cut(&wound.who, &wound.other),
            Fault::PrimaryKilled => {
                self.databases.kill_primary();
                self.databases.promote();
            }
            Fault::PrimaryLagsAndDies => {
                self.wire.cut(&wound.who, &wound.other);
                std::thread::park_timeout(LAG);
                self.databases.kill_primary();
                self.wire.heal();
                self.databases.promote();
            }
            _ => {
                // One node stays with the old primary; nobody else reaches it.
                let nodes: Vec<String> = self.nodes.iter().map(|node| node.id.clone()).collect();
                for name in nodes.iter().filter(|name| *name != witness) {
                    self.wire.cut(&wound.who, name);
                }
                self.wire.cut(&wound.who, &wound.other);
                self.wire.cut(witness, &wound.other);
                self.databases.promote();
            }
        }
    }

    /// Puts right what was struck.
    pub fn mend(&mut self, wound: &Wound) {
        match wound.fault {
            Fault::NodeKilled | Fault::NodeStopped => self.node(&wound.who).start_again(),
            Fault::NodePaused => self.node(&wound.who).process.signal("CONT"),
            Fault::NodeDrained => insist(self.node(&wound.who), &["cluster", "resume", &wound.who]),
            Fault::NodeRemoved => {
                let node = self.node(&wound.who);
                node.process.signal("TERM");
                let _ = node.process.ended();
                node.start_again();
            }
            Fault::RedisKilled => {
                let folder = self.folder().to_owned();
                let hints = self.hints.as_mut().expect("a campus with Redis");
                hints.revive(&wound.who, &folder);
            }
            Fault::RedisFrozen => {
                let hints = self.hints.as_ref().expect("a campus with Redis");
                hints.signal(&wound.who, "CONT");
            }
            Fault::NodeClockJumps => self.node(&wound.who).set_clock(0),
            Fault::NodesAllKilled => self.nodes.iter_mut().for_each(Member::start_again),
            Fault::RedisFlushed | Fault::NodesRestartInTurn => {}
            Fault::DatabaseSlow => self.databases.slow_down(false),
            Fault::DatabaseRestarted | Fault::DatabaseAway => self.databases.restart_primary(),
            Fault::DatabaseFull => self.databases.make_room(),
            Fault::PrimaryKilled | Fault::PrimaryLagsAndDies => self.databases.rejoin(),
            Fault::PrimaryCutOff => {
                // As whoever operates it must: the old one is stopped before anybody reaches it again.
                self.databases.stop_standby();
                self.wire.heal();
                self.databases.rejoin();
            }
            Fault::NodeCutFromDatabase
            | Fault::NodeHearsNoDatabase
            | Fault::NodeCutFromRedis
            | Fault::NodeCutFromClients
            | Fault::NodesCut
            | Fault::PacketsLost
            | Fault::RedisCut
            | Fault::StandbyCut => self.wire.heal(),
        }
    }

    fn node(&mut self, name: &str) -> &mut Member {
        let found = self.nodes.iter_mut().find(|node| node.id == name);
        found.unwrap_or_else(|| panic!("no node is called {name}"))
    }
}

/// Gives a command until it is obeyed: with a second fault at work the database may be away for a moment.
fn insist(node: &Member, command: &[&str]) {
    let mut last = String::new();
    let obeyed = within(INSIST, || {
        let (good, said) = node.tries(command);
        last = said;
        good.then_some(())
    });
    assert!(obeyed.is_some(), "{command:?}: {last}\n{}", node.process.said());
}
