//! What each node of a cluster keeps for itself, while all else is the cluster's configuration.

use purlin_api::revisions::Own;

/// Who the node is, how it is reached, how it reaches the others, and what its machine has. See
/// docs/adr/0010-one-configuration.md.
pub(crate) const PATHS: Own = Own(&[
    "node",
    "api",
    "log",
    "store",
    "coordination",
    "cluster",
    "balancer",
    "dhcp.listen",
    "dhcp.interfaces",
    "dhcp.threads",
    "tftp.listen",
    "tftp.threads",
    "tftp.http.listen",
    "tftp.http.https",
    "chain.http",
    "chain.websocket",
]);

/// Whether a key, or the section that it is in, is each node's own.
pub(crate) fn is_own(path: &str) -> bool {
    let covers = |own: &&str| {
        path.strip_prefix(*own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    PATHS.0.iter().any(covers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A binary knows the keys of the services that it was built with.
    #[cfg(all(feature = "dhcp", feature = "tftp", feature = "chain"))]
    #[test]
    fn every_own_key_is_a_key_that_exists() {
        use purlin_config::Document;
        let sections = crate::settings::all_sections();
        for path in PATHS.0 {
            let known = sections.iter().any(|section| section.name == *path)
                || purlin_config::explain(&Document::empty(), &sections, path).is_some();
            assert!(known, "{path}");
        }
    }

    #[test]
    fn what_lies_in_an_own_section_is_own() {
        assert!(is_own("api.http") && is_own("cluster") && is_own("dhcp.listen"));
        assert!(!is_own("dhcp") && !is_own("dhcp.listener") && !is_own("nodes"));
    }
}
