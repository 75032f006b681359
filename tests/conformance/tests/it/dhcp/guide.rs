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
