//! Kernel parameters, held against the file that is shipped for /etc/sysctl.d.

use super::Finding;
use std::path::PathBuf;

const CHECK: &str = "kernel";
const SHIPPED: &str = include_str!("../../../../deploy/sysctl/90-purlin.conf");
/// The one parameter that is a range.
const PORTS: &str = "net.ipv4.ip_local_port_range";

/// A parameter as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    name: &'static str,
    value: &'static str,
}

pub(super) fn check() -> Vec<Finding> {
    let wanted: Vec<Wanted> = shipped().collect();
    let mut findings: Vec<Finding> = wanted
        .iter()
        .filter_map(|one| one.shortfall(&present(one.name)?))
        .collect();
    if findings.is_empty() {
        let said = format!(
            "{} parameters are as deploy/sysctl/90-purlin.conf has them",
            wanted.len()
        );
        findings.push(Finding::pass(CHECK, said));
    }
    findings
}

/// How many parameters fall short; for the checklist.
pub(super) fn short() -> usize {
    let low = |one: &Wanted| present(one.name).is_some_and(|value| one.shortfall(&value).is_some());
    shipped().filter(low).count()
}

fn shipped() -> impl Iterator<Item = Wanted> {
    SHIPPED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| Wanted {
            name: name.trim(),
            value: value.trim(),
        })
}

/// The value now; `None` where this kernel or container has no such parameter.
fn present(name: &str) -> Option<String> {
    let path = PathBuf::from("/proc/sys").join(name.replace('.', "/"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

impl Wanted {
    /// A warning when the present value is less than the shipped one. More is as good.
    fn shortfall(self, present: &str) -> Option<Finding> {
        if size(self.name, present)? >= size(self.name, self.value)? {
            return None;
        }
        let said = format!("{} is {present}; {} is wanted", self.name, self.value);
        let quoted = if self.value.contains(' ') { "\"" } else { "" };
        let fix = format!(
            "sysctl -w {}={quoted}{}{quoted}, or copy deploy/sysctl/90-purlin.conf to /etc/sysctl.d",
            self.name, self.value
        );
        Some(Finding::warn(CHECK, said, fix))
    }
}

/// A number, or how many ports a range has.
fn size(name: &str, value: &str) -> Option<u64> {
    if name != PORTS {
        return value.parse().ok();
    }
    let (first, last) = value.split_once(' ')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.trim().parse().ok()?);
    (last + 1).checked_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    fn wanted(name: &str) -> Wanted {
        shipped().find(|one| one.name == name).expect("the file has it")
    }

    fn warned(name: &str, present: &str, fix: &str) {
        let finding = wanted(name).shortfall(present).expect("it is less");
        assert_eq!(finding.grade, Grade::Warn);
        assert!(finding.fix.starts_with(fix), "{}", finding.fix);
    }

    #[test]
    fn s2_64_somaxconn_is_shipped_and_compared() {
        assert_eq!(wanted("net.core.somaxconn").value, "65535");
        warned("net.core.somaxconn", "4096", "sysctl -w net.core.somaxconn=65535");
        assert!(wanted("net.core.somaxconn").shortfall("65535").is_none());
    }

    #[test]
    fn s2_65_the_syn_backlog_is_shipped_and_compared() {
        assert_eq!(wanted("net.ipv4.tcp_max_syn_backlog").value, "65535");
        warned(
            "net.ipv4.tcp_max_syn_backlog",
            "512",
            "sysctl -w net.ipv4.tcp_max_syn_backlog=65535",
        );
    }

    #[test]
    fn s2_66_the_port_range_is_shipped_and_compared_by_its_width() {
        assert_eq!(wanted(PORTS).value, "10000 65535");
        warned(
            PORTS,
            "32768 60999",
            "sysctl -w net.ipv4.ip_local_port_range=\"10000 65535\"",
        );
        assert!(
            wanted(PORTS).shortfall("1024 65535").is_none(),
            "more ports are as good"
        );
    }

    #[test]
    fn s2_67_file_max_is_shipped_and_compared() {
        assert_eq!(wanted("fs.file-max").value, "2097152");
        warned("fs.file-max", "100000", "sysctl -w fs.file-max=2097152");
        assert!(wanted("fs.file-max").shortfall("9223372036854775807").is_none());
    }

    #[test]
    fn the_parameters_of_this_machine_can_be_read() {
        assert!(present("net.core.somaxconn").is_some());
        assert_eq!(present("no.such.parameter"), None);
        assert!(!check().is_empty());
    }
}
