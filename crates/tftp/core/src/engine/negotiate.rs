//! What is agreed on: the client's wishes within the caps that hold for it (RFC 2347-2349, 7440).

use crate::settings::Caps;
use purlin_tftp_proto::{BLKSIZE_MIN, Composer, HEADER, Rollover, Terms, Wishes};
use std::net::IpAddr;

/// Octets of headers below a DATA packet: IP without options, and UDP.
const HEADERS_V4: u16 = 20 + 8;
const HEADERS_V6: u16 = 40 + 8;
/// More blocks than this per acknowledgement of an upload could be confused with repeated ones.
const UPLOAD_WINDOW_MAX: u16 = 32_767;

/// What is answered to the wishes, but for `tsize`, and what the transfer goes by.
pub(super) fn negotiate(wishes: &Wishes, caps: &Caps, client: IpAddr, write: bool) -> (Wishes, Terms) {
    let rollover = wishes
        .rollover
        .or(Rollover::of(caps.rollover.into()))
        .unwrap_or_default();
    let largest = blksize_max(caps, client);
    let windows = caps.windowsize.clamp(1, rollover.window_max());
    let windows = if write {
        windows.min(UPLOAD_WINDOW_MAX)
    } else {
        windows
    };
    let granted = Wishes {
        blksize: wishes.blksize.map(|wish| wish.min(largest)),
        // A transfer has one block size. Who asks for it in both ways is answered by the standard's option alone.
        blksize2: wishes
            .blksize2
            .filter(|_| wishes.blksize.is_none())
            .map(|wish| 1 << wish.min(largest).ilog2()),
        windowsize: wishes.windowsize.map(|wish| wish.min(windows)),
        ..*wishes
    };
    let terms = Terms {
        blksize: granted
            .blksize
            .or(granted.blksize2)
            .unwrap_or(Terms::default().blksize),
        windowsize: granted.windowsize.unwrap_or(1),
        rollover,
        tsize: None,
    };
    (granted, terms)
}

/// The largest block that is allowed and fits the path.
fn blksize_max(caps: &Caps, client: IpAddr) -> u16 {
    let headers = match client.to_canonical() {
        IpAddr::V4(_) => HEADERS_V4,
        IpAddr::V6(_) => HEADERS_V6,
    };
    let fits = match caps.mtu {
        0 => u16::MAX,
        mtu => mtu.saturating_sub(headers + HEADER as u16),
    };
    caps.blksize.min(fits).max(BLKSIZE_MIN)
}

/// Writes the OACK; returns its length.
pub(super) fn option_ack(granted: &Wishes, buffer: &mut [u8]) -> usize {
    granted
        .values()
        .fold(Composer::option_ack(buffer), |composer, (name, value)| {
            composer.option(name, value)
        })
        .finish()
        .expect("all options together fit a short packet")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Small;
    use std::net::Ipv4Addr;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn caps() -> Caps {
        Caps {
            blksize: 1468,
            windowsize: 16,
            mtu: 0,
            rollover: 0,
            options: true,
        }
    }

    fn blksize(wish: u16, caps: &Caps, client: IpAddr) -> Option<u16> {
        let wishes = Wishes {
            blksize: Some(wish),
            ..Wishes::default()
        };
        negotiate(&wishes, caps, client, false).0.blksize
    }

    #[test]
    fn wishes_are_lowered_to_the_caps_and_never_raised() {
        assert_eq!(blksize(65_464, &caps(), CLIENT), Some(1468));
        assert_eq!(blksize(8, &caps(), CLIENT), Some(8));
        let wishes = Wishes {
            windowsize: Some(65_535),
            ..Wishes::default()
        };
        let (granted, terms) = negotiate(&wishes, &caps(), CLIENT, false);
        assert_eq!((granted.windowsize, terms.windowsize), (Some(16), 16));
        assert_eq!((granted.blksize, terms.blksize), (None, 512));
    }

    #[test]
    fn a_block_fits_the_path() {
        let narrow = Caps { mtu: 1400, ..caps() };
        assert_eq!(blksize(1468, &narrow, CLIENT), Some(1368));
        assert_eq!(blksize(1468, &narrow, "2001:db8::1".parse().unwrap()), Some(1348));
        assert_eq!(
            blksize(1468, &narrow, "::ffff:10.0.0.1".parse().unwrap()),
            Some(1368)
        );
        let absurd = Caps { mtu: 20, ..caps() };
        assert_eq!(blksize(1468, &absurd, CLIENT), Some(8));
    }

    #[test]
    fn hpa_clients_get_a_power_of_two() {
        let wishes = Wishes {
            blksize2: Some(2000),
            ..Wishes::default()
        };
        let (granted, terms) = negotiate(&wishes, &caps(), CLIENT, false);
        assert_eq!((granted.blksize2, terms.blksize), (Some(1024), 1024));
    }

    #[test]
    fn who_asks_for_both_block_sizes_gets_the_standard_one() {
        let wishes = Wishes {
            blksize: Some(600),
            blksize2: Some(1024),
            ..Wishes::default()
        };
        let (granted, terms) = negotiate(&wishes, &caps(), CLIENT, false);
        assert_eq!(
            (granted.blksize, granted.blksize2, terms.blksize),
            (Some(600), None, 600)
        );
    }

    #[test]
    fn a_window_never_confuses_acknowledgements() {
        let wishes = Wishes {
            windowsize: Some(65_535),
            rollover: Some(Rollover::One),
            ..Wishes::default()
        };
        let wide = Caps {
            windowsize: 65_535,
            ..caps()
        };
        assert_eq!(negotiate(&wishes, &wide, CLIENT, false).1.windowsize, 65_534);
        assert_eq!(negotiate(&wishes, &wide, CLIENT, true).1.windowsize, 32_767);
    }

    #[test]
    fn the_longest_answer_fits() {
        let all = Wishes {
            blksize: Some(65_464),
            blksize2: Some(32_768),
            tsize: Some(u64::MAX),
            timeout: Some(255),
            utimeout: Some(255_000_000),
            windowsize: Some(65_535),
            rollover: Some(Rollover::One),
        };
        let packet = Small::filled(|buffer| option_ack(&all, buffer));
        assert!(packet.len() <= 119, "{}", packet.len());
    }
}
