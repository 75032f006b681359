//! Coordinators in a world that fails: who decides about what, and when.

use crate::world::{Fault, SECOND, World};
use proptest::prelude::*;
use purlin_fabric::port::{Durability, NodeState};
use purlin_fabric::{Event, NotReady, Timing};
use purlin_types::Slot;

mod doubt;
mod properties;
mod scenarios;
