//! How often a client may ask: a bucket of permits for each address, filled at a steady rate.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Addresses remembered at most; beyond it the fullest buckets are forgotten, for they bind nobody.
const CLIENTS_MAX: usize = 65_536;

/// The buckets of all clients.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// Permits a second; zero: no limit.
    rate: f64,
    burst: f64,
    clients: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    permits: f64,
    filled: Instant,
}

impl Buckets {
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        Self {
            rate: f64::from(rate),
            burst: f64::from(burst.max(1)),
            clients: Mutex::default(),
        }
    }

    /// Takes a permit; false when there is none.
    pub(crate) fn take(&self, client: IpAddr, now: Instant) -> bool {
        self.with(client, now, |bucket| {
            let enough = bucket.permits >= 1.0;
            bucket.permits -= f64::from(u8::from(enough));
            enough
        })
    }

    /// Whether there is a permit, without taking it.
    pub(crate) fn has(&self, client: IpAddr, now: Instant) -> bool {
        self.with(client, now, |bucket| bucket.permits >= 1.0)
    }

    fn with(&self, client: IpAddr, now: Instant, ask: impl FnOnce(&mut Bucket) -> bool) -> bool {
        if self.rate == 0.0 {
            return true;
        }
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS_MAX {
            let full = self.burst;
            let rate = self.rate;
            clients.retain(|_, bucket| bucket.at(now, rate, full) < full);
            if clients.len() >= CLIENTS_MAX {
                clients.clear();
            }
        }
        let bucket = clients.entry(network(client)).or_insert(Bucket {
            permits: self.burst,
            filled: now,
        });
        bucket.permits = bucket.at(now, self.rate, self.burst);
        bucket.filled = now;
        ask(bucket)
    }
}

impl Bucket {
    fn at(&self, now: Instant, rate: f64, burst: f64) -> f64 {
        let rested = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.permits + rested * rate).min(burst)
    }
}

/// One IPv6 client usually has a whole /64 to choose addresses from.
fn network(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_client_gets_its_burst_and_then_its_rate() {
        let buckets = Buckets::new(2, 3);
        let start = Instant::now();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let taken = |client, at| (0..10).filter(|_| buckets.take(client, at)).count();
        assert_eq!(taken(one, start), 3);
        assert_eq!(taken(other, start), 3, "each has its own");
        assert_eq!(taken(one, start + Duration::from_secs(1)), 2);
        assert_eq!(
            taken(one, start + Duration::from_hours(1)),
            3,
            "never more than the burst"
        );
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_client() {
        let buckets = Buckets::new(1, 1);
        let now = Instant::now();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(buckets.take(address("2001:db8::1"), now));
        assert!(!buckets.take(address("2001:db8::2"), now));
        assert!(buckets.take(address("2001:db8:0:1::1"), now));
        assert!(buckets.take(address("192.0.2.1"), now));
        assert!(!buckets.take(address("::ffff:192.0.2.1"), now));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let buckets = Buckets::new(0, 1);
        let now = Instant::now();
        let client = IpAddr::from([192, 0, 2, 1]);
        assert!((0..100).all(|_| buckets.take(client, now)));
    }
}
