//! The page about the simulator names every rule.

use purlin_sim::RULES;

#[test]
fn the_page_names_every_rule_with_what_is_left_out() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating/simulator.md");
    let page = std::fs::read_to_string(page).expect("the page is in the repository");
    for rule in RULES {
        let row = format!("| `{}` | {} | {} |", rule.name, rule.of, rule.without);
        assert!(
            page.contains(&row),
            "docs/operating/simulator.md has no row that begins with {row}"
        );
    }
}
