//! `purlin ovn`: the virtual network, row by row, in the habits of the other commands.

mod backup;
mod diff;
mod document;
mod fields;
mod health;
mod journal;
mod lint;
mod raft;
mod rows;
mod status;
mod tables;
mod template;
mod topology;
mod trace;
mod watch;
mod write;

use super::{Context, ListArgs};
use crate::exit::Outcome;
use clap::Subcommand;

const LIST_EXAMPLES: &str = "Examples:
  purlin ovn list                            the tables, and how many rows each has
  purlin ovn ls switch                       logical switches; ls, lsp, lr, acl and 'Logical_Switch' do as well
  purlin ovn ls lsp --name web-1 -o yaml     a port by its name, with every column
  purlin ovn ls acl --columns priority,match,action --filter action=drop
  purlin ovn ls Chassis --sb                 hypervisors, from the southbound
  purlin ovn ls lsp --owned-by neutron -o name";

const GET_EXAMPLES: &str = "Examples:
  purlin ovn get switch web
  purlin ovn get acl 0b9e1c5e-... -o json
  purlin ovn get Port_Binding 6f1c... --sb";

const CREATE_EXAMPLES: &str = "Examples:
  purlin ovn create switch name=web other_config:subnet=10.0.0.0/24
  purlin ovn create lsp name=web-1 addresses='02:00:00:00:00:01 10.0.0.5' --parent switch/web --wait hv
  purlin ovn create acl direction=to-lport priority=1001 match='ip4.src == 10.0.0.9' action=drop \\
      --parent switch/web --dry-run
  purlin ovn create lsp -f port.json --parent switch/web

COLUMN=VALUE gives a column, COLUMN:KEY=VALUE one key of a map; the elements of a set are separated by commas, or
written as a JSON list.";

const SET_EXAMPLES: &str = "Examples:
  purlin ovn set switch web other_config:subnet=10.0.0.0/24      one key of a map, the others stay
  purlin ovn set lsp web-1 enabled=false --dry-run               only show what would change
  purlin ovn set pg web ports+=6f1c...,71aa...                   elements of a set; -= takes them out
  purlin ovn set switch web other_config-=subnet                 a key out of a map
  purlin ovn set lsp web-1 tag=null --wait sb                    nothing in a column
  purlin ovn set acl 0b9e... priority=900 --if-match 5f3a9c      only if nobody changed it since (_etag)";

const DELETE_EXAMPLES: &str = "Examples:
  purlin ovn delete lsp web-1 --dry-run
  purlin ovn rm switch web db --wait hv      both or neither, with their ports and ACLs";

const APPLY_EXAMPLES: &str = "Examples:
  purlin ovn apply -f changes.yaml --dry-run
  purlin ovn apply -f changes.json --wait hv --timeout 60
  generate | purlin ovn apply -f -
  purlin ovn apply -f shop.yaml --owner shop --prune     a document: how the rows of shop are to be

Changes, in JSON, YAML or TOML:
  changes:
    - { op: insert, table: Logical_Switch, as: web, columns: { name: web } }
    - { op: insert, table: Logical_Switch_Port, parent: Logical_Switch/$web, columns: { name: web-1 } }
    - { op: update, table: Logical_Router, row: edge, columns: { enabled: true } }
    - { op: add, table: Address_Set, row: admins, column: addresses, values: [10.0.0.9] }
    - { op: delete, table: Logical_Switch, row: old }
A document, which names rows and says only what is to be so:
  switches:
    - name: web
      ports: [{ name: web-1, addresses: ['02:00:00:00:00:01 10.0.0.5'] }]
All of it happens, or nothing.";

const LINT_EXAMPLES: &str = "Examples:
  purlin ovn lint
  purlin ovn lint --filter severity=error -o json

Ends with 1 when something is broken; warnings alone end with 0.";

const WATCH_EXAMPLES: &str = "Examples:
  purlin ovn watch                           every change of the northbound, as it happens
  purlin ovn watch lsp -o json | jq .        only ports
  purlin ovn watch --after 5c1f.17           what came after that event, then what follows";

const HEALTH_EXAMPLES: &str = "Examples:
  purlin ovn health
  purlin ovn health --watch
  purlin ovn health -o json | jq .alarms

Ends with 1 when an alarm is critical.";

const STATUS_EXAMPLES: &str = "Examples:
  purlin ovn status
  purlin ovn status --watch
  purlin ovn status -o json | jq .northbound.members

Ends with 1 when a database is not followed.";

const TRACE_EXAMPLES: &str = "Examples:
  purlin ovn trace web-1 web-2                     an echo request from one port to another
  purlin ovn trace web-1 web-2 tcp/22              which ACL drops it?
  purlin ovn trace web-1 192.0.2.7 udp/53 --raw    to an address, with the words of ovn-trace
  purlin ovn trace web-1 --microflow 'eth.dst == 02:00:00:00:00:12 && ip4.dst == 10.0.0.12 && ip.ttl == 1'

Ends with 1 when it does not arrive.";

const MATRIX_EXAMPLES: &str = "Examples:
  purlin ovn matrix web-1 web-2 db-1 --protocol icmp,tcp/22
  purlin ovn matrix --switch web --to db-1 --protocol tcp/5432 --filter allowed=false
  purlin ovn matrix --group guarded --confirm all -o json";

const WHAT_IF_EXAMPLES: &str = "Examples:
  purlin ovn what-if -f changes.yaml --trace web-1,web-2,tcp/22
  generate | purlin ovn what-if -f - -o json | jq .flows

The file is that of `purlin ovn apply`. It is tried on copies of the databases: nothing is changed.";

const TOPOLOGY_EXAMPLES: &str = "Examples:
  purlin ovn topology                                  switches and routers, and what joins them
  purlin ovn topology --format svg --ports > net.svg
  purlin ovn topology --format dot | dot -Tpng > net.png
  purlin ovn topology --around web-1 --depth 2 --ports -o json";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the databases, the members of their clusters, and how far what is read can be trusted.
    #[command(after_help = STATUS_EXAMPLES)]
    Status(ListArgs),
    /// List the rows of a table; without one, the tables.
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List(rows::Wanted),
    /// Show one row with all its columns, by UUID or name.
    #[command(after_help = GET_EXAMPLES)]
    Get(rows::Row),
    /// Make a row.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(write::Create),
    /// Change columns of a row, single keys of its maps, single elements of its sets.
    #[command(after_help = SET_EXAMPLES)]
    Set(write::Set),
    /// Take rows away, and all that cannot be without them.
    #[command(visible_alias = "rm", after_help = DELETE_EXAMPLES)]
    Delete(write::Delete),
    /// Make the changes of a file, or put an owner's document into force, as one transaction.
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(write::Apply),
    /// Show what `apply` would change.
    #[command(after_help = document::PLAN_EXAMPLES)]
    Plan(document::Plan),
    /// Compare the network with the documents that are in force.
    #[command(after_help = document::DRIFT_EXAMPLES)]
    Drift(document::Drift),
    /// Write an owner's rows as the document that would make them.
    #[command(after_help = document::EXPORT_EXAMPLES)]
    Export(document::Export),
    /// Who changed what: every transaction with its difference.
    #[command(subcommand)]
    Journal(journal::Command),
    /// Take a transaction back, or everything since one.
    #[command(after_help = journal::UNDO_EXAMPLES)]
    Undo(journal::Undo),
    /// Sets of rules with typed variables.
    #[command(subcommand)]
    Template(template::Command),
    /// Backups of every table, and their way back.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Check every row that is there: broken matches, shadowed rules, addresses in use twice.
    #[command(after_help = LINT_EXAMPLES)]
    Lint(ListArgs),
    /// Whether what is written arrives: clusters, ovn-northd, hypervisors; what is wrong, and what helps.
    #[command(after_help = HEALTH_EXAMPLES)]
    Health(ListArgs),
    /// List the hypervisors: what each has taken over, since when not, its ports.
    #[command(after_help = "Examples:
  purlin ovn chassis
  purlin ovn chassis --stale -o name")]
    Chassis(health::Chassis),
    /// Ask ovn-northd and every hypervisor for a sign of life, and wait for it.
    #[command(after_help = "Examples:
  purlin ovn sync                            ends with 1 when one of them did not answer in time
  purlin ovn sync --sb --timeout 60")]
    Sync(health::Sync),
    /// The clusters of the databases: members, compaction, elections, who leaves.
    #[command(subcommand)]
    Raft(raft::Command),
    /// Follow a packet through the network, and say which row ends it.
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(trace::Trace),
    /// Say who reaches whom.
    #[command(after_help = MATRIX_EXAMPLES)]
    Matrix(trace::Matrix),
    /// Show what a change would do to flows, packets and pairs, without making it.
    #[command(after_help = WHAT_IF_EXAMPLES)]
    WhatIf(trace::WhatIf),
    /// Show the network as a graph.
    #[command(after_help = TOPOLOGY_EXAMPLES)]
    Topology(topology::Args),
    /// Show changes of the northbound as they happen.
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(watch::Args),
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    context.block_on(answered(command, context))
}

async fn answered(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Status(args) => status::run(args, context).await,
        Command::List(wanted) => rows::list(wanted, context).await,
        Command::Get(row) => rows::get(row, context).await,
        Command::Create(create) => create.run(context).await,
        Command::Set(set) => set.run(context).await,
        Command::Delete(delete) => delete.run(context).await,
        Command::Apply(apply) => apply.run(context).await,
        Command::Plan(plan) => plan.run(context).await,
        Command::Drift(drift) => drift.run(context).await,
        Command::Export(export) => export.run(context).await,
        Command::Journal(command) => journal::run(command, context).await,
        Command::Undo(undo) => undo.run(context).await,
        Command::Template(command) => template::run(command, context).await,
        Command::Backup(command) => backup::run(command, context).await,
        Command::Lint(args) => lint::run(args, context).await,
        Command::Health(args) => health::health(args, context).await,
        Command::Chassis(args) => health::chassis(args, context).await,
        Command::Sync(args) => health::sync(args, context).await,
        Command::Raft(command) => raft::run(command, context).await,
        Command::Trace(trace) => trace.run(context).await,
        Command::Matrix(matrix) => matrix.run(context).await,
        Command::WhatIf(what_if) => what_if.run(context).await,
        Command::Topology(args) => topology::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
    }
}

/// A time to wait in whole seconds: `10`, or as everywhere else `10s`, `2m`.
fn seconds(text: &str) -> Result<u64, String> {
    let seconds = match text.parse() {
        Ok(seconds) => seconds,
        Err(_) => purlin_config::parse_duration(text)?.as_secs(),
    };
    if (1..=120).contains(&seconds) {
        return Ok(seconds);
    }
    Err("between 1s and 2m is possible".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_to_wait_are_seconds_or_have_a_unit() {
        for (text, wanted) in [("10", 10), ("10s", 10), ("2m", 120)] {
            assert_eq!(seconds(text), Ok(wanted), "{text}");
        }
        for text in ["0", "3m", "soon", "10 parsecs", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
