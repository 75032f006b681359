//! The templates that come with Purlin.

use super::{Direction, Kind, Template, TemplateRule, Variable};

/// All of them, in the order in which they are shown.
pub fn builtins() -> Vec<Template> {
    vec![
        web_server(),
        database_server(),
        microservice(),
        dmz(),
        zero_trust(),
        k8s_pod(),
    ]
}

fn template(id: &str, name: &str, category: &str, description: &str) -> Template {
    Template {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        category: category.to_owned(),
        tags: id.split('-').map(str::to_owned).collect(),
        variables: vec![variable(
            "group",
            Kind::PortGroup,
            "The ports that the rules are for",
            None,
            "web_ports",
        )],
        rules: Vec::new(),
    }
}

fn variable(name: &str, kind: Kind, description: &str, default: Option<&str>, example: &str) -> Variable {
    Variable {
        name: name.to_owned(),
        kind,
        description: description.to_owned(),
        default: default.map(str::to_owned),
        example: example.to_owned(),
    }
}

impl Template {
    fn asks(mut self, variable: Variable) -> Self {
        self.variables.push(variable);
        self
    }

    fn rule(
        mut self,
        name: &str,
        direction: Direction,
        priority: u16,
        expression: &str,
        action: &str,
    ) -> Self {
        self.rules.push(TemplateRule {
            name: name.to_owned(),
            direction,
            priority,
            expression: expression.to_owned(),
            action: action.to_owned(),
            log: false,
        });
        self
    }

    /// The ports may ask name servers.
    fn asking_names(self) -> Self {
        self.rule(
            "allow-dns",
            OUT,
            2000,
            "inport == {{group}} && (udp.dst == 53 || tcp.dst == 53)",
            ALLOW,
        )
    }

    /// What no rule allows neither leaves the ports nor reaches them.
    fn closed_both_ways(self) -> Self {
        self.rule("drop-outward", OUT, 1000, "inport == {{group}} && ip", "drop")
            .closed()
    }

    /// What no rule allows does not reach the ports.
    fn closed(self) -> Self {
        self.rule(
            "drop-rest",
            Direction::Ingress,
            1000,
            "outport == {{group}} && ip",
            "drop",
        )
    }
}

const IN: Direction = Direction::Ingress;
const OUT: Direction = Direction::Egress;
const ALLOW: &str = "allow-related";
const ANY: Option<&str> = Some("0.0.0.0/0");

fn web_server() -> Template {
    template(
        "web-server",
        "Web server",
        "application",
        "Web traffic from everywhere, administration from a few",
    )
    .asks(variable(
        "ports",
        Kind::PortNumbers,
        "Ports of the service",
        Some("80, 443"),
        "80, 443",
    ))
    .asks(variable(
        "admins",
        Kind::Ipv4,
        "Who may use SSH",
        None,
        "10.0.0.0/24",
    ))
    .rule(
        "allow-web",
        IN,
        2000,
        "outport == {{group}} && ip && tcp.dst == {{ports}}",
        ALLOW,
    )
    .rule(
        "allow-ssh",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{admins}} && tcp.dst == 22",
        ALLOW,
    )
    .rule(
        "allow-ping",
        IN,
        1900,
        "outport == {{group}} && (icmp4.type == 8 || icmp6.type == 128)",
        ALLOW,
    )
    .closed()
}

fn database_server() -> Template {
    template(
        "database-server",
        "Database server",
        "application",
        "Reached by its applications only, and reaching nobody",
    )
    .asks(variable(
        "ports",
        Kind::PortNumbers,
        "Ports of the database",
        Some("5432"),
        "5432",
    ))
    .asks(variable(
        "clients",
        Kind::Ipv4,
        "The applications",
        None,
        "10.0.1.0/24",
    ))
    .rule(
        "allow-clients",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{clients}} && tcp.dst == {{ports}}",
        ALLOW,
    )
    .closed_both_ways()
}

fn microservice() -> Template {
    template(
        "microservice",
        "Microservice",
        "application",
        "One service among others: called by some ports, calling some",
    )
    .asks(variable(
        "ports",
        Kind::PortNumbers,
        "Ports of the service",
        Some("8080"),
        "8080",
    ))
    .asks(variable(
        "callers",
        Kind::AddressSet,
        "Addresses of those who call it",
        None,
        "frontends_ip4",
    ))
    .asks(variable(
        "backends",
        Kind::AddressSet,
        "Addresses of those whom it calls",
        None,
        "backends_ip4",
    ))
    .rule(
        "allow-callers",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{callers}} && tcp.dst == {{ports}}",
        ALLOW,
    )
    .rule(
        "allow-backends",
        OUT,
        2000,
        "inport == {{group}} && ip4.dst == {{backends}} && tcp",
        ALLOW,
    )
    .asking_names()
    .closed_both_ways()
}

fn dmz() -> Template {
    template(
        "dmz",
        "Outer zone",
        "network",
        "Reached from outside, never reaching inside by itself",
    )
    .asks(variable(
        "ports",
        Kind::PortNumbers,
        "Ports that are open to the outside",
        Some("80, 443"),
        "80, 443",
    ))
    .asks(variable(
        "outside",
        Kind::Ipv4,
        "Who counts as outside",
        ANY,
        "0.0.0.0/0",
    ))
    .asks(variable(
        "inside",
        Kind::Ipv4,
        "Networks that must not be reached",
        None,
        "10.0.0.0/8",
    ))
    .rule(
        "allow-outside",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{outside}} && tcp.dst == {{ports}}",
        ALLOW,
    )
    .rule(
        "drop-inward",
        OUT,
        2000,
        "inport == {{group}} && ip4.dst == {{inside}}",
        "drop",
    )
    .rule("allow-outward", OUT, 1000, "inport == {{group}} && ip", ALLOW)
    .closed()
}

fn zero_trust() -> Template {
    template(
        "zero-trust",
        "Nothing by default",
        "security",
        "All is dropped in both directions but what is named",
    )
    .asks(variable(
        "peers",
        Kind::Ipv4,
        "Who may talk with the ports",
        None,
        "10.0.2.10, 10.0.2.11",
    ))
    .asks(variable(
        "ports",
        Kind::PortNumbers,
        "On which ports",
        None,
        "443",
    ))
    .rule(
        "allow-peers",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{peers}} && tcp.dst == {{ports}}",
        ALLOW,
    )
    .rule(
        "allow-to-peers",
        OUT,
        2000,
        "inport == {{group}} && ip4.dst == {{peers}} && tcp.dst == {{ports}}",
        ALLOW,
    )
    .closed_both_ways()
}

fn k8s_pod() -> Template {
    template(
        "k8s-pod",
        "Pods of Kubernetes",
        "kubernetes",
        "Pods that talk with each other, with DNS and with the API",
    )
    .asks(variable(
        "pods",
        Kind::Ipv4,
        "The network of the pods",
        None,
        "10.244.0.0/16",
    ))
    .asks(variable(
        "api",
        Kind::Ipv4,
        "Addresses of the API",
        None,
        "10.96.0.1",
    ))
    .rule(
        "allow-pods",
        IN,
        2000,
        "outport == {{group}} && ip4.src == {{pods}}",
        ALLOW,
    )
    .rule(
        "allow-to-pods",
        OUT,
        2000,
        "inport == {{group}} && ip4.dst == {{pods}}",
        ALLOW,
    )
    .asking_names()
    .rule(
        "allow-api",
        OUT,
        2000,
        "inport == {{group}} && ip4.dst == {{api}} && tcp.dst == {443, 6443}",
        ALLOW,
    )
    .closed_both_ways()
}
