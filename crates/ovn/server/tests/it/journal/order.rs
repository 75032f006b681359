//! The order of the journal is that in which things happened.

use super::{JOURNAL, ended, entries, switch};
use crate::world::World;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// One after the other, each from where the one before ended.
async fn chain(world: &World, entries: &[Value], column: &str) -> Vec<Value> {
    let mut values = Vec::new();
    for entry in entries.iter().rev() {
        let id = entry["id"].as_str().expect("an id");
        let one = world.get(&format!("{JOURNAL}/{id}")).await;
        let step = &one["diff"][0]["columns"][column];
        if let Some(last) = values.last() {
            assert_eq!(last, &step["before"], "{entries:#?}");
        }
        values.push(step["after"].clone());
    }
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_overtaken_stands_after_what_overtook_it() {
    let world = World::new().await;
    switch(&world).await;
    let rule = json!({ "direction": "to-lport", "priority": 1, "match": "ip4", "action": "allow" });
    let path = "/api/v1/ovn/nb/ACL?parent=Logical_Switch/web";
    let rule = world.make(path, rule).await["row"]["_uuid"].clone();
    let path = format!("/api/v1/ovn/nb/ACL/{}", rule.as_str().expect("a UUID"));
    let set = async |priority: usize| {
        let answer = world.patch(&path, json!({ "priority": priority })).await;
        // Some are overtaken too often.
        usize::from(answer.status == 200)
    };
    let mut done = 0;
    for round in 1..6 {
        let all = (0..6).map(|n| set(round * 10 + n));
        done += join_all(all).await.into_iter().sum::<usize>();
    }
    let last = world.get(&path).await["priority"].clone();
    // What was overtaken for good is no entry, and the first one made the rule.
    let mut changes = ended(&world, "table=ACL", done + 1).await;
    changes.pop();
    assert_eq!(chain(&world, &changes, "priority").await.last(), Some(&last));
}

/// Who watches has thousands of rows to look at, and what was decided from them is on its way meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_did_stands_before_what_was_decided_from_it() {
    let world = World::new().await;
    switch(&world).await;
    let many: Vec<String> = (0..2_000).map(|n| format!("ls-add theirs-{n}")).collect();
    world.nbctl(&many.join(" -- "));
    let path = "/api/v1/ovn/nb/Logical_Switch/theirs-7";
    world.until(path, Value::is_object).await;
    let note = json!({ "other_config": { "mcast_snoop": "true" } });
    let ours = world.patch(path, note).await;
    assert_eq!(ours.status, 200, "{:#}", ours.body);
    ended(&world, "source=foreign", 1).await;
    let told: Vec<Value> = entries(&world, "").await;
    let sources: Vec<&Value> = told.iter().map(|entry| &entry["source"]).collect();
    assert_eq!(sources, ["purlin", "foreign", "purlin"], "{told:#?}");
    assert_eq!(told[0]["id"], ours.body["request"]);
    assert!(told[1]["at"].as_str() <= told[0]["at"].as_str());
}
