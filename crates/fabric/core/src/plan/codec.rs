//! A plan as octets, as the claim store keeps it.
//!
//! ```text
//!   u8  format, 1
//!   u64 number
//!   u8  copies c          length of every preference list
//!   u16 nodes n
//!   n x { u8 length, octets of the id }              sorted, without doubles
//!   4096 x c x index                                  u8 when n <= 256, else u16
//! ```
//!
//! Integers are big-endian. With ten nodes and three copies: 12.4 kB.

use super::{NODES_MAX, Plan};
use purlin_types::{NodeId, NodeIdError, SLOTS};
use std::fmt;

const FORMAT: u8 = 1;

/// Why octets are no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanFault {
    /// Written by a version of Purlin that this one does not know.
    Format(u8),
    /// It ends in the middle.
    Short,
    /// It does not end where it should: so many octets too many.
    Long(usize),
    /// More than [`NODES_MAX`] nodes, or none of them in a list, or lists longer than there are nodes.
    Counts { nodes: u16, copies: u8 },
    /// A node's id is none.
    Id(NodeIdError),
    /// Nodes are not sorted or doubled.
    Order,
    /// A preference list names a node that does not exist, or one twice.
    Preference { slot: u16 },
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(found) => write!(f, "plan format {found} is not known here"),
            Self::Short => f.write_str("the plan is cut short"),
            Self::Long(extra) => write!(f, "the plan has {extra} octets after its end"),
            Self::Counts { nodes, copies } => {
                write!(f, "a plan of {nodes} nodes cannot have {copies} copies")
            }
            Self::Id(_) => f.write_str("the plan names a node badly"),
            Self::Order => f.write_str("the plan's nodes are not in order"),
            Self::Preference { slot } => write!(f, "the plan's list for slot {slot} is impossible"),
        }
    }
}

impl std::error::Error for PlanFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Id(cause) => Some(cause),
            _ => None,
        }
    }
}

impl Plan {
    /// The plan's octets; [`Plan::decode`] gives the same plan back.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.nodes.len() * 24 + self.preferences.len() * 2);
        out.push(FORMAT);
        out.extend(self.number.to_be_bytes());
        out.push(self.copies);
        out.extend((self.nodes.len() as u16).to_be_bytes());
        for id in &self.nodes {
            out.push(id.as_str().len() as u8);
            out.extend(id.as_str().as_bytes());
        }
        if narrow(self.nodes.len()) {
            out.extend(self.preferences.iter().map(|&index| index as u8));
        } else {
            out.extend(self.preferences.iter().flat_map(|index| index.to_be_bytes()));
        }
        out
    }

    /// Reads what [`Plan::encode`] wrote. Any octets may be given.
    ///
    /// # Errors
    /// When they are not exactly one plan of a known format.
    pub fn decode(octets: &[u8]) -> Result<Self, PlanFault> {
        let mut rest = Reader(octets);
        match rest.take::<1>()? {
            [FORMAT] => {}
            [other] => return Err(PlanFault::Format(other)),
        }
        let number = u64::from_be_bytes(rest.take()?);
        let [copies] = rest.take()?;
        let count = u16::from_be_bytes(rest.take()?);
        let nodes = usize::from(count);
        if nodes > NODES_MAX || usize::from(copies) > nodes || (copies == 0) != (nodes == 0) {
            return Err(PlanFault::Counts { nodes: count, copies });
        }
        let nodes = (0..nodes).map(|_| rest.id()).collect::<Result<Vec<_>, _>>()?;
        if !nodes.is_sorted_by(|a, b| a < b) {
            return Err(PlanFault::Order);
        }
        let preferences = rest.indices(usize::from(SLOTS) * usize::from(copies), narrow(nodes.len()))?;
        if !rest.0.is_empty() {
            return Err(PlanFault::Long(rest.0.len()));
        }
        check(&preferences, copies, nodes.len())?;
        Ok(Self {
            number,
            nodes,
            copies,
            preferences,
        })
    }
}

/// Whether an index fits one octet.
const fn narrow(nodes: usize) -> bool {
    nodes <= 256
}

fn check(preferences: &[u16], copies: u8, nodes: usize) -> Result<(), PlanFault> {
    if copies == 0 {
        return Ok(());
    }
    for (slot, list) in (0..).zip(preferences.chunks_exact(usize::from(copies))) {
        let known = list.iter().all(|&index| usize::from(index) < nodes);
        let distinct = list
            .iter()
            .enumerate()
            .all(|(at, index)| !list[..at].contains(index));
        if !known || !distinct {
            return Err(PlanFault::Preference { slot });
        }
    }
    Ok(())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], PlanFault> {
        let (head, rest) = self.0.split_first_chunk().ok_or(PlanFault::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, len: usize) -> Result<&'a [u8], PlanFault> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(PlanFault::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn id(&mut self) -> Result<NodeId, PlanFault> {
        let [len] = self.take()?;
        let text = String::from_utf8_lossy(self.slice(usize::from(len))?);
        NodeId::parse(&text).map_err(PlanFault::Id)
    }

    fn indices(&mut self, count: usize, narrow: bool) -> Result<Vec<u16>, PlanFault> {
        if narrow {
            return Ok(self.slice(count)?.iter().map(|&octet| u16::from(octet)).collect());
        }
        let octets = self.slice(count * 2)?;
        Ok(octets
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect())
    }
}
