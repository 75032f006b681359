//! The platform's numbers.

use crate::platform::Platform;
use purlin_telemetry::metrics::{Collector, Encoder};

/// How the databases are, for Prometheus.
#[derive(Debug, Clone)]
pub struct OvnMetrics(pub Platform);

impl Collector for OvnMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        crate::operations::metrics::collect(&self.0, encoder);
        let sides = self.0.sides();
        let mut live = encoder.gauge("purlin_ovn_live", "Whether the copy of the database follows it.");
        for side in &sides {
            live.value(
                &[("database", &side.database)],
                f64::from(u8::from(side.rows.snapshot().is_live())),
            );
        }
        let mut rows = encoder.gauge("purlin_ovn_rows", "Rows in the copy.");
        for side in &sides {
            rows.value(
                &[("database", &side.database)],
                side.rows.snapshot().database.len() as f64,
            );
        }
        let mut members = encoder.gauge(
            "purlin_ovn_members_connected",
            "Members of the database's cluster that are connected.",
        );
        for side in &sides {
            let connected = side
                .client
                .members()
                .iter()
                .filter(|(_, member)| member.connected)
                .count();
            members.value(&[("database", &side.database)], connected as f64);
        }
        let mut loads = encoder.counter(
            "purlin_ovn_loads_total",
            "Times the copy was loaded whole, or only with what it had missed.",
        );
        for side in &sides {
            let snapshot = side.rows.snapshot();
            loads.count(
                &[("database", &side.database), ("kind", "whole")],
                snapshot.reloads,
            );
            loads.count(
                &[("database", &side.database), ("kind", "missed")],
                snapshot.resumes,
            );
        }
    }
}
