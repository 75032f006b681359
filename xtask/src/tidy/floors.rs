//! Which crate may know which: arrows only go down, services do not know each other, heavy libraries hang from leaves.

use crate::repo::Package;

/// Folder and floor. `xtask` and everything under `tests/` stand beside the house.
const FLOORS: &[(&str, u8)] = &[
    ("crates/types", 0),
    ("crates/telemetry", 0),
    ("crates/heap", 0),
    ("crates/netio", 0),
    ("crates/load", 0),
    ("crates/config", 1),
    ("crates/store", 1),
    ("crates/fabric/core", 1),
    ("crates/ovn/ovsdb", 1),
    ("crates/chain/proto", 1),
    ("crates/dhcp/proto", 1),
    ("crates/tftp/proto", 1),
    ("crates/chain/core", 2),
    ("crates/chain/signatures", 2),
    ("crates/dhcp/core", 2),
    ("crates/ovn/core", 2),
    ("crates/tftp/core", 2),
    ("crates/fabric/runtime", 3),
    ("crates/chain/bft", 3),
    ("crates/chain/client", 3),
    ("crates/chain/evm", 3),
    ("crates/chain/peers", 3),
    ("crates/ovn/embedded", 3),
    ("crates/ovn/nbctl", 3),
    ("crates/store/embedded", 3),
    ("crates/store/postgres", 3),
    ("crates/dhcp/client", 3),
    ("crates/tftp/client", 3),
    ("crates/tftp/files", 3),
    ("crates/api", 4),
    ("crates/fabric/mesh", 4),
    ("crates/fabric/redis", 4),
    ("crates/accounts", 5),
    ("crates/balancer", 5),
    ("crates/chain/server", 5),
    ("crates/dhcp/server", 5),
    ("crates/fabric/server", 5),
    ("crates/ovn/server", 5),
    ("crates/tftp/server", 5),
    ("bin/purlin", 6),
];

/// On floor 0, only these arrows: `types` is the ground of the ground.
const GROUND: &str = "crates/types";

/// Rooms of which no other may know.
const SERVICES: &[&str] = &[
    "crates/dhcp/",
    "crates/tftp/",
    "crates/ovn/",
    "crates/chain/",
    "crates/infra/",
];

/// Libraries that take long to build or bring a world along, and the only crates that may name them.
const HEAVY: &[(&str, &[&str])] = &[
    ("argon2", &["crates/api", "crates/ovn/server"]),
    (
        "axum",
        &[
            "crates/accounts",
            "crates/api",
            "crates/balancer",
            "crates/chain/server",
            "crates/dhcp/server",
            "crates/fabric/mesh",
            "crates/fabric/server",
            "crates/ovn/server",
            "crates/tftp/server",
        ],
    ),
    ("arc-malachitebft-core-consensus", &["crates/chain/bft"]),
    ("clap", &["bin/purlin"]),
    ("fjall", &["crates/store/embedded"]),
    (
        "hyper",
        &[
            "crates/accounts",
            "crates/api",
            "crates/chain/client",
            "crates/fabric/mesh",
            "crates/tftp/server",
            "bin/purlin",
        ],
    ),
    ("kube", &["bin/purlin"]),
    ("libc", &["crates/heap", "crates/netio"]),
    ("mimalloc", &["crates/heap"]),
    // For its tests only, fabric/redis: a server with a certificate of its own.
    (
        "rcgen",
        &[
            "crates/api",
            "crates/chain/peers",
            "crates/fabric/mesh",
            "crates/fabric/redis",
        ],
    ),
    ("jsonrpsee", &["crates/chain/server"]),
    ("redb", &["crates/chain/evm", "crates/store/embedded"]),
    ("redis", &["crates/fabric/redis"]),
    ("revm", &["crates/chain/evm", "crates/chain/server"]),
    ("revm-inspectors", &["crates/chain/server"]),
    (
        "ring",
        &[
            "crates/accounts",
            "crates/api",
            "crates/dhcp/server",
            "crates/fabric/mesh",
            "crates/ovn/embedded",
            "crates/ovn/server",
        ],
    ),
    (
        "rustls",
        &[
            "crates/accounts",
            "crates/api",
            "crates/chain/peers",
            "crates/fabric/mesh",
            "crates/fabric/redis",
            "crates/ovn/ovsdb",
            "crates/store/postgres",
            "bin/purlin",
        ],
    ),
    (
        "tokio",
        &[
            "crates/accounts",
            "crates/api",
            "crates/balancer",
            "crates/chain/client",
            "crates/chain/peers",
            "crates/chain/server",
            "crates/dhcp/server",
            "crates/fabric/mesh",
            "crates/fabric/redis",
            "crates/fabric/runtime",
            "crates/fabric/server",
            "crates/ovn/embedded",
            "crates/ovn/nbctl",
            "crates/ovn/ovsdb",
            "crates/ovn/server",
            "crates/store/postgres",
            "crates/tftp/server",
            "bin/purlin",
        ],
    ),
    ("stateright", &["crates/fabric/core"]),
    ("tokio-postgres", &["crates/store/postgres"]),
    ("toml_edit", &["bin/purlin"]),
    ("utoipa", &["crates/api"]),
];

pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages.iter().filter(|package| !beside(&package.folder)) {
        let Some(floor) = floor(&package.folder) else {
            faults.push(format!(
                "{} stands on no floor: add it to xtask/src/tidy/floors.rs",
                package.folder
            ));
            continue;
        };
        let inner = package
            .dependencies
            .iter()
            .filter_map(|name| packages.iter().find(|p| &p.name == name));
        faults.extend(inner.filter_map(|to| arrow(package, floor, to)));
        faults.extend(
            package
                .dependencies
                .iter()
                .filter_map(|name| heavy(package, name)),
        );
    }
    faults
}

/// Every crate has its sentence in the code map.
pub(super) fn on_the_map(packages: &[Package], architecture: &str) -> Vec<String> {
    let missing = packages
        .iter()
        .filter(|package| !architecture.contains(&format!("`{}`", package.folder)));
    missing
        .map(|package| {
            format!(
                "`{}` is missing in the code map of ARCHITECTURE.md",
                package.folder
            )
        })
        .collect()
}

fn beside(folder: &str) -> bool {
    folder == "xtask" || folder.starts_with("tests/")
}

fn floor(folder: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == folder)
        .map(|(_, floor)| *floor)
}

fn arrow(from: &Package, floor_from: u8, to: &Package) -> Option<String> {
    if service(&from.folder).is_some_and(|own| service(&to.folder).is_some_and(|other| own != other)) {
        return Some(format!(
            "{} depends on {}: no service knows another service",
            from.folder, to.folder
        ));
    }
    if beside(&to.folder) {
        return Some(format!(
            "{} depends on {}, which stands beside the house",
            from.folder, to.folder
        ));
    }
    let floor_to = floor(&to.folder)?;
    let down = floor_to < floor_from || (to.folder == GROUND && from.folder != GROUND);
    (!down).then(|| {
        let (from, to) = (&from.folder, &to.folder);
        format!("{from} (floor {floor_from}) depends on {to} (floor {floor_to}): arrows only go down")
    })
}

fn service(folder: &str) -> Option<&'static str> {
    SERVICES
        .iter()
        .copied()
        .find(|service| folder.starts_with(service))
}

fn heavy(package: &Package, name: &str) -> Option<String> {
    let (_, allowed) = HEAVY.iter().find(|(heavy, _)| *heavy == name)?;
    (!allowed.contains(&package.folder.as_str())).then(|| {
        format!(
            "{} depends on {name}, which only {} may",
            package.folder,
            allowed.join(" and ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, dependencies: &[&str]) -> Package {
        let dependencies = dependencies.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies,
        }
    }

    #[test]
    fn an_arrow_up_is_named() {
        let packages = [
            package("core", "crates/dhcp/core", &["api"]),
            package("api", "crates/api", &[]),
        ];
        let expected = "crates/dhcp/core (floor 2) depends on crates/api (floor 4): arrows only go down";
        assert_eq!(check(&packages), [expected]);
    }

    #[test]
    fn arrows_down_and_to_the_ground_are_good() {
        let packages = [
            package("types", "crates/types", &[]),
            package("telemetry", "crates/telemetry", &["types"]),
            package("core", "crates/dhcp/core", &["telemetry", "types", "hashbrown"]),
            package("it", "tests/conformance", &["core"]),
        ];
        assert_eq!(check(&packages), Vec::<String>::new());
    }

    #[test]
    fn neighbours_on_a_floor_do_not_know_each_other() {
        let packages = [
            package("store", "crates/store", &["config"]),
            package("config", "crates/config", &[]),
        ];
        assert_eq!(check(&packages).len(), 1);
    }

    #[test]
    fn services_do_not_know_each_other() {
        let (dhcp, tftp) = (
            package("d", "crates/dhcp/server", &["t"]),
            package("t", "crates/tftp/core", &[]),
        );
        assert!(
            arrow(&dhcp, 5, &tftp)
                .unwrap()
                .contains("no service knows another service")
        );
    }

    #[test]
    fn heavy_libraries_hang_from_leaves() {
        let packages = [package("core", "crates/dhcp/core", &["tokio"])];
        assert!(check(&packages)[0].starts_with("crates/dhcp/core depends on tokio, which only"));
    }

    #[test]
    fn a_crate_without_a_floor_or_a_sentence_is_named() {
        let packages = [package("new", "crates/new", &[])];
        assert!(check(&packages)[0].contains("stands on no floor"));
        assert_eq!(
            on_the_map(&packages, "- `crates/new` does things"),
            Vec::<String>::new()
        );
        assert_eq!(on_the_map(&packages, "- `crates/newer`").len(), 1);
    }
}
