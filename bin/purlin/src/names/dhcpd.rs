//! `simple-dhcpd-datacenter`: the DHCP service's cluster commands.

use super::{cluster, later};
use crate::cli::{Context, Globals};
use crate::exit::Outcome;
use clap::{ArgGroup, Parser};

/// Cluster commands of the DHCP service; a node itself is started by `purlin up`.
#[derive(Debug, Parser)]
#[command(name = "simple-dhcpd-datacenter", version, arg_required_else_help = true)]
#[command(group(ArgGroup::new("command").required(true).args(["add_node", "remove_node", "cluster_status", "node_status", "site_status"])))]
#[command(after_help = "Examples:
  simple-dhcpd-datacenter --cluster-status
  simple-dhcpd-datacenter --cluster-status -o json
  simple-dhcpd-datacenter --add-node node4.example.com
  simple-dhcpd-datacenter --remove-node node4.example.com")]
pub(super) struct Command {
    /// Let a machine become a node of the cluster: prints a token for it, and what to run there.
    #[arg(long, value_name = "NODE")]
    add_node: Option<String>,
    /// Take a node out of the cluster; its leases are handed over first.
    #[arg(long, value_name = "NODE")]
    remove_node: Option<String>,
    /// With --remove-node: do not wait for the node; fence it.
    #[arg(long, requires = "remove_node", conflicts_with_all = ["add_node", "cluster_status", "node_status", "site_status"])]
    force: bool,
    /// Show the nodes of the cluster, their roles and health.
    #[arg(long)]
    cluster_status: bool,
    /// Show one node.
    #[arg(long, value_name = "NODE")]
    node_status: Option<String>,
    /// Show the sites and how they replicate.
    #[arg(long)]
    site_status: bool,
    #[command(flatten)]
    globals: Globals,
}

pub(super) fn daemon(command: Command) -> Outcome {
    let context = Context::new(command.globals);
    if command.cluster_status {
        return context.block_on(cluster::status(&context));
    }
    if let Some(node) = command.node_status {
        return context.block_on(cluster::node(&context, &node));
    }
    if let Some(node) = command.add_node {
        return context.block_on(cluster::add(&context, &node));
    }
    if let Some(node) = command.remove_node {
        return context.block_on(cluster::remove(&context, &node, command.force));
    }
    later("replication between sites", "use --cluster-status for this node")
}
