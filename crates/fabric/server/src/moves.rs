//! `/api/v1/cluster/plan`: who should hold what, and what would move if a node came or went.
//!
//! A preview is the same function over the same members and settings that the leader plans with, so that what it says is
//! what then happens, as long as nothing else changes meanwhile.

use crate::routes::{Books, find};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Problem, Viewer, reasons, schema};
use purlin_fabric::Member;
use purlin_fabric::drain::{preview_addition, preview_removal};
use purlin_fabric::plan::{Moves, Plan, PlanMember, moves, plan};
use purlin_fabric::port::NodeState;
use purlin_fabric_runtime::Snapshot;
use purlin_types::{NodeId, SLOTS, Slot};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// A weight that is a node's usual one.
const WEIGHT: u16 = 100;

/// What a change of the members would do to the plan.
pub(crate) struct Preview {
    /// Slots by node as planned now.
    before: BTreeMap<NodeId, u16>,
    moves: Moves,
    /// Leases in the slots that move, as far as that is known.
    leases: Option<u64>,
}

impl Preview {
    /// Without a node; nothing when it is not planned for.
    pub(crate) fn without(books: &Books, member: &Member) -> Result<Self, Problem> {
        let (snapshot, settings) = (books.fabric.snapshot(), books.scaler.policy().planning);
        let plan = plan_of(&snapshot)?;
        let moves = preview_removal(&plan, &planned(&snapshot), &member.id, &settings);
        Ok(Self {
            before: shares(&plan),
            moves,
            leases: crate::text::pulse(books, &member.id).and_then(|pulse| pulse.leases),
        })
    }

    /// With one more node.
    fn with(books: &Books, newcomer: &PlanMember) -> Result<Self, Problem> {
        let (snapshot, settings) = (books.fabric.snapshot(), books.scaler.policy().planning);
        let plan = plan_of(&snapshot)?;
        let moves = preview_addition(&plan, &planned(&snapshot), newcomer, &settings);
        Ok(Self {
            before: shares(&plan),
            moves,
            leases: None,
        })
    }

    /// With so many nodes: newcomers of the usual weight, or without those that hold least. `None` without a plan.
    pub(crate) fn resized(books: &Books, target: u16) -> Option<Self> {
        let (snapshot, settings) = (books.fabric.snapshot(), books.scaler.policy().planning);
        let current = plan_of(&snapshot).ok()?;
        let mut members = planned(&snapshot);
        let before = shares(&current);
        members.sort_by_key(|member| std::cmp::Reverse(before.get(&member.id).copied().unwrap_or(0)));
        members.truncate(usize::from(target));
        let newcomers = (members.len()..usize::from(target)).filter_map(|number| {
            Some(PlanMember {
                id: NodeId::parse(&format!("new-{}", number + 1)).ok()?,
                zone: String::new(),
                weight: WEIGHT,
            })
        });
        let newcomers: Vec<PlanMember> = newcomers.collect();
        members.extend(newcomers);
        Some(Self {
            moves: moves(&current, &plan(Some(&current), &members, &settings)),
            before,
            leases: None,
        })
    }
}

/// A preview for people and programs.
pub(crate) fn shown(preview: &Preview) -> Value {
    let mut nodes: BTreeMap<&NodeId, (u16, u16, u16)> = BTreeMap::new();
    for (node, &slots) in &preview.before {
        nodes.entry(node).or_default().0 = slots;
    }
    for (node, moved) in &preview.moves.by_node {
        let entry = nodes.entry(node).or_default();
        (entry.1, entry.2) = (moved.gained, moved.lost);
    }
    let rows: Vec<Value> = nodes
        .into_iter()
        .map(|(node, (before, gained, lost))| {
            json!({
                "node": node.as_str(),
                "before": before,
                "after": before + gained - lost,
                "gained": gained,
                "lost": lost,
            })
        })
        .collect();
    json!({
        "slots": preview.moves.slots,
        "share": preview.moves.fraction(),
        "leases": preview.leases,
        "nodes": rows,
    })
}

pub(crate) fn routes(books: &Books) -> Routes {
    let drafts: [Draft<Books>; 1] = [route::get("/api/v1/cluster/plan", shown_plan)
        .summary("Who holds which share of the addresses, and who would")
        .description("With `without` or `with`, what would move if that node went or came; with `address`, who decides about it and who steps in.")
        .query("without", schema::string("A node that would go."))
        .query("with", schema::string("A node that would come."))
        .query("weight", schema::whole(1, 10_000, "Its relative share, 100 when not given."))
        .query("zone", schema::string("Its failure domain."))
        .query("address", schema::formatted("ipv4", "An address."))
        .answers(200, schema::reference("SlotPlan"))
        .errors(&[400, 404, 409, 503])];
    components(Routes::new("cluster", books, drafts))
}

async fn shown_plan(_: Viewer, State(books): State<Books>, asked: Asked) -> Result<Json<Value>, Problem> {
    let snapshot = books.fabric.snapshot();
    let plan = plan_of(&snapshot)?;
    let settings = books.scaler.policy().planning;
    let holds: BTreeMap<&NodeId, &Member> = snapshot.members.iter().map(|m| (&m.id, m)).collect();
    let (owned, backed) = (shares(&plan), standbys(&plan));
    let nodes: Vec<Value> = plan
        .nodes()
        .iter()
        .map(|node| {
            let member = holds.get(node);
            let planned = owned.get(node).copied().unwrap_or(0);
            json!({
                "node": node.as_str(),
                "planned": planned,
                "share": f64::from(planned) / f64::from(SLOTS),
                "holds": member.map_or(0, |member| member.slots),
                "next_in_line": backed.get(node).copied().unwrap_or(0),
                "zone": member.map_or("", |member| member.facts.zone.as_str()),
                "weight": member.map_or(0, |member| member.facts.weight),
            })
        })
        .collect();
    let in_step = snapshot
        .members
        .iter()
        .all(|member| member.slots == owned.get(&member.id).copied().unwrap_or(0));
    let mut answer = json!({
        "number": plan.number,
        "method": settings.method.as_str(),
        "virtual_nodes": settings.virtual_nodes,
        "replication_factor": settings.replication_factor,
        // A plan without a bound has an infinite one, which JSON does not know.
        "load_bound": settings.load_bound.is_finite().then_some(settings.load_bound),
        "in_step": in_step,
        "nodes": nodes,
    });
    if let Some(preview) = preview(&books, &asked)? {
        answer["preview"] = shown(&preview);
    }
    if let Some(address) = asked.parsed::<Ipv4Addr>("address", "an IPv4 address")? {
        answer["slot"] = of_address(&books, &plan, address);
    }
    Ok(Json(answer))
}

fn preview(books: &Books, asked: &Asked) -> Result<Option<Preview>, Problem> {
    match (asked.text("without"), asked.text("with")) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Problem::parameter("one of `with` and `without`, not both")),
        (Some(node), None) => Preview::without(books, &find(books, node)?).map(Some),
        (None, Some(node)) => {
            let Ok(id) = NodeId::parse(node) else {
                return Err(Problem::parameter(format!(
                    "with={node:?} is not the name of a node"
                )));
            };
            let known = |member: &&Member| member.id == id && member.state == NodeState::Active;
            if books.fabric.snapshot().members.iter().find(known).is_some() {
                let what = format!("{id} is a node of the cluster already");
                return Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, what));
            }
            let weight = asked.parsed::<u16>("weight", "a number from 1 to 10000")?;
            let newcomer = PlanMember {
                id,
                zone: asked.text("zone").unwrap_or_default().to_owned(),
                weight: weight.unwrap_or(WEIGHT).clamp(1, 10_000),
            };
            Preview::with(books, &newcomer).map(Some)
        }
    }
}

fn of_address(books: &Books, plan: &Plan, address: Ipv4Addr) -> Value {
    let slot = Slot::of_address(address);
    let holdings = Arc::clone(&books.fabric.holdings().borrow());
    let holder = if holdings.slots().contains(slot) {
        Some(&books.fabric.me().id)
    } else {
        holdings.home(slot)
    };
    let order: Vec<&str> = plan.preference(slot).map(NodeId::as_str).collect();
    json!({
        "slot": slot.index(),
        "address": address,
        "holder": holder.map(NodeId::as_str),
        "order": order,
    })
}

/// The plan in force.
fn plan_of(snapshot: &Snapshot) -> Result<Arc<Plan>, Problem> {
    let plan = snapshot.plan.clone();
    plan.ok_or_else(|| Problem::not_ready("no plan has been made yet; the leader makes one within seconds"))
}

/// Those that the leader plans for.
fn planned(snapshot: &Snapshot) -> Vec<PlanMember> {
    let active = snapshot.members.iter();
    active
        .filter(|member| member.state == NodeState::Active)
        .map(|member| PlanMember {
            id: member.id.clone(),
            zone: member.facts.zone.clone(),
            weight: member.facts.weight,
        })
        .collect()
}

fn count<'a>(nodes: impl Iterator<Item = &'a NodeId>) -> BTreeMap<NodeId, u16> {
    nodes.fold(BTreeMap::new(), |mut counts, node| {
        *counts.entry(node.clone()).or_default() += 1;
        counts
    })
}

/// Slots by owner; every node of the plan is there.
fn shares(plan: &Plan) -> BTreeMap<NodeId, u16> {
    let mut owned = count(Slot::all().filter_map(|slot| plan.owner(slot)));
    for node in plan.nodes() {
        owned.entry(node.clone()).or_default();
    }
    owned
}

/// Slots by the node that steps in first.
fn standbys(plan: &Plan) -> BTreeMap<NodeId, u16> {
    count(Slot::all().filter_map(|slot| plan.preference(slot).nth(1)))
}

fn components(routes: Routes) -> Routes {
    let number = schema::number;
    let moved = schema::object(&[
        ("node", schema::string("Name of the node.")),
        ("before", schema::count("Slots planned for it now.")),
        ("after", schema::count("Slots that it would have then.")),
        ("gained", schema::count("Slots that would come to it.")),
        ("lost", schema::count("Slots that would leave it.")),
    ]);
    let node = schema::object(&[
        ("node", schema::string("Name of the node.")),
        ("planned", schema::count("Slots that it should hold.")),
        ("share", number("The same as a part of 1.")),
        ("holds", schema::count("Slots that it holds now.")),
        (
            "next_in_line",
            schema::count("Slots that it takes over first when their holder is gone."),
        ),
        ("zone", schema::string("Its failure domain.")),
        ("weight", schema::count("Its relative share.")),
    ]);
    let slot = schema::object(&[
        ("slot", schema::count("Number of the share, 0 to 4095.")),
        ("address", schema::formatted("ipv4", "The address asked for.")),
        (
            "holder",
            schema::nullable(schema::string("Who decides about it now.")),
        ),
        (
            "order",
            schema::array(schema::string("Who should hold it, then who steps in.")),
        ),
    ]);
    routes
        .component(
            "Moves",
            schema::object(&[
                ("slots", schema::count("Slots that change their holder.")),
                ("share", number("The same as a part of all, 0 to 1.")),
                (
                    "leases",
                    schema::nullable(schema::count("Leases that go along; null when not known.")),
                ),
                ("nodes", schema::array(moved)),
            ]),
        )
        .component(
            "SlotPlan",
            schema::object(&[
                ("number", schema::count("Number of the plan in force.")),
                ("method", schema::string("How shares are given to nodes.")),
                ("virtual_nodes", schema::count("Points per node on the ring.")),
                (
                    "replication_factor",
                    schema::count("Nodes named for each share: owner and standbys."),
                ),
                (
                    "load_bound",
                    schema::nullable(number("How far above its due part a node may be planned.")),
                ),
                (
                    "in_step",
                    schema::boolean("Whether every node holds as many slots as planned."),
                ),
                ("nodes", schema::array(node)),
                ("preview?", schema::reference("Moves")),
                ("slot?", slot),
            ]),
        )
}
