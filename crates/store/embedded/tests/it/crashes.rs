//! Any order of appends, checkpoints, kills and power cuts: what was durable comes back, in order, and nothing
//! comes back that was not appended.

use proptest::prelude::*;
use purlin_store::contract::Bell;
use purlin_store::contract::JournalRig;
use purlin_store::{Journal, JournalEngine, Position};
use purlin_store_embedded::JournalFiles;

use crate::rigs::{OnCrashDisk, engine_on};

#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    /// Frames that the journal may keep in memory for a while.
    Defer(u8),
    Flush,
    /// A checkpoint in pieces, with so many frames appended between them.
    Checkpoint(u8),
    /// Frames of which none is synced before the power goes.
    CutUnsynced(u8, u64),
    Cut(u64),
    /// So many changes reach the disk after this.
    DieSoon(u8),
    Kill,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..60_u8).prop_map(Step::Append),
        5 => (1..90_u8).prop_map(Step::Defer),
        2 => Just(Step::Flush),
        3 => (0..40_u8).prop_map(Step::Checkpoint),
        2 => (1..25_u8, any::<u64>()).prop_map(|(frames, seed)| Step::CutUnsynced(frames, seed)),
        2 => any::<u64>().prop_map(Step::Cut),
        2 => (0..40_u8).prop_map(Step::DieSoon),
        1 => Just(Step::Kill),
        1 => Just(Step::Reopen),
    ]
}

const STATE: u8 = 1;
const FRAME: u8 = 0;

fn frame(kind: u8, n: u64) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend_from_slice(&n.to_le_bytes());
    frame.resize(9 + (n as usize * 131) % 700, n as u8);
    frame
}

/// What a run knows: `durable <= recovered <= appended` must hold at every opening.
struct Run {
    rig: OnCrashDisk,
    engine: Option<JournalFiles>,
    journal: Option<Box<dyn Journal>>,
    appended: u64,
    /// Survives the process.
    written: u64,
    durable: u64,
    /// Nothing can be opened on a dying disk until the power was cut.
    dying: bool,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            rig: OnCrashDisk::new(),
            engine: None,
            journal: None,
            appended: 0,
            written: 0,
            durable: 0,
            dying: false,
        };
        run.open();
        run
    }

    /// Opens and checks all that comes back.
    fn open(&mut self) {
        let (mut state, mut last) = (None, None);
        let disk = self.rig.0.borrow().clone();
        let mut replay = |found: &[u8]| {
            let n = u64::from_le_bytes(found[1..9].try_into().expect("a number"));
            assert_eq!(
                found,
                frame(found[0], n),
                "nothing comes back that was not written"
            );
            if found[0] == STATE {
                assert!(last.is_none(), "the checkpoint comes before the log");
                assert!(state.is_none_or(|before| before <= n), "in order");
                state = Some(n);
            } else {
                let expected = last.map_or(n, |last: u64| last + 1);
                assert_eq!(n, expected, "no frame missing, none twice");
                assert!(
                    last.is_some() || n <= state.unwrap_or(0) + 1,
                    "the log joins the checkpoint"
                );
                last = Some(n);
            }
        };
        let engine = engine_on(&disk);
        let opened = engine.open("packet-0", Bell::new().wake(), &mut replay);
        let journal = opened.expect("no crash makes it unreadable");
        let recovered = last.or(state).unwrap_or(0);
        assert!(
            state.is_none_or(|state| state <= recovered),
            "the log reaches as far as the checkpoint"
        );
        assert!(
            self.durable <= recovered,
            "durable {} but only {recovered} came back",
            self.durable
        );
        assert!(
            recovered <= self.appended,
            "{recovered} came back of {}",
            self.appended
        );
        assert_eq!(journal.durable(), Position(recovered));
        self.appended = recovered;
        self.written = recovered;
        self.durable = recovered;
        self.journal = Some(journal);
        self.engine = Some(engine);
    }

    fn append(&mut self, count: u8) {
        let journal = self.journal.as_mut().expect("open");
        for _ in 0..count {
            if journal.append(&frame(FRAME, self.appended + 1)).is_err() {
                return;
            }
            self.appended += 1;
            self.written = self.appended;
        }
    }

    fn defer(&mut self, count: u8) {
        let journal = self.journal.as_mut().expect("open");
        for _ in 0..count {
            if journal.defer(&frame(FRAME, self.appended + 1)).is_err() {
                return;
            }
            self.appended += 1;
        }
    }

    fn segment_ready(&self) -> bool {
        self.engine.as_ref().expect("open").stats()[0].next_segment_ready
    }

    fn see_durable(&mut self) {
        let durable = self.journal.as_ref().expect("open").durable().0;
        assert!(durable <= self.appended);
        self.durable = self.durable.max(durable);
    }

    fn checkpoint(&mut self, between: u8) {
        let write = |run: &mut Self| {
            let state = frame(STATE, run.appended);
            run.journal
                .as_mut()
                .expect("open")
                .checkpoint_write(&state)
                .is_ok()
        };
        if self.appended == 0 || self.journal.as_mut().expect("open").checkpoint_begin().is_err() {
            return;
        }
        for _ in 0..3 {
            if !write(self) {
                return;
            }
            self.append(between / 2);
            self.defer(between.div_ceil(2));
        }
        let _ = write(self) && self.journal.as_mut().expect("open").checkpoint_finish().is_ok();
    }

    fn die(&mut self, cut: Option<u64>) {
        self.see_durable();
        match cut {
            Some(seed) => self.rig.power_cut(seed),
            None => {
                self.rig.kill();
                // Written is enough to survive the process.
                self.durable = self.durable.max(self.written);
            }
        }
        self.journal = None;
        self.dying = false;
        self.open();
    }

    fn go(&mut self, step: &Step) {
        match step {
            Step::Append(count) => self.append(*count),
            Step::Defer(count) => self.defer(*count),
            Step::Flush => {
                if self.journal.as_mut().expect("open").flush().is_ok() {
                    self.durable = self.appended;
                }
            }
            Step::Checkpoint(between) => self.checkpoint(*between),
            Step::CutUnsynced(count, seed) => {
                // With held syncs no segment can be prepared, so the frames must find one.
                if self.journal.as_mut().expect("open").flush().is_ok() && self.segment_ready() {
                    self.rig.hold_syncs(true);
                    self.append(*count);
                    self.defer(*count);
                }
                self.die(Some(*seed));
            }
            Step::Cut(seed) => self.die(Some(*seed)),
            Step::DieSoon(steps) => {
                self.dying = true;
                self.rig.0.borrow().die_after(u64::from(*steps));
            }
            Step::Kill if self.dying => self.die(Some(0)),
            Step::Kill => self.die(None),
            Step::Reopen if self.dying => self.die(Some(u64::MAX)),
            Step::Reopen => {
                self.journal = None;
                self.durable = self.appended;
                self.open();
                return;
            }
        }
        self.see_durable();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_durable_survives_any_crash_and_nothing_else_appears(steps in prop::collection::vec(step(), 1..40)) {
        let mut run = Run::new();
        for step in &steps {
            run.go(step);
        }
        run.die(Some(1));
    }
}
