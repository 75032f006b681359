//! What the fronts count, for a scrape.

use crate::fronts::{Front, Fronts};
use crate::{Counter, Counters};
use purlin_fabric::health::Condition;
use purlin_telemetry::metrics::{Collector, Encoder};

/// Shows the fronts; register it once.
#[derive(Debug, Clone)]
pub struct BalancerMetrics(pub Fronts);

type Count = (&'static str, &'static str, fn(&Counters) -> &Counter);

const COUNTS: [Count; 8] = [
    (
        "purlin_balancer_taken_total",
        "Connections or datagrams of clients.",
        |c| &c.taken,
    ),
    (
        "purlin_balancer_answers_total",
        "Datagrams of backends passed on to clients.",
        |c| &c.answers,
    ),
    (
        "purlin_balancer_retried_total",
        "Clients given to another backend.",
        |c| &c.retried,
    ),
    (
        "purlin_balancer_refused_total",
        "Turned away because no backend could take them.",
        |c| &c.refused,
    ),
    (
        "purlin_balancer_full_total",
        "Turned away, or with DHCP not remembered, at a limit.",
        |c| &c.full,
    ),
    (
        "purlin_balancer_unreadable_total",
        "Datagrams that are not what the front is for.",
        |c| &c.unreadable,
    ),
    (
        "purlin_balancer_unanswerable_total",
        "DHCP messages that need a relay.",
        |c| &c.unanswerable,
    ),
    (
        "purlin_balancer_lost_total",
        "Datagrams that the kernel would not send.",
        |c| &c.lost,
    ),
];

impl Collector for BalancerMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        let fronts = self.0.all();
        if fronts.is_empty() {
            return;
        }
        for (name, help, count) in COUNTS {
            let mut family = encoder.counter(name, help);
            for front in fronts {
                family.count(&[("front", &front.name)], count(front.counters()).get());
            }
        }
        let views: Vec<_> = fronts.iter().map(|front| (front, front.pool().views())).collect();
        let mut given = encoder.counter(
            "purlin_balancer_backend_given_total",
            "Connections, flows or DHCP transactions given to a backend.",
        );
        for (front, views) in &views {
            for view in views {
                let labels = [("front", front.name.as_str()), ("backend", &view.backend.name)];
                given.count(&labels, view.status.given);
            }
        }
        let mut gauge = |name, help, value: &dyn Fn(&crate::BackendView) -> f64| {
            let mut family = encoder.gauge(name, help);
            for (front, views) in &views {
                let front: &Front = front;
                for view in views {
                    let labels = [("front", front.name.as_str()), ("backend", &view.backend.name)];
                    family.value(&labels, value(view));
                }
            }
        };
        gauge(
            "purlin_balancer_backend_up",
            "1 for a backend that takes new clients.",
            &|view| f64::from(u8::from(view.status.condition == Condition::Up)),
        );
        gauge(
            "purlin_balancer_backend_in_flight",
            "Work that a backend has and has not ended.",
            &|view| f64::from(view.status.outstanding),
        );
        gauge(
            "purlin_balancer_backend_share",
            "Part of its weight that a backend gets, 0 to 1.",
            &|view| f64::from(view.status.share) / 1000.0,
        );
    }
}
