//! A trace as a story: switch by switch, router by router, with the rows that decided.

use super::read::{Section, Step, Trace};
use crate::model::{Owner, State};
use purlin_ovsdb::Uuid;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
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
///
/// What is rejected ends there: the reset or the ICMP error that OVN sends back is not told, and is no delivery.
pub fn story(trace: &Trace, state: &State<'_>, hint: &dyn Fn(&str) -> Option<String>) -> Story {
    let teller = Teller {
        state,
        made: made_from(trace, state, hint),
    };
    let mut hops: Vec<Hop> = Vec::new();
    let mut last: Option<&Step> = None;
    let mut ended = None;
    'told: for section in &trace.sections {
        let turned = TURNS
            .iter()
            .find(|(names, _)| names.contains(&section.name.as_str()));
        if let (Some((_, why)), Some(step)) = (turned, last) {
            ended = Some((step, Some(*why)));
            break;
        }
        if let Some(datapath) = &section.datapath {
            teller.enter(&mut hops, section, datapath);
        }
        let Some(hop) = hops.last_mut() else { continue };
        for step in &section.steps {
            hop.decisions.extend(teller.decision(step));
            last = Some(step);
            if rejects(step) {
                ended = Some((step, None));
                break 'told;
            }
        }
    }
    let outcome = match ended {
        Some((step, why)) => teller.dropped(step, &hops, why),
        None => teller.outcome(trace, &hops),
    };
    Story {
        packet: trace.packet.clone(),
        hops,
        outcome,
    }
}

/// Sections about another packet, which OVN sends in place of the one that was asked about.
const TURNS: &[(&[&str], &str)] = &[
    (
        &["icmp4", "icmp4_error", "icmp6", "icmp6_error"],
        "the sender gets an ICMP error instead",
    ),
    (&["tcp_reset", "sctp_abort"], "the sender gets a reset instead"),
    (
        &["arp", "nd_ns"],
        "the router does not know the next hop's MAC and asks for it first",
    ),
];

/// Whether a step sends the sender away with a reset or an ICMP error.
fn rejects(step: &Step) -> bool {
    step.actions.iter().any(|action| action.starts_with("reject {"))
}

/// Rows by the first four octets of their UUIDs, as far as the flows of a trace name them: each table is gone through
/// once, however long the trace is.
fn made_from(
    trace: &Trace,
    state: &State<'_>,
    hint: &dyn Fn(&str) -> Option<String>,
) -> BTreeMap<String, Vec<(&'static str, Uuid)>> {
    let steps = trace.sections.iter().flat_map(|section| &section.steps);
    let flows: BTreeSet<&str> = steps
        .filter_map(|step| step.flow.as_ref().map(|flow| flow.uuid.as_str()))
        .collect();
    let start = |flow: &&str| -> Option<(String, [u8; 4])> {
        let hint = hint(flow)?;
        let start = u32::from_str_radix(&hint, 16).ok().filter(|_| hint.len() == 8)?;
        Some(((*flow).to_owned(), start.to_be_bytes()))
    };
    let wanted: Vec<(String, [u8; 4])> = flows.iter().filter_map(start).collect();
    let mut made: BTreeMap<String, Vec<(&'static str, Uuid)>> = BTreeMap::new();
    if wanted.is_empty() {
        return made;
    }
    for (table, _) in MADE_FROM {
        for uuid in state.uuids(table) {
            for (flow, _) in wanted.iter().filter(|(_, start)| uuid.as_bytes()[..4] == *start) {
                made.entry(flow.clone()).or_default().push((table, uuid));
            }
        }
    }
    made
}

struct Teller<'a, 's> {
    state: &'a State<'s>,
    /// By flow: the rows that it may have been made from.
    made: BTreeMap<String, Vec<(&'static str, Uuid)>>,
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
        let rows = self.made.get(&step.flow.as_ref()?.uuid)?;
        let speaks = |table: &str| {
            let stages = MADE_FROM.iter().find(|(name, _)| *name == table);
            stages.is_some_and(|(_, stages)| stages.iter().any(|stage| step.stage.contains(stage)))
        };
        let (table, uuid) = rows.iter().find(|(table, _)| speaks(table)).or(rows.first())?;
        Some(Object {
            table: (*table).to_owned(),
            uuid: uuid.to_string(),
            label: self.state.label(table, *uuid),
            owner: self.state.owner(table, *uuid),
        })
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
        let Some(last) = steps.last() else {
            return Outcome::Dropped {
                at: hops.last().map(|hop| hop.name.clone()).unwrap_or_default(),
                stage: String::new(),
                reason: "no flow matched".to_owned(),
                by: None,
            };
        };
        self.dropped(last, hops, None)
    }

    fn dropped(&self, step: &Step, hops: &[Hop], why: Option<&str>) -> Outcome {
        let by = self.object(step);
        Outcome::Dropped {
            at: hops.last().map(|hop| hop.name.clone()).unwrap_or_default(),
            stage: step.stage.clone(),
            reason: why.map_or_else(|| reason(step, by.as_ref()), str::to_owned),
            by,
        }
    }
}

/// Tables whose rows end packets by themselves; a flow of any other row only failed to let it through.
const DECIDING: [&str; 5] = [
    "ACL",
    "Load_Balancer",
    "Logical_Router_Policy",
    "Logical_Router_Static_Route",
    "NAT",
];

/// In words why a packet ends in a stage.
fn reason(step: &Step, by: Option<&Object>) -> String {
    if let Some(by) = by.filter(|by| DECIDING.contains(&by.table.as_str())) {
        let does = if rejects(step) { "rejects" } else { "drops" };
        return format!("{} {} {does} it", by.table, by.label);
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
