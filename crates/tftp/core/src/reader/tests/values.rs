//! Values as they come out.

use super::{good, tftp};
use crate::reader::{demo, rule_text, sections};
use crate::settings::{Action, Affinity, Backend, Links, Ports, Settings, Shared, Threads};
use purlin_config::schema_faults;
use purlin_types::ByteSize;
use std::time::Duration;

#[test]
fn the_schemas_hold_what_they_say() {
    for section in sections() {
        assert_eq!(schema_faults(section), Vec::<String>::new(), "{}", section.name);
    }
}

#[test]
fn an_empty_section_is_the_default() {
    assert_eq!(good(""), Settings::default());
    assert_eq!(good("[tftp]\n[boot]\n"), Settings::default());
}

/// Every key with a value that is not its default.
const EVERY: &str = r#"
[tftp]
enabled = true
listen = ["10.0.0.1:69", "[2001:db8::1]:69"]
root = "/srv/tftp"
links = "never"
threads = 4
blocking_threads = 6
affinity = [2, 3]
ports = "10000-20000"
receive_buffer = "32Mi"
send_buffer = 65536
backend = "io_uring"
zero_copy = false
decisions = 2048
limits = { per_client = 3, per_ip = 4, total = 5000, prepared = 100 }
timing = { first = "100ms", shortest = "2ms", longest = "2s", attempts = 4, answer = 9, idle = "20s", lifetime = "1h", dally = 1 }
blksize = 1468
windowsize = 16
mtu = 1500
rollover = 1
options = false
cache = { enabled = false, size_max = "2Gi", ttl = "1m", shared = "local" }
io = { threads = 3, asynchronous = false, direct = true, read_ahead = "4Mi" }
uploads = { allow = ["configs/*"], create = false, overwrite = true, size_max = "5Mi", networks = ["10.0.0.0/8"], write_behind = false }
http = { listen = ["10.0.0.1:80"], https = ["10.0.0.1:443"], nodelay = false, keepalive = false, connections_max = 7, idle = 8, lifetime = 9, request = 10, compression = { enabled = false, level = 9, size_min = "4Ki" } }
batch = { enabled = false, batch_size = 5, batch_timeout = "20ms" }
"#;

#[test]
fn every_key_of_packets_reaches_its_setting() {
    let settings = good(EVERY);
    assert!(settings.enabled && settings.listen.len() == 2 && settings.listen[1].is_ipv6());
    assert_eq!(
        (settings.threads, settings.blocking_threads),
        (Threads::Count(4), Some(6))
    );
    assert_eq!(settings.affinity, Affinity::Cores(vec![2, 3]));
    assert_eq!(
        settings.ports,
        Ports::Range {
            first: 10_000,
            last: 20_000
        }
    );
    assert_eq!(
        (settings.receive_buffer, settings.send_buffer),
        (32 << 20, 65_536)
    );
    assert_eq!(
        (settings.backend, settings.zero_copy, settings.decisions),
        (Backend::IoUring, false, 2048)
    );
    let limits = settings.limits;
    assert_eq!(
        (limits.per_client, limits.per_ip, limits.total, limits.prepared),
        (3, 4, 5000, 100)
    );
    let timing = settings.timing;
    assert_eq!(
        (timing.first, timing.shortest),
        (Duration::from_millis(100), Duration::from_millis(2))
    );
    assert_eq!((timing.longest, timing.attempts), (Duration::from_secs(2), 4));
    assert_eq!(
        (timing.answer, timing.idle),
        (Duration::from_secs(9), Duration::from_secs(20))
    );
    assert_eq!(
        (timing.lifetime, timing.dally),
        (Duration::from_secs(3600), Duration::from_secs(1))
    );
    let caps = settings.caps;
    assert_eq!(
        (
            caps.blksize,
            caps.windowsize,
            caps.mtu,
            caps.rollover,
            caps.options
        ),
        (1468, 16, 1500, 1, false)
    );
}

#[test]
fn every_key_of_files_reaches_its_setting() {
    let settings = good(EVERY);
    assert_eq!(
        (settings.cache.enabled, settings.cache.size_max),
        (false, Some(ByteSize(2 << 30)))
    );
    assert_eq!(
        (settings.cache.ttl, &settings.cache.shared),
        (Duration::from_secs(60), &Shared::Local)
    );
    assert_eq!(
        (settings.io.threads, settings.io.asynchronous, settings.io.direct),
        (3, false, true)
    );
    assert_eq!(settings.io.read_ahead, ByteSize(4 << 20));
    let uploads = &settings.files.uploads;
    assert_eq!(
        (uploads.allow[0].as_str(), uploads.create, uploads.overwrite),
        ("configs/*", false, true)
    );
    assert_eq!(
        (uploads.size_max, uploads.write_behind),
        (ByteSize(5 << 20), false)
    );
    assert_eq!(uploads.networks[0].to_string(), "10.0.0.0/8");
    assert_eq!(settings.files.links, Links::Never);
    let http = &settings.http;
    assert_eq!(
        (http.listen.len(), http.https.len(), http.nodelay, http.keepalive),
        (1, 1, false, false)
    );
    assert_eq!(
        (http.connections_max, http.idle, http.lifetime),
        (7, Duration::from_secs(8), Duration::from_secs(9))
    );
    assert_eq!(http.request, Duration::from_secs(10));
    let gzip = http.compression;
    assert_eq!((gzip.enabled, gzip.level, gzip.size_min), (false, 9, 4096));
    let batch = settings.batch;
    assert_eq!(
        (batch.enabled, batch.size, batch.wait),
        (false, 5, Duration::from_millis(20))
    );
}

#[test]
fn classes_take_what_they_do_not_say_from_everybody() {
    let settings = good(&tftp(
        "windowsize = 8\n[[tftp.classes]]\nname = \"pi\"\nfile = \"^[0-9a-f]{8}/\"\nrollover = 1\n\
         [[tftp.classes]]\nname = \"far\"\nnetworks = [\"10.9.0.0/16\"]\nasks_blksize = 1468\nasks_windowsize = true\nmtu = 1400",
    ));
    let [pi, far] = settings.classes.as_slice() else {
        panic!("two classes")
    };
    assert_eq!(
        (pi.caps.rollover, pi.caps.windowsize, pi.caps.blksize),
        (1, 8, 65_464)
    );
    assert!(
        pi.file
            .as_ref()
            .is_some_and(|file| file.fits("0a1b2c3d/start.elf"))
    );
    assert_eq!(
        (far.caps.mtu, far.asks_blksize, far.asks_windowsize),
        (1400, Some(1468), Some(true))
    );
}

#[test]
fn rules_come_from_tables_and_then_from_the_map() {
    let settings = good(&tftp(
        r#"
remap = '''
# from the old server
ri ^[a-z]:
rg \\ /
'''
[[tftp.rules]]
pattern = "^vm/"
root = '/srv/vm/\m'
macs = ["52:54:00"]
last = true
[[tftp.rules]]
pattern = "\\.pvt$"
refuse = true
ignore_case = true
on = "read"
family = "ipv4"
networks = ["10.0.0.0/8"]
[[tftp.rules]]
pattern = "^(a)(b)"
replace = '\2\1'
all = true
restart = true
[[tftp.rules]]
pattern = "^x/"
replace = ""
"#,
    ));
    let texts: Vec<String> = settings.files.rules.iter().map(rule_text).collect();
    assert_eq!(
        texts,
        [
            "e ^vm/ root /srv/vm/\\m for 52:54:00",
            "aiG4 \\.pvt$ for 10.0.0.0/8",
            "rgs ^(a)(b) \\2\\1",
            "r ^x/ ",
            "ri ^[a-z]: ",
            "rg \\\\ /",
        ]
    );
    assert!(matches!(settings.files.rules[0].action, Action::Root(_)));
}

#[test]
fn profiles_and_templates_are_read() {
    let settings = good(
        r#"
[tftp]
listen = ["127.0.0.1:0"]
root = "/srv/tftp"
[[tftp.templates]]
name = "pxelinux.cfg/01-{mac}"
text = "append console={{console}} {{hostname|unnamed}}"
[[tftp.templates]]
name = "menu.ipxe"
file = "templates/menu.ipxe"
networks = ["10.0.0.0/8"]
[[boot.profiles]]
name = "menu"
user_class = "iPXE"
file = "http://boot.example.com/menu.ipxe"
[[boot.profiles]]
name = "racks"
arch = ["uefi-x64", "UEFI_BC"]
macs = ["02:00:00:00:00:01"]
subnets = ["racks"]
file = "snponly.efi"
server = "10.0.0.5"
values = { console = "ttyS0", empty = "" }
"#,
    );
    assert_eq!(settings.files.templates.len(), 2);
    let [menu, racks] = settings.profiles.as_slice() else {
        panic!("two profiles")
    };
    assert_eq!(menu.fits.user_class.as_deref(), Some("iPXE"));
    assert_eq!(racks.fits.architectures, ["uefi-x64", "uefi-bc"]);
    assert_eq!((racks.fits.macs.len(), racks.fits.subnets.len()), (1, 1));
    assert_eq!(racks.server, Some("10.0.0.5".parse().unwrap()));
    assert_eq!(racks.values[0], ("console".to_owned(), "ttyS0".to_owned()));
}

#[test]
fn the_demo_is_good_whatever_its_tree_is_called() {
    for root in ["/srv/tftp", "/tmp/a \"b\" \\c\n/boot"] {
        let settings = good(&demo(root));
        assert!(settings.enabled && settings.listen.iter().all(|socket| socket.ip().is_loopback()));
        assert_eq!(settings.files.root.as_deref(), Some(std::path::Path::new(root)));
    }
}
