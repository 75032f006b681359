//! How long a large configuration takes from text to checked settings, per notation.
//!
//! `cargo run --release -p purlin-dhcp-core --example read_cost -- [SUBNETS] [RESERVATIONS]`

use purlin_config::{Document, Faults, Input};
use std::fmt::Write;
use std::time::Instant;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let subnets: u32 = numbers.next().unwrap_or(2_000);
    let reservations: u32 = numbers.next().unwrap_or(100_000);
    let toml = sample(subnets.clamp(1, 60_000), reservations);
    let json = Document::parse([Input::file("a.toml", toml.as_str())], &mut Faults::new())
        .to_json()
        .to_string();
    for (name, text) in [("a.toml", &toml), ("a.json", &json), ("a.yaml", &json)] {
        let start = Instant::now();
        let mut faults = Faults::new();
        let document = Document::parse([Input::file(name, text.as_str())], &mut faults);
        let parsed = start.elapsed();
        let settings = purlin_dhcp_core::reader::read(&document, &mut faults);
        println!(
            "{name}: {} KiB, {subnets} subnets, {reservations} reservations: parsed {} ms, checked {} ms, good: {}",
            text.len() / 1024,
            parsed.as_millis(),
            (start.elapsed() - parsed).as_millis(),
            settings.is_some()
        );
    }
}

fn sample(subnets: u32, reservations: u32) -> String {
    let mut text = String::from("[dhcp]\nlisten = [\"127.0.0.1:0\"]\n");
    let per_subnet = reservations / subnets;
    for i in 0..subnets {
        let (a, b) = (i / 256, i % 256);
        let _ = write!(
            text,
            "[[dhcp.subnets]]\nname = \"s{i}\"\nnetwork = \"10.{a}.{b}.0/24\"\npools = [\"10.{a}.{b}.100-10.{a}.{b}.199\"]\n\
             gateway = \"10.{a}.{b}.1\"\ndns_servers = [\"10.0.0.53\"]\nreservations = [\n"
        );
        for r in 0..per_subnet.min(97) {
            let _ = writeln!(
                text,
                "  {{ mac = \"02:00:{:02x}:{:02x}:{:02x}:{r:02x}\", address = \"10.{a}.{b}.{}\", hostname = \"h{i}-{r}\" }},",
                i >> 16 & 255,
                i >> 8 & 255,
                i & 255,
                r + 2
            );
        }
        text.push_str("]\n");
    }
    text
}
