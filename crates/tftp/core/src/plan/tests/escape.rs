//! No name, rule or client leads out of a root.

use super::*;
use proptest::prelude::*;

fn is_inside(resolved: &Resolved) -> bool {
    match resolved {
        Resolved::File { root, path } => {
            let good = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['/', '\\', '\0']);
            root.is_absolute()
                && path.parts().all(good)
                && root.join(path.as_path()).starts_with(&**root)
                && root.components().all(|part| part.as_os_str() != "..")
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_escapes_through_any_map(
        name in "[./\\\\a-c:]{0,20}|\\PC{0,30}|(\\.\\./|[a-c]/|\\\\){0,6}",
        map in prop::collection::vec("(r|rg|rs|re|e|~e|rG) [./a-c^]{1,4} [./a-c]{0,4}(\\\\[0-1ixULEm./])?[./]{0,2}", 0..4),
        tree in "(\\\\[0imx]|/|\\.\\.|a){0,3}",
        write in any::<bool>(),
    ) {
        let Ok(mut rules) = crate::rule::hpa::parse(&map.join("\n")) else { return Ok(()) };
        if let Some(last) = rules.last_mut()
            && !tree.contains("..")
        {
            last.action = Action::Root(crate::rule::Replacement::parse(&format!("/srv/{tree}")));
        }
        let plan = plan(Files {
            root: Some("/srv/tftp".into()),
            rules,
            uploads: Uploads {
                allow: vec![crate::template::NamePattern::parse("**").unwrap()],
                ..Uploads::default()
            },
            ..Files::default()
        });
        let resolved = plan.resolve(&Ask { write, ..ask(&name) }, None);
        prop_assert!(is_inside(&resolved), "{name:?} {map:?} {resolved:?}");
        let other = plan.resolve(&Ask { write, client: "2001:db8::1".parse().unwrap(), ..ask(&name) }, None);
        prop_assert!(plan.depends_on_client(&name, write) || resolved == other, "{name:?} {map:?}");
    }
}
