//! What a server answers to the first `monitor_cond_since` of a replica, made up.

use purlin_ovsdb::Uuid;
use std::fmt::Write;

/// Ports on switches of a hundred, with what a managed port usually has, in no order, as `ovsdb-server` sends them: one
/// message.
pub(crate) fn of_ports(ports: usize) -> String {
    let mut names = Names(0x5eed);
    let mut rows: Vec<Uuid> = (0..ports).map(|_| names.next()).collect();
    let zero = Uuid::ZERO;
    let mut text = format!(r#"{{"id":1,"result":[false,"{zero}",{{"Logical_Switch":{{"#);
    for (n, own) in rows.chunks_mut(100).enumerate() {
        own.sort_unstable();
        let elements: Vec<_> = own.iter().map(|port| format!(r#"["uuid","{port}"]"#)).collect();
        row(&mut text, n, names.next());
        let _ = write!(
            text,
            r#"{{"name":"switch-{n}","ports":["set",[{}]]}}}}"#,
            elements.join(",")
        );
    }
    text.push_str(r#"},"Logical_Switch_Port":{"#);
    for (n, port) in rows.iter().enumerate() {
        row(&mut text, n, *port);
        port_of(&mut text, n);
    }
    text.push_str(r#"}}],"error":null}"#);
    text
}

fn row(text: &mut String, n: usize, uuid: Uuid) {
    let comma = if n == 0 { "" } else { "," };
    let _ = write!(text, r#"{comma}"{uuid}":{{"initial":"#);
}

fn port_of(text: &mut String, n: usize) {
    let (a, b, c) = (n >> 16 & 255, n >> 8 & 255, n & 255);
    let address = format!("0a:00:{a:02x}:{b:02x}:{c:02x}:01 10.{a}.{b}.{c}");
    let _ = write!(
        text,
        r#"{{"addresses":"{address}","external_ids":["map",[["owner","purlin"],["tenant","t{}"]]],"#,
        n / 1000
    );
    let _ = write!(text, r#""name":"port-{n}","port_security":"{address}"}}}}"#);
}

/// Names that look random and are the same each time (splitmix64).
struct Names(u64);

impl Names {
    fn next(&mut self) -> Uuid {
        let high = u128::from(self.word());
        Uuid::from_random((high << 64 | u128::from(self.word())).to_be_bytes())
    }

    const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
