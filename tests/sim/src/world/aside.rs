//! What the fabric does beside the claims: caches that are told of changes (I9), sessions that move (I10) and the number of
//! nodes (I11). Nodes, clocks, Redis and databases are those of the world; randomness is of its own, so that the story of
//! the leases is the same with it and without.
//!
//! ```text
//!   look, once a second ─► cache: line, outbox, reads, changes ─► Query ─► database ─► Told
//!                       └► size: decide, look back, begin, act ─┘
//!   knock, of a client  ─► sessions: register, touch, write, come back, resume ─► hub (Redis)
//! ```

mod cache;
mod hub;
mod sessions;
mod size;

use super::{Event, Fault, World};
use crate::clock::{MILLI, SECOND};
use crate::database::{Deed, Edit};
use crate::mutation::Mutation;
use crate::node::Way;
use crate::random::Random;
use cache::{CacheDesk, Word};
use hub::Hub;
use purlin_fabric::invalidate::{Asked, Cursor, News};
use purlin_fabric::session::Sessions;
use sessions::{Guest, Step, Visits};
use size::{Fleet, SizeDesk};

/// Between two looks of a node.
const LOOK: u64 = SECOND;

/// All of it.
#[derive(Debug)]
pub(crate) struct Aside {
    random: Random,
    /// By node.
    desks: Vec<Desk>,
    hub: Hub,
    guests: Vec<Guest>,
    visits: Visits,
    fleet: Fleet,
    /// Every value ever written is another.
    written: u64,
}

/// One life of one node, as far as it goes.
#[derive(Debug)]
struct Desk {
    cache: CacheDesk,
    sessions: Sessions,
    size: SizeDesk,
}

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Happens {
    /// A node does what it does once a second.
    Look(usize),
    /// A question reaches the database.
    Ask(usize, usize, Query),
    /// The answer reaches the node; none when nobody knows.
    Told(usize, Told),
    /// A node hears that something was changed.
    Hear(usize, Word),
    /// A client of the API has something to do.
    Knock(usize),
    /// A node is in the middle of moving a session.
    Step(usize, Step),
    Emit(usize),
}

/// What a node asks the database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Query {
    Now,
    Since(Asked),
    Load(u8, u64),
    Change(u8),
    Deeds,
    Begin(Deed),
}

/// What it is told.
#[derive(Debug)]
pub(crate) enum Told {
    Silence(Query),
    Now(Cursor, usize, u64),
    Since(Asked, News, Vec<Edit>, usize, u64),
    Loaded(u8, u64, u64),
    Changed(Edit),
    Deeds(Vec<Deed>),
    Begun(Option<Deed>),
}

impl Aside {
    pub(crate) fn new(seed: u64) -> Self {
        // Any other stream than the world's.
        let mut random = Random::new(seed ^ 0x5bd1_e995_7f4a_7c15);
        let guests = random.between(2, 7);
        Self {
            desks: Vec::new(),
            hub: Hub::default(),
            guests: (0..guests).map(|n| Guest::new(n as usize)).collect(),
            visits: Visits::default(),
            fleet: Fleet::draw(&mut random),
            written: 0,
            random,
        }
    }
}

impl World {
    pub(crate) fn begin_aside(&mut self) {
        for guest in 0..self.aside.guests.len() {
            let wait = self.aside.random.below(4 * SECOND);
            self.aside_later(wait, Happens::Knock(guest));
            self.aside_later(wait, Happens::Emit(guest));
        }
    }

    /// A node begins a life.
    pub(crate) fn boot_aside(&mut self, node: usize) {
        let it = &self.nodes[node];
        let now = it.machine.clock.boot(self.real);
        self.aside.desks.push(Desk {
            cache: CacheDesk::default(),
            sessions: Sessions::new(sessions::settings(), it.me.id.clone(), now),
            size: SizeDesk::new(),
        });
        let wait = self.aside.random.below(LOOK);
        self.aside_later(wait, Happens::Look(node));
    }

    fn aside_later(&mut self, wait: u64, happens: Happens) {
        self.queue.put(self.real + wait, Event::Aside(happens));
    }

    pub(crate) fn happen_aside(&mut self, happens: Happens) {
        let node = match &happens {
            Happens::Look(node)
            | Happens::Told(node, _)
            | Happens::Hear(node, _)
            | Happens::Step(node, _) => Some(*node),
            Happens::Ask(..) | Happens::Knock(_) | Happens::Emit(_) => None,
        };
        if let Some(it) = node.map(|node| &self.nodes[node]) {
            if !it.alive {
                return;
            }
            if it.fabric_until > self.real {
                let until = it.fabric_until;
                self.queue.put(until, Event::Aside(happens));
                return;
            }
        }
        match happens {
            Happens::Look(node) => {
                self.aside_later(LOOK, Happens::Look(node));
                self.look_at_line(node);
                self.read_and_change(node);
                self.look_at_size(node);
            }
            Happens::Ask(node, database, query) => self.answer(node, database, query),
            Happens::Told(node, told) => self.hear_answer(node, told),
            Happens::Hear(node, word) => self.hear_word(node, word),
            Happens::Knock(guest) => self.knock(guest),
            Happens::Step(node, step) => self.step_session(node, step),
            Happens::Emit(guest) => self.emit(guest),
        }
    }

    /// Sends a question to the database that the node is connected to.
    fn query(&mut self, node: usize, query: Query) {
        let database = self.nodes[node].machine.database;
        let mut wait = self.aside.random.between(MILLI / 4, 12 * MILLI);
        if !self.calm && self.aside.random.chance(self.scene.slow + 30) {
            wait += self.aside.random.below(4 * self.scene.pace);
        }
        self.aside_later(wait, Happens::Ask(node, database, query));
    }

    fn way_to_books(&self, node: usize, ways: [Way; 3]) -> bool {
        let machine = &self.nodes[node].machine;
        ways.iter().all(|&way| !machine.is_cut(way, self.real))
    }

    /// A question is at the database.
    fn answer(&mut self, node: usize, database: usize, query: Query) {
        let writes = matches!(query, Query::Change(_) | Query::Begin(_));
        let there = self.way_to_books(node, [Way::Database, Way::Out, Way::Rows]);
        let it = &self.databases[database];
        let silent = 2 * self.scene.pace;
        if !there || !it.up || (writes && it.full) {
            self.aside_later(silent, Happens::Told(node, Told::Silence(query)));
            return;
        }
        let hangs = writes && it.hangs();
        let lost = hangs || (!self.calm && self.aside.random.chance(self.scene.unknowns));
        let told = self.ask_books(database, query);
        let wait = self.aside.random.between(MILLI / 4, 12 * MILLI);
        let back = self.way_to_books(node, [Way::Database, Way::In, Way::Rows]);
        if lost || !back {
            self.aside_later(silent, Happens::Told(node, Told::Silence(query)));
        } else {
            self.aside_later(wait, Happens::Told(node, told));
        }
    }

    fn ask_books(&mut self, database: usize, query: Query) -> Told {
        let real = self.real;
        let heeds_right = self.mutation != Some(Mutation::StaleLeaderActs);
        let it = &mut self.databases[database];
        match query {
            Query::Now => Told::Now(it.end_of_notes(), database, real),
            Query::Since(asked) => {
                let (news, edits) = it.notes(asked.cursor, cache::NOTES);
                Told::Since(asked, news, edits, database, real)
            }
            Query::Load(key, version) => Told::Loaded(key, version, it.books().value(key).0),
            Query::Change(key) => {
                self.aside.written += 1;
                let edit = it.edit(real, key, self.aside.written);
                self.trace
                    .say(real, || format!("database {database}: note {edit:?}"));
                Told::Changed(edit)
            }
            Query::Deeds => Told::Deeds(it.books().deeds().take(20).copied().collect()),
            Query::Begin(deed) => Told::Begun(it.begin(deed, heeds_right)),
        }
    }

    fn hear_answer(&mut self, node: usize, told: Told) {
        match told {
            Told::Silence(query) => match query {
                Query::Now | Query::Since(_) => self.looked_in_vain(node),
                Query::Load(..) => {}
                // Nobody knows whether it was done: its own copies go all the same.
                Query::Change(key) => self.clear_own(node, key),
                Query::Deeds => self.aside.desks[node].size.wait_no_more(),
                Query::Begin(_) => self.aside.desks[node].size.look_back(),
            },
            Told::Now(cursor, database, at) => self.begin_reading(node, cursor, (database, at)),
            Told::Since(asked, news, edits, database, at) => {
                self.read_news(node, asked, news, &edits, (database, at));
            }
            Told::Loaded(key, version, value) => self.fill(node, key, version, value),
            Told::Changed(edit) => self.changed(node, edit),
            Told::Deeds(deeds) => self.looked_back(node, &deeds),
            Told::Begun(deed) => self.begun(node, deed),
        }
    }

    /// What of a fault has to do with it.
    pub(crate) fn strike_aside(&mut self, fault: Fault) {
        let real = self.real;
        match fault {
            Fault::RedisFlushed => self.aside.hub.flush(),
            Fault::RedisSplit(span) => self.aside.hub.split(real, real + span),
            Fault::RedisFailsOver(..) => self.aside.hub.fall_back(),
            Fault::Drain(node) | Fault::Leave(node) => self.part_from_all(node),
            _ => {}
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn mend_aside(&mut self) {
        self.aside.hub.mend(self.real);
    }

    /// Whether a node's connection to Redis is whole.
    fn has_line(&self, node: usize) -> bool {
        self.redis.is_there(self.real) && !self.nodes[node].machine.is_cut(Way::Redis, self.real)
    }

    fn stands_still(&self, node: usize) -> bool {
        let it = &self.nodes[node];
        !it.alive || it.fabric_until > self.real
    }

    /// After everything was mended: all nodes know the newest values.
    pub(crate) fn settled_aside(&mut self) {
        for node in self.living() {
            self.knows_the_newest(node);
        }
    }
}
