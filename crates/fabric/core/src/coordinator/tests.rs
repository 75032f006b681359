use super::*;
use crate::port::{Probe, View};
use purlin_types::WallTime;

fn at(secs: u64) -> Now {
    Now {
        boot: BootTime(secs * 1_000_000_000),
        wall: WallTime(1_800_000_000_000 + secs * 1000),
    }
}

#[test]
fn a_coordinator_looks_before_it_enrols() {
    let me = Candidate {
        id: NodeId::parse("a").expect("an id"),
        incarnation: Incarnation(1),
    };
    let mut coordinator = Coordinator::new(Timing::default(), me, NodeFacts::default());
    let mut out = Vec::new();
    coordinator.step(&at(0), Input::Tick, &mut out);
    assert!(
        matches!(
            out[..],
            [Action::View, Action::Tell(Event::NotReady(NotReady::Starting))]
        ),
        "{out:?}"
    );
    let probe = Probe {
        timeline: 1,
        wall: at(0).wall,
        durability: Durability::Synced,
        parted_below: 0,
    };
    let view = View {
        probe,
        nodes: Vec::new(),
        claims: Vec::new(),
        plan: (0, Vec::new()),
    };
    out.clear();
    coordinator.step(
        &at(0),
        Input::Viewed {
            asked: at(0).boot,
            outcome: Ok(view),
        },
        &mut out,
    );
    assert!(
        matches!(&out[..], [Action::Enrol(wish)] if wish.replaces.is_none()),
        "{out:?}"
    );
    assert_eq!(coordinator.life.state(), None::<NodeState>);
}
