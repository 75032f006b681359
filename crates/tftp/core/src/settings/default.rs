//! What holds when nothing is said: the values of an empty `[tftp]` section.

use super::{
    Affinity, Backend, Batch, Cache, Caps, Compression, Files, Http, Io, Limits, Links, Ports, Settings,
    Shared, Threads, Timing, Uploads,
};
use purlin_types::ByteSize;
use std::time::Duration;

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: Vec::new(),
            threads: Threads::default(),
            blocking_threads: None,
            affinity: Affinity::Off,
            ports: Ports::Single,
            receive_buffer: 16 << 20,
            send_buffer: 4 << 20,
            backend: Backend::Epoll,
            zero_copy: true,
            decisions: 65_536,
            limits: Limits::default(),
            timing: Timing::default(),
            caps: Caps::default(),
            classes: Vec::new(),
            files: Files::default(),
            cache: Cache::default(),
            io: Io::default(),
            http: Http::default(),
            batch: Batch::default(),
            profiles: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_client: 0,
            per_ip: 0,
            total: 50_000,
            prepared: 0,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            shortest: Duration::from_millis(5),
            longest: Duration::from_secs(5),
            attempts: 8,
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            lifetime: Duration::ZERO,
            dally: Duration::from_secs(3),
        }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            blksize: 65_464,
            windowsize: 64,
            mtu: 0,
            rollover: 0,
            options: true,
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self {
            root: None,
            links: Links::Inside,
            rules: Vec::new(),
            templates: Vec::new(),
            uploads: Uploads::default(),
        }
    }
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            create: true,
            overwrite: false,
            size_max: ByteSize(1 << 30),
            networks: Vec::new(),
            write_behind: true,
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            enabled: true,
            size_max: None,
            ttl: Duration::from_secs(5),
            shared: Shared::Local,
        }
    }
}

impl Default for Io {
    fn default() -> Self {
        Self {
            threads: 8,
            asynchronous: true,
            direct: false,
            read_ahead: ByteSize(1 << 20),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            https: Vec::new(),
            nodelay: true,
            keepalive: true,
            connections_max: 10_000,
            per_ip: 0,
            idle: Duration::from_secs(60),
            lifetime: Duration::ZERO,
            request: Duration::from_secs(30),
            compression: Compression::default(),
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self {
            enabled: true,
            level: 6,
            size_min: 1024,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            enabled: true,
            size: 100,
            wait: Duration::from_millis(100),
        }
    }
}
