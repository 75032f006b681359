//! Requests answered by the store.

use super::World;
use purlin_fabric::{Action, Denied, Input};
use purlin_types::BootTime;

impl World {
    pub(super) fn serve(&mut self, node: usize, asked: BootTime, action: Action) -> Option<(Input, Input)> {
        self.store.wall = purlin_types::WallTime(1_800_000_000_000 + self.real / 1_000_000);
        let by = self.machines[node].candidate.clone();
        let store = &mut self.store;
        let refused = Denied::Refused;
        let input = match &action {
            Action::Enrol(wish) => Input::Enrolled {
                asked,
                outcome: store.enrol(wish).map_err(refused),
            },
            Action::Renew => Input::Renewed {
                asked,
                outcome: store.renew(&by).map_err(refused),
            },
            Action::View => Input::Viewed {
                asked,
                outcome: Ok(store.view()),
            },
            Action::Claim(wishes) => {
                let outcome = store.claim(&by, wishes).map_err(refused);
                Input::Claimed {
                    asked,
                    wishes: wishes.clone(),
                    outcome,
                }
            }
            Action::Release(held) => {
                store.release(&by, held);
                Input::Released {
                    held: held.clone(),
                    outcome: Ok(()),
                }
            }
            Action::Settle(held) => {
                store.settle(&by, held);
                Input::Settled {
                    held: held.clone(),
                    outcome: Ok(()),
                }
            }
            Action::Advance { from, to } => Input::Advanced {
                to: *to,
                outcome: store.advance(&by, *from, *to).map_err(refused),
            },
            Action::PublishPlan { leader, number, plan } => {
                let outcome = store.publish(leader, *number, plan).map_err(refused);
                Input::Published {
                    number: *number,
                    outcome,
                }
            }
            Action::GiveUp(_) | Action::Holdings | Action::Tell(_) => return None,
        };
        let (_, unknown) = unknown(asked, action)?;
        Some((input, unknown))
    }
}

/// The answer that says nothing, twice.
pub(super) fn unknown(asked: BootTime, action: Action) -> Option<(Input, Input)> {
    let input = match action {
        Action::Enrol(_) => Input::Enrolled {
            asked,
            outcome: Err(Denied::Unknown),
        },
        Action::Renew => Input::Renewed {
            asked,
            outcome: Err(Denied::Unknown),
        },
        Action::View => Input::Viewed {
            asked,
            outcome: Err(Denied::Unknown),
        },
        Action::Claim(wishes) => Input::Claimed {
            asked,
            wishes,
            outcome: Err(Denied::Unknown),
        },
        Action::Release(held) => Input::Released {
            held,
            outcome: Err(Denied::Unknown),
        },
        Action::Settle(held) => Input::Settled {
            held,
            outcome: Err(Denied::Unknown),
        },
        Action::Advance { to, .. } => Input::Advanced {
            to,
            outcome: Err(Denied::Unknown),
        },
        Action::PublishPlan { number, .. } => Input::Published {
            number,
            outcome: Err(Denied::Unknown),
        },
        Action::GiveUp(_) | Action::Holdings | Action::Tell(_) => return None,
    };
    Some((input.clone(), input))
}
