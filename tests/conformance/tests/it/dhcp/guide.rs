//! Our answers to the guide about scaling, as pages.

/// The guide's sections each have theirs in our page about it.
#[test]
fn s0_1_the_scaling_guide_is_answered_section_by_section() {
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/operating/datacenter-scaling.md"
    );
    let page = std::fs::read_to_string(page).expect("the page is part of the project");
    for section in [
        "Scaling architecture",
        "Horizontal scaling",
        "Load distribution",
        "Auto-scaling",
        "Performance at scale",
        "Monitoring scaling",
        "Best practices",
    ] {
        assert!(page.contains(&format!("## {section}")), "{section}");
    }
}

/// So do those of the guide about sites, in a page that says what is not there.
#[test]
fn s0_56_s1_1_the_multi_site_guide_is_answered_section_by_section() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let read =
        |name: &str| std::fs::read_to_string(format!("{docs}/{name}")).expect("it is part of the project");
    assert!(read("operating/datacenter-scaling.md").contains("](multi-site.md)"));
    let page = read("operating/multi-site.md");
    for section in [
        "Multi-site architecture",
        "Configuration",
        "Site-aware allocation",
        "Cross-site failover",
        "Bandwidth optimization",
        "Monitoring",
        "Best practices",
    ] {
        assert!(page.contains(&format!("## {section}")), "{section}");
    }
    let Some(purlin) = purlin_conformance::purlin() else {
        return;
    };
    // What the page says that the program says.
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("sites.json");
    let sites = r#"{"dhcp": {"datacenter": {"multi_site": {"enabled": true, "local_site": "a",
        "sites": [{"name": "a", "nodes": ["n1"]}, {"name": "b", "nodes": ["n2"]}]}}}}"#;
    std::fs::write(&file, sites).expect("our own folder");
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(&purlin).args(arguments).output();
        let output = output.expect("the binary runs");
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        (output.status.code(), said.concat())
    };
    let (code, said) = run(&["config", "check", &file.to_string_lossy()]);
    assert_eq!(code, Some(0), "{said}");
    let warning = "warning[PUR-9110]: dhcp.datacenter.multi_site: `multi_site` takes no effect yet";
    assert!(said.contains(warning) && said.contains("1 warning"), "{said}");
    let (code, said) = run(&["as", "simple-dhcpd-datacenter", "--site-status"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not in Purlin"), "{said}");
}

/// The page that the guide links to is there, linked from our answer to the guide, and tells how to repeat what it says.
#[test]
fn s0_57_the_page_about_performance_is_linked_and_can_be_repeated() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let guide = std::fs::read_to_string(format!("{docs}/operating/datacenter-scaling.md"));
    assert!(
        guide
            .expect("it is part of the project")
            .contains("](../performance.md")
    );
    let page = std::fs::read_to_string(format!("{docs}/performance.md")).expect("it is part of the project");
    assert!(page.contains("## DHCPv4") && page.contains("### How to repeat it"));
    for script in page
        .split_whitespace()
        .filter(|word| word.starts_with("bench/") && word.ends_with(".sh"))
    {
        let there = std::path::Path::new(docs).with_file_name(script).exists();
        assert!(there, "{script} is named and not there");
    }
}
