//! A trace as a story: switch by switch, router by router, with the rows that decided.

use super::read::{Section, Step, Trace};
use crate::model::{Owner, State};
use purlin_ovsdb::Uuid;
use serde::Serialize;
use std::fmt;

/// What became of a packet, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    pub packet: String,
    pub hops: Vec<Hop>,
    pub outcome: Outcome,
}

/// One switch or router on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// `switch` or `router`; empty for a datapath that the northbound database does not have.
    pub kind: &'static str,
    pub name: String,
    pub inport: Option<String>,
    pub outport: Option<String>,
    pub decisions: Vec<Decision>,
}

/// A step in which something was decided: by a row of ours, by a drop, by a change of the packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub stage: String,
    pub expression: String,
    pub priority: u32,
    /// First eight digits of the logical flow's UUID.
    pub flow: String,
    pub actions: Vec<String>,
    /// The row of the northbound database that the flow was made from.
    pub by: Option<Object>,
}

/// A row of the northbound database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Object {
    pub table: String,
    pub uuid: String,
    pub label: String,
    pub owner: Owner,
}

/// Where it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Outcome {
    /// It leaves by these ports.
    Delivered { ports: Vec<String> },
    /// It ends here.
    Dropped {
        /// Switch or router.
        at: String,
        stage: String,
        /// In words.
        reason: String,
        by: Option<Object>,
    },
}

/// Tells a trace. `hint` gives the `stage-hint` of a logical flow by the first digits of its UUID, which is how OVN says
/// from which northbound row it made the flow; `state` knows the rows.
pub fn story(trace: &Trace, state: &State<'_>, hint: &dyn Fn(&str) -> Option<String>) -> Story {
    let teller = Teller { state, hint };
    let mut hops: Vec<Hop> = Vec::new();
    for section in &trace.sections {
        if let Some(datapath) = &section.datapath {
            teller.enter(&mut hops, section, datapath);
        }
        if let Some(hop) = hops.last_mut() {
            let decisions = section.steps.iter().filter_map(|step| teller.decision(step));
            hop.decisions.extend(decisions);
        }
    }
    let outcome = teller.outcome(trace, &hops);
    Story {
        packet: trace.packet.clone(),
        hops,
        outcome,
    }
}

struct Teller<'a, 's> {
    state: &'a State<'s>,
    hint: &'a dyn Fn(&str) -> Option<String>,
}

/// Tables that flows are made from, and the stages in which they speak.
const MADE_FROM: &[(&str, &[&str])] = &[
    ("ACL", &["acl"]),
    (
        "NAT",
        &[
            "dnat",
            "snat",
            "unsnat",
            "undnat",
            "egr_loop",
            "arp_rsp",
            "ip_input",
            "gw_redirect",
        ],
    ),
    ("Load_Balancer", &["lb", "dnat", "stateful", "defrag"]),
    ("Logical_Router_Static_Route", &["ip_routing"]),
    ("Logical_Router_Policy", &["policy"]),
    ("QoS", &["qos"]),
    ("Logical_Switch_Port", &["l2_lkup", "port_sec", "arp_rsp", "dhcp"]),
    (
        "Logical_Router_Port",
        &["admission", "ip_input", "arp_resolve", "delivery", "ip_routing"],
    ),
    ("DHCP_Options", &["dhcp"]),
];

impl Teller<'_, '_> {
    /// A new hop, or the egress half of the one before.
    fn enter(&self, hops: &mut Vec<Hop>, section: &Section, datapath: &str) {
        if let Some(hop) = hops.last_mut()
            && section.name == "egress"
            && hop.name == datapath
        {
            // Where a packet goes to many, the hop shows the first.
            hop.outport = hop.outport.take().or_else(|| section.outport.clone());
            return;
        }
        let kind = [("Logical_Switch", "switch"), ("Logical_Router", "router")]
            .into_iter()
            .find(|(table, _)| self.state.by_name(table, datapath).is_some());
        hops.push(Hop {
            kind: kind.map_or("", |(_, kind)| kind),
            name: datapath.to_owned(),
            inport: section.inport.clone(),
            outport: section.outport.clone(),
            decisions: Vec::new(),
        });
    }

    /// Steps that only hand the packet on are not told.
    fn decision(&self, step: &Step) -> Option<Decision> {
        let by = self.object(step);
        let plain = |action: &String| {
            let action = action.as_str();
            action == "next;"
                || action == "output;"
                || action.starts_with("reg")
                || action.starts_with("xreg")
        };
        if by.is_none() && step.flow.is_some() && step.actions.iter().all(plain) {
            return None;
        }
        let flow = step.flow.clone().unwrap_or_default();
        Some(Decision {
            stage: step.stage.clone(),
            expression: flow.expression,
            priority: flow.priority,
            flow: flow.uuid,
            actions: step.actions.clone(),
            by,
        })
    }

    fn object(&self, step: &Step) -> Option<Object> {
        let hint = (self.hint)(&step.flow.as_ref()?.uuid)?.to_lowercase();
        if hint.len() != 8 {
            return None;
        }
        let speaks = |stages: &&[&str]| stages.iter().any(|stage| step.stage.contains(stage));
        let likely = MADE_FROM
            .iter()
            .filter(|(_, stages)| speaks(stages))
            .map(|(table, _)| *table);
        let others = MADE_FROM
            .iter()
            .filter(|(_, stages)| !speaks(stages))
            .map(|(table, _)| *table);
        likely.chain(others).find_map(|table| {
            let uuid = self.starting_with(table, &hint)?;
            Some(Object {
                table: table.to_owned(),
                uuid: uuid.to_string(),
                label: self.state.label(table, uuid),
                owner: self.state.owner(table, uuid),
            })
        })
    }

    fn starting_with(&self, table: &str, hint: &str) -> Option<Uuid> {
        let start = u32::from_str_radix(hint, 16).ok()?.to_be_bytes();
        let rows = self.state.uuids(table).into_iter();
        rows.into_iter().find(|uuid| uuid.as_bytes()[..4] == start)
    }

    fn outcome(&self, trace: &Trace, hops: &[Hop]) -> Outcome {
        let steps = trace.sections.iter().flat_map(|section| &section.steps);
        let outputs = steps.clone().flat_map(|step| &step.outputs);
        let mut ports: Vec<String> = outputs
            .filter(|(_, kind)| kind != "patch")
            .map(|(port, _)| port.clone())
            .collect();
        if !ports.is_empty() {
            ports.sort();
            ports.dedup();
            return Outcome::Delivered { ports };
        }
        let at = hops.last().map(|hop| hop.name.clone()).unwrap_or_default();
        let Some(last) = steps.last() else {
            return Outcome::Dropped {
                at,
                stage: String::new(),
                reason: "no flow matched".to_owned(),
                by: None,
            };
        };
        let by = self.object(last);
        Outcome::Dropped {
            at,
            stage: last.stage.clone(),
            reason: reason(last, by.as_ref()),
            by,
        }
    }
}

/// In words why a packet ends in a stage.
fn reason(step: &Step, by: Option<&Object>) -> String {
    if let Some(by) = by {
        return format!("{} {} drops it", by.table, by.label);
    }
    let stage = step.stage.as_str();
    let known = [
        (
            "port_sec",
            "the source is not an address of the port (port security)",
        ),
        ("ip_routing", "the router has no route to the destination"),
        (
            "l2_unknown",
            "no port of the switch has the destination's MAC, and none takes unknown ones",
        ),
        ("admission", "the router has no port with the destination's MAC"),
        ("arp_resolve", "the router does not know the next hop's MAC"),
        ("policy", "a routing policy drops it"),
        ("acl", "the switch drops what no ACL allows"),
        ("chk_pkt_len", "it is larger than the next network takes"),
    ];
    let found = known.iter().find(|(part, _)| stage.contains(part));
    match (found, &step.flow) {
        (Some((_, reason)), _) => (*reason).to_owned(),
        (None, None) => format!("no flow of {stage} matches"),
        (None, Some(flow)) => format!("a flow of {stage} ends it: {}", flow.expression),
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hop in &self.hops {
            let name = |port: &Option<String>| port.clone().unwrap_or_else(|| "?".to_owned());
            writeln!(
                f,
                "{} {}: {} -> {}",
                hop.kind,
                hop.name,
                name(&hop.inport),
                name(&hop.outport)
            )?;
            for decision in &hop.decisions {
                let by = decision
                    .by
                    .as_ref()
                    .map(|by| format!(" by {} {}", by.table, by.label));
                writeln!(
                    f,
                    "  {}{}: {}",
                    decision.stage,
                    by.unwrap_or_default(),
                    decision.actions.join(" ")
                )?;
            }
        }
        match &self.outcome {
            Outcome::Delivered { ports } => write!(f, "delivered to {}", ports.join(", ")),
            Outcome::Dropped {
                at, stage, reason, ..
            } => write!(f, "dropped at {at} in {stage}: {reason}"),
        }
    }
}
