//! Loss, delay, partitions and power cuts at random; then calm, in which all must have caught up.

use crate::world::{World, ms};
use std::time::Duration;

/// How many seeds; `PURLIN_SEEDS` asks for more.
fn seeds() -> u64 {
    let asked = std::env::var("PURLIN_SEEDS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(24)
}

fn storm(seed: u64) -> u64 {
    let validators = [4, 7, 10, 4][seed as usize % 4];
    let mut world = World::new(seed, validators, usize::from(seed.is_multiple_of(3)));
    world.weather(seed);
    let mut world = world.up();
    for _ in 0..12 {
        let time = ms(500 + world.random.below(4_000));
        world.run(time);
        if world.random.permille(500) {
            let parts = 1 + world.random.below(3);
            let groups = world.all().map(|_| world.random.below(parts) as usize).collect();
            world.part(groups);
        }
        world.start_some();
    }
    world.heal();
    let head = world.best();
    let limit = Duration::from_secs(600);
    world.until("all have caught up and go on", limit, |world| {
        world.have(world.all(), head + 5)
    });
    head
}

#[test]
fn nothing_is_decided_twice_and_all_catch_up() {
    let mut heights = 0;
    for seed in 0..seeds() {
        println!("seed {seed}");
        heights += storm(seed);
    }
    assert!(
        heights > 2 * seeds(),
        "storms in which nothing happens prove nothing: {heights}"
    );
}
