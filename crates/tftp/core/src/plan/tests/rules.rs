//! Names changed by rules, in the notation of tftpd-hpa and with conditions on who asks.

use super::*;
use crate::rule::{Pattern, Replacement};
use crate::settings::{MacPrefix, Network, On};

/// The sample map that comes with tftpd-hpa, in its own order.
const SAMPLE: &str = "\
# comment
ri	^[a-z]:				# Remove \"drive letters\"
rg	\\\\		/		# Convert backslashes to slashes
rg	\\#		@		# Convert hash marks to @ signs
rg	/../		/..no../	# Convert /../ to /..no../
e	^ok/				# These are always ok
r	^[^/]		/tftpboot/\\0	# Convert non-absolute files
a	\\.pvt$				# Reject requests for private files
";

#[test]
fn the_sample_map_of_tftpd_hpa_does_what_its_comments_say() {
    let plan = mapped(SAMPLE);
    assert_eq!(read(&plan, "C:\\boot\\file"), "/srv/tftp:boot/file");
    assert_eq!(read(&plan, "c:a#b"), "/srv/tftp:tftpboot/a@b");
    assert_eq!(read(&plan, "ok/secret.pvt"), "/srv/tftp:ok/secret.pvt");
    assert_eq!(read(&plan, "secret.pvt"), "PUR-2406");
    assert_eq!(read(&plan, "/absolute"), "/srv/tftp:absolute");
    assert!(!plan.depends_on_client("C:\\boot\\file", false));
}

#[test]
fn every_flag_has_its_meaning() {
    let over = |map: &str, name: &str| read(&mapped(map), name);
    assert_eq!(over("r a b\nr b c", "a"), "/srv/tftp:c");
    assert_eq!(over("re a b\nr b c", "a"), "/srv/tftp:b");
    assert_eq!(over("ri BOOT x", "boot"), "/srv/tftp:x");
    assert_eq!(over("r a b", "aa"), "/srv/tftp:ba");
    assert_eq!(over("rg a b", "aa"), "/srv/tftp:bb");
    assert_eq!(over("rg xx x", "xxxxx"), "/srv/tftp:x");
    assert_eq!(over("r c d\nrs ^a c", "ac"), "/srv/tftp:dd");
    assert_eq!(over("~a ^images/", "images/x"), "/srv/tftp:images/x");
    assert_eq!(over("~a ^images/", "other"), "PUR-2406");
    assert_eq!(over("rP a b", "a"), "/srv/tftp:a");
    assert_eq!(over("rG a b", "a"), "/srv/tftp:b");
    assert_eq!(over("r4 a b", "a"), "/srv/tftp:b");
    assert_eq!(over("r6 a b", "a"), "/srv/tftp:a");
    assert_eq!(over("r ^(.*)$ \\L\\1", "Boot/BCD"), "/srv/tftp:boot/bcd");
    assert_eq!(over("r a\\ b x\\ y", "a b"), "/srv/tftp:x y");
}

#[test]
fn a_line_that_is_wrong_is_shown_where_it_is() {
    let wrong = |map: &str| {
        let faults = crate::rule::hpa::parse(map).unwrap_err();
        (faults[0].at, faults[0].message.clone())
    };
    assert_eq!(wrong("r a b\nrz a b").0, 7);
    assert!(wrong("r").1.contains("no pattern"));
    assert!(wrong("r~ a b").1.contains("exclude each other"));
    assert_eq!(wrong("r (a b").0, 2);
    assert!(wrong("r (a) \\2").1.contains("group"));
    assert!(wrong("r a b c").1.contains("more than three"));
    assert_eq!(crate::rule::hpa::parse("rq a\nrw a").unwrap_err().len(), 2);
}

#[test]
fn names_that_never_come_to_rest_are_refused() {
    for map in ["rg a aa", "rs a ba", "rs ^ x", "rg x* yx"] {
        let said = read(&mapped(map), "a");
        assert!(["PUR-2407", "PUR-2401"].contains(&said.as_str()), "{map}: {said}");
    }
    assert_eq!(read(&mapped("s ^a"), "a"), "PUR-2407");
    assert_eq!(read(&mapped("rg a a"), "a"), "/srv/tftp:a");
}

#[test]
fn a_tree_of_its_own_for_each_subnet_machine_and_address() {
    let rule = |who: Who, root: &str| Rule {
        who,
        pattern: Pattern::parse("", false).unwrap(),
        inverse: false,
        on: On::All,
        family: Family::Any,
        action: Action::Root(Replacement::parse(root)),
        restart: false,
        last: true,
    };
    let subnet = Who {
        networks: vec![Network {
            address: "10.9.0.0".parse().unwrap(),
            length: 16,
        }],
        macs: Vec::new(),
    };
    let maker = Who {
        networks: Vec::new(),
        macs: vec![MacPrefix::parse("52:54:00").unwrap()],
    };
    let plan = plan(Files {
        root: Some("/srv/tftp".into()),
        rules: vec![
            rule(subnet, "/srv/lab"),
            rule(maker, "/srv/vm/\\m"),
            rule(Who::default(), "/srv/ip/\\i"),
        ],
        ..Files::default()
    });
    let from = |client: &str, mac: Option<Mac>| {
        let facts = Facts {
            mac,
            ..Facts::default()
        };
        let ask = Ask {
            client: client.parse().unwrap(),
            ..ask("x")
        };
        place(&plan.resolve(&ask, Some(&facts)))
    };
    let vm = Some(Mac([0x52, 0x54, 0, 0, 0, 1]));
    assert_eq!(from("10.9.1.1", vm), "/srv/lab:x");
    assert_eq!(from("10.8.1.1", vm), "/srv/vm/52-54-00-00-00-01:x");
    assert_eq!(from("10.8.1.1", None), "/srv/ip/10.8.1.1:x");
    assert_eq!(from("::ffff:10.8.1.1", None), "/srv/ip/10.8.1.1:x");
    assert!(plan.depends_on_client("x", false) && plan.needs_facts("x"));
    assert_eq!(
        plan.roots(),
        [PathBuf::from("/srv/tftp"), PathBuf::from("/srv/lab")]
    );
}

#[test]
fn a_tree_named_by_the_client_cannot_lead_out() {
    let mut rules = crate::rule::hpa::parse("e ^([^/]*)/").unwrap();
    rules[0].action = Action::Root(Replacement::parse("/srv/trees/\\1"));
    let plan = plan(Files {
        rules,
        ..Files::default()
    });
    assert_eq!(read(&plan, "lab/x"), "/srv/trees/lab:lab/x");
    for name in ["../x", "./x", "/x", "..\\../x"] {
        assert_eq!(read(&plan, name), "PUR-2409", "{name}");
    }
}

#[test]
fn names_that_no_client_rule_fits_do_not_depend_on_the_client() {
    let plan = mapped("r ^menu\\.cfg$ menus/\\x.cfg\nr ^a b\nr ^b \\m/b\n");
    assert!(plan.depends_on_client("menu.cfg", false));
    assert!(!plan.depends_on_client("pxelinux.0", false));
    assert!(plan.needs_facts("a"), "the second rule leads to the third");
    assert!(!plan.needs_facts("pxelinux.0"));
    assert_eq!(read(&plan, "menu.cfg"), "/srv/tftp:menus/C00002A9.cfg");
}

#[test]
fn a_trace_tells_which_rules_worked() {
    let plan = mapped(SAMPLE);
    let traced = |name| -> Vec<(usize, String)> {
        let fitted = plan.trace(&ask(name), None);
        fitted.into_iter().map(|step| (step.rule, step.before)).collect()
    };
    assert_eq!(
        traced("C:\\x.pvt"),
        [
            (0, "C:\\x.pvt".into()),
            (1, "\\x.pvt".into()),
            (6, "/x.pvt".into())
        ]
    );
    assert_eq!(traced("plain"), [(5, "plain".into())]);
    assert_eq!(traced("a\nb"), []);
}
