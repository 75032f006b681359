//! What an expression depends on.

use super::node::{Field, Node, Source};
use std::collections::BTreeSet;

/// Everything an expression looks at. Packets that agree in all of it get the same answer, so answers can be
/// kept by it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// Option codes; 82 is here only when it is read as a whole.
    pub options: BTreeSet<u8>,
    /// Sub-options of the relay agent information.
    pub relay_subs: BTreeSet<u8>,
    pub fields: BTreeSet<Field>,
    /// Classes whose membership is asked for.
    pub classes: BTreeSet<String>,
}

impl Uses {
    pub(crate) fn of(nodes: &[Node]) -> Self {
        let mut uses = Self::default();
        for node in nodes {
            uses.add(node);
        }
        uses
    }

    /// Whether two packets of one client may well differ in what is used.
    #[must_use]
    pub fn changes_by_packet(&self) -> bool {
        let changing = [
            Field::MsgType,
            Field::TransId,
            Field::Length,
            Field::Ciaddr,
            Field::Source,
        ];
        changing.iter().any(|field| self.fields.contains(field)) || self.options.contains(&53)
    }

    fn add(&mut self, node: &Node) {
        match node {
            Node::Exists(source) | Node::Read(source, _) => self.read(*source),
            Node::Field(field) => {
                self.fields.insert(*field);
            }
            Node::Member(class) => {
                self.classes.insert(class.name.to_string());
            }
            _ => {}
        }
    }

    fn read(&mut self, source: Source) {
        match source {
            Source::Option(code) | Source::Sub(code, _) => self.options.insert(code),
            Source::Relay(code) => self.relay_subs.insert(code),
            Source::Vendor(_) | Source::VendorEnterprise | Source::VendorSub(..) => self.options.insert(125),
            Source::VendorClass(_) | Source::VendorClassEnterprise | Source::VendorClassData(..) => {
                self.options.insert(124)
            }
        };
    }
}
