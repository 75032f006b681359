//! Who answers the DHCP requests of a switch's ports.
//!
//! ```text
//!   nobody   no port points to options of ours
//!   ovn      a DHCP_Options row; every port points to it             ovn-controller answers, on each hypervisor
//!   purlin   a localport, and no port points to options of ours      Purlin answers behind that port, wherever a node is
//! ```
//!
//! What is chosen stands in `external_ids` of the switch, so that ports that come later are served as well. Options that
//! somebody else gave to a port stay what they are.
//!
//! Source: ovn-nb(5), tables `DHCP_Options` and `Logical_Switch_Port` (`localport`).

mod found;
mod held;
mod wanted;

pub use found::{Found, found};
pub use held::{Held, chosen, held};
pub use wanted::{Names, Wanted, changes};

use crate::model::{Change, State};
use purlin_ovsdb::{Datum, Uuid};

const SWITCH: &str = "Logical_Switch";
const PORT: &str = "Logical_Switch_Port";
const OPTIONS: &str = "DHCP_Options";
/// What is chosen, on the switch.
const CHOSEN: &str = "purlin-dhcp";
/// The UUID of the options, on the switch.
const BY: &str = "purlin-dhcp-options";
/// The UUID of the port, on the switch.
const PORT_BY: &str = "purlin-dhcp-port";

/// The address that Purlin answers from, on the switch: what is behind that switch is in its network. Tenants cannot write
/// it, or they would say whose addresses are theirs.
pub(crate) const ADDRESS_KEY: &str = "purlin-dhcp-address";

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Nobody,
    Ovn,
    Purlin,
}

impl Server {
    pub const ALL: [Self; 3] = [Self::Nobody, Self::Ovn, Self::Purlin];

    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Ovn => "ovn",
            Self::Purlin => "purlin",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|server| server.as_str() == word)
    }
}

/// A new port of a switch whose ports OVN answers gets the switch's options, unless it was given some.
#[must_use]
pub fn complete(state: &State<'_>, mut change: Change) -> Change {
    let Change::Insert {
        table,
        row,
        parent: Some(parent),
        ..
    } = &mut change
    else {
        return change;
    };
    let kind = row
        .get("type")
        .and_then(|kind| kind.one()?.as_str())
        .unwrap_or_default();
    let asked = row
        .get("dhcpv4_options")
        .is_some_and(|options| !options.is_empty());
    if table == PORT
        && parent.table == SWITCH
        && kind.is_empty()
        && !asked
        && let Some(options) = options_of(state, parent.uuid)
    {
        row.set("dhcpv4_options", Datum::set([options]));
    }
    change
}

/// The options that all ports of the switch point to, if OVN answers there.
fn options_of(state: &State<'_>, switch: Uuid) -> Option<Uuid> {
    let ids = state.value(SWITCH, switch, "external_ids")?;
    let chosen = ids.get_str(CHOSEN).and_then(Server::parse);
    let options = Uuid::parse(ids.get_str(BY)?)?;
    (chosen == Some(Server::Ovn) && state.contains(OPTIONS, options)).then_some(options)
}
