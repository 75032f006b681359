//! The keys of `[tftp]` and `[boot]`.

mod boot;
mod files;
pub(in crate::reader) mod forms;
mod seed;
mod service;

pub(super) use boot::{PROFILE, SECTION as BOOT};
pub(super) use files::{RULE, TEMPLATE, UPLOADS};
pub(super) use seed::{
    BALANCING, BATCH, CACHE as SEED_CACHE, COMPRESSION as SEED_COMPRESSION, CPU, DATACENTER, DISK,
    LIMITS as SEED_LIMITS, MEMORY, NETWORK, PERFORMANCE, POOL, REDIS as SEED_REDIS, SECTIONS, SOCKETS,
};
pub(super) use service::{CACHE, CAPS, CLASS, COMPRESSION, HTTP, IO, LIMITS, REDIS, TIMING};

use forms::PORTS;
use purlin_config::{Key, Kind, Section};

pub(super) static SECTION: Section = Section::new(
    "tftp",
    "Boot files over TFTP and HTTP: where they are served, from which trees, to whom and how fast.",
    &[TOP, CAPS],
);

const SOCKET_LIST: Kind = Kind::List(&Kind::Socket);
const AFFINITY: Kind = Kind::OneOf(&[
    Kind::Enum(&["auto", "off"]),
    Kind::List(&Kind::Int { min: 0, max: 1023 }),
]);

const TOP: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether boot files are served. When not set: if there is an address to listen on.").restart(),
    Key::new("listen", SOCKET_LIST, "UDP addresses for TFTP, IPv4 and IPv6. Nothing is served on a real interface unless it is named here.")
        .default("[]").restart().example("[\"10.0.0.1:69\"]"),
    Key::new("root", Kind::Path, "The tree that names are looked up in; an absolute path. Without one only templates and trees of rules are served.")
        .example("/srv/tftp"),
    Key::new("links", Kind::Enum(&["never", "inside", "anywhere"]), "What symbolic links may do: nothing, lead anywhere inside their tree, or lead out of it.")
        .default("inside"),
    Key::new("threads", Kind::Int { min: 1, max: 256 }, "Packet threads; one for two cores when not set.").restart(),
    Key::new("blocking_threads", Kind::Int { min: 1, max: 65_535 }, "Most threads of all kinds that may block on disks; I/O threads are among them.").restart(),
    Key::new("affinity", AFFINITY, "Which cores packet threads run on: thread n on core n, any core, or this list over and over.")
        .default("off").restart().example("auto"),
    Key::new("ports", PORTS, "The port transfers are answered from: the listening one, which passes NAT and firewalls, or one of its own for each (RFC 1350, section 4).")
        .default("single").example("10000-20000"),
    Key::new("receive_buffer", Kind::Size { min: 4096, max: 1 << 30 }, "Socket buffer for requests; a storm of 10,000 needs 8Mi. The kernel gives at most net.core.rmem_max without CAP_NET_ADMIN.")
        .default("16Mi").restart(),
    Key::new("send_buffer", Kind::Size { min: 4096, max: 1 << 30 }, "Socket buffer for answers; the kernel gives at most net.core.wmem_max without CAP_NET_ADMIN.")
        .default("4Mi").restart(),
    Key::new("backend", Kind::Enum(&["epoll", "io_uring"]), "How packet threads wait. Where the kernel lacks io_uring, epoll does the work and the status says so.")
        .default("epoll").restart(),
    Key::new("zero_copy", Kind::Bool, "Whether blocks may be sent without copying (MSG_ZEROCOPY, sendfile) where that pays.").default("true"),
    Key::new("decisions", Kind::Int { min: 1024, max: 16_777_216 }, "Decisions kept per packet thread for `purlin why`.").default("65536").restart(),
    Key::new("limits", Kind::Table(&[LIMITS]), "How many transfers may be open at once."),
    Key::new("timing", Kind::Table(&[TIMING]), "Patience: retransmissions and ends of transfers."),
    Key::new("classes", Kind::List(&Kind::Table(&[CLASS, CAPS])), "Caps for some clients; the first class that fits counts."),
    Key::new("rules", Kind::List(&Kind::Table(&[RULE])), "Changes of names and choices of trees, in this order."),
    Key::new("remap", Kind::Text { max: 1 << 18 }, "More rules, in the notation of tftpd-hpa's map files; they follow those of `rules`.")
        .example("rg \\\\ /"),
    Key::new("templates", Kind::List(&Kind::Table(&[TEMPLATE])), "Files made for whoever asks; the first that fits name and client counts."),
    Key::new("uploads", Kind::Table(&[UPLOADS]), "What may be written; nothing unless names are allowed."),
    Key::new("cache", Kind::Table(&[CACHE]), "The content cache that TFTP and HTTP share."),
    Key::new("io", Kind::Table(&[IO]), "How disks are read and written."),
    Key::new("http", Kind::Table(&[HTTP]), "HTTP and HTTPS boot from the same trees, rules and templates."),
    Key::new("batch", Kind::Table(&[BATCH]), "How boot events are gathered before they leave for the event stream."),
    Key::new("datacenter", Kind::Table(&[DATACENTER]), "The tables of the performance guide (performance, cache, limits, ...), which may also stand at the top of the file."),
];
