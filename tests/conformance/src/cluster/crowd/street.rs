//! The clients of a crowd, their calendar and their relays' sockets, within one thread.

use super::packet::Answer;
use super::person::{Person, Step, To, addressee};
use super::promises::{Moment, Note};
use super::{Memory, Population, Shared};
use crate::cluster::dice::Dice;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::UdpSocket;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Longest that the crowd sleeps when nothing comes.
const NAP: Duration = Duration::from_millis(4);
/// How long the last round may take. Where rows were lost, a lease whose record has ended is met with silence for the client
/// lead time (20 s) after its slot was taken over, and anew when that slot is moved meanwhile.
const LAST_ROUND: Duration = Duration::from_secs(60);
/// Waits that are worth a note.
const SLOW: Duration = Duration::from_millis(900);
const DHCP: u16 = 67;

/// Everything within the thread.
pub(super) struct Street<'a> {
    sockets: Vec<UdpSocket>,
    /// Which socket each client's relay has.
    door: Vec<usize>,
    people: Vec<Person>,
    calendar: BinaryHeap<Reverse<(Moment, u16)>>,
    /// The entry of the calendar that counts, per client.
    appointment: Vec<Moment>,
    dice: Dice,
    begin: Instant,
    memory: Memory,
    shared: &'a Shared,
}

impl<'a> Street<'a> {
    pub(super) fn open(population: Population, begin: Instant, shared: &'a Shared) -> Self {
        let total: u32 = population.relays.iter().map(|(_, count)| u32::from(*count)).sum();
        let pace = Duration::from_secs(1) * total / population.rate.max(1);
        let mut street = Self {
            sockets: Vec::new(),
            door: Vec::new(),
            people: Vec::new(),
            calendar: BinaryHeap::new(),
            appointment: Vec::new(),
            dice: Dice::new(population.seed),
            begin,
            memory: Memory::default(),
            shared,
        };
        for (door, (relay, count)) in population.relays.into_iter().enumerate() {
            let socket = UdpSocket::bind((relay, DHCP)).expect("the relay's address is this host's");
            socket.set_read_timeout(Some(NAP)).expect("more than 0");
            street.sockets.push(socket);
            for _ in 0..count {
                let number = u16::try_from(street.people.len()).expect("at most 65536 clients");
                street.people.push(Person::new(number, relay, pace));
                street.door.push(door);
                let first = pace * u32::try_from(street.dice.below(1000)).expect("below 1000") / 1000;
                street.appointment.push(first);
                street.calendar.push(Reverse((first, number)));
            }
        }
        street
    }

    pub(super) fn run(mut self) -> Memory {
        while !self.shared.last_round.load(Ordering::Relaxed) {
            self.turn();
        }
        self.last_round();
        self.memory
    }

    fn turn(&mut self) {
        let now = self.begin.elapsed();
        while let Some(&Reverse((due, number))) = self.calendar.peek() {
            if due > now {
                break;
            }
            self.calendar.pop();
            if self.appointment[usize::from(number)] == due {
                let step = self.people[usize::from(number)].wake(now, &mut self.dice);
                self.follow(number, step);
            }
        }
        for door in 0..self.sockets.len() {
            self.listen(door);
        }
        let owners = self.people.iter().filter(|one| one.is_owner(now)).count();
        self.shared.owners.store(owners as u64, Ordering::Relaxed);
    }

    /// Takes what has come, and waits a moment for the first when there is nothing.
    fn listen(&mut self, door: usize) {
        let mut buffer = [0; 1500];
        // Bounded, so that a flood of answers keeps nobody from speaking.
        for _ in 0..256 {
            let Ok(length) = self.sockets[door].recv(&mut buffer) else {
                break;
            };
            let now = self.begin.elapsed();
            let Some(answer) = Answer::read(&buffer[..length]) else {
                self.memory.astray += 1;
                continue;
            };
            match addressee(&answer).filter(|number| usize::from(*number) < self.people.len()) {
                Some(number) => {
                    let step = self.people[usize::from(number)].hear(&answer, now, &mut self.dice);
                    self.follow(number, step);
                }
                None => self.memory.astray += 1,
            }
        }
    }

    fn follow(&mut self, number: u16, step: Step) {
        if let Some((message, to)) = step.send {
            self.send(usize::from(number), &message.octets(), to);
        }
        let promised = |note: &&Note| matches!(note, Note::Promised { .. });
        let promises = step.notes.iter().filter(promised).count() as u64;
        self.shared.promises.fetch_add(promises, Ordering::Relaxed);
        self.memory.notes.extend(step.notes);
        let slow = step.served.filter(|(began, now)| *now - *began > SLOW);
        self.memory.waits.extend(slow);
        if let Some(wake) = step.wake {
            self.appointment[usize::from(number)] = wake;
            self.calendar.push(Reverse((wake, number)));
        }
    }

    fn send(&mut self, number: usize, octets: &[u8], to: To) {
        let nodes = self.shared.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let one = [self.dice.below(nodes.len())];
        let chosen: &[usize] = match to {
            To::One => &one,
            To::All => &(0..nodes.len()).collect::<Vec<_>>(),
        };
        for node in chosen.iter().filter_map(|index| nodes.get(*index)) {
            // A host that is gone answers nothing; so does one whose network refuses.
            let _ = self.sockets[self.door[number]].send_to(octets, (*node, DHCP));
        }
    }

    fn last_round(&mut self) {
        let now = self.begin.elapsed();
        let mut waiting: Vec<u16> = Vec::new();
        for number in 0..self.people.len() {
            let person = &mut self.people[number];
            person.begin_last_round(now);
            if person.is_owner(now) {
                waiting.push(u16::try_from(number).expect("at most 65536 clients"));
            }
        }
        self.memory.owners = waiting.len() as u64;
        // Not all in one instant: a hundred in 10 ms.
        for (order, number) in (0_u32..).zip(&waiting) {
            let wake = now + Duration::from_micros(100) * order;
            self.appointment[usize::from(*number)] = wake;
            self.calendar.push(Reverse((wake, *number)));
        }
        let end = now + LAST_ROUND;
        while self.begin.elapsed() < end {
            let now = self.begin.elapsed();
            waiting.retain(|number| self.people[usize::from(*number)].waits_since().is_some());
            let people = &self.people;
            // Whose lease ran out while it waited was not refused; whether it was served in time is asked elsewhere.
            waiting.retain(|number| people[usize::from(*number)].is_owner(now));
            if waiting.is_empty() {
                break;
            }
            self.turn();
        }
        self.memory.unanswered = waiting.len() as u64;
        let now = self.begin.elapsed();
        let unanswered = waiting
            .iter()
            .filter_map(|number| self.people[usize::from(*number)].waits_since());
        self.memory.waits.extend(unanswered.map(|began| (began, now)));
    }
}
