//! Prints how even plans are and how much moves when a node is added, as a table for `docs/performance.md`.
//!
//! ```sh
//! cargo run --release -p purlin-fabric --example ring_balance
//! ```

use purlin_fabric::plan::{Plan, PlanMember, PlanSettings, moves, plan};
use purlin_fabric::ring::Method;
use purlin_types::NodeId;

/// Names tried per row; the worst of them is shown.
const NAMINGS: [&str; 5] = ["node-", "dhcp", "rack-7-host-", "n", "server.example.com."];

fn main() {
    println!("| method | bound | nodes | max/mean | min/mean | moved by one more node | ideal |");
    println!("|---|---|---|---|---|---|---|");
    for method in Method::ALL {
        for load_bound in [f64::INFINITY, 1.10] {
            for nodes in [3, 5, 10, 100] {
                row(method, load_bound, nodes);
            }
        }
    }
}

fn row(method: Method, load_bound: f64, nodes: usize) {
    let settings = PlanSettings {
        method,
        load_bound,
        ..PlanSettings::default()
    };
    let (mut max, mut min, mut moved) = (0.0_f64, f64::INFINITY, 0.0_f64);
    for naming in NAMINGS {
        let before = plan(None, &members(naming, nodes), &settings);
        let after = plan(Some(&before), &members(naming, nodes + 1), &settings);
        let mean = 4096.0 / nodes as f64;
        for load in loads(&before) {
            max = max.max(load / mean);
            min = min.min(load / mean);
        }
        moved = moved.max(moves(&before, &after).fraction());
    }
    let bound = if load_bound.is_finite() { "1.10" } else { "none" };
    let (method, ideal) = (method.as_str(), 1.0 / (nodes + 1) as f64);
    println!("| {method} | {bound} | {nodes} | {max:.3} | {min:.3} | {moved:.3} | {ideal:.3} |");
}

fn members(naming: &str, nodes: usize) -> Vec<PlanMember> {
    let member = |n: usize| PlanMember {
        id: NodeId::parse(&format!("{naming}{n}")).expect("letters and digits"),
        zone: String::new(),
        weight: 100,
    };
    (0..nodes).map(member).collect()
}

fn loads(plan: &Plan) -> Vec<f64> {
    plan.nodes()
        .iter()
        .map(|node| plan.slots_of(node).len() as f64)
        .collect()
}
