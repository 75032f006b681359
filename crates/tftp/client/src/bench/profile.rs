//! What boot clients ask for, and in which order.
//!
//! As captured from firmware in virtual machines and read in the clients' sources: option values, the size probe of
//! UEFI, the search of PXELINUX, the leading '/' of GRUB.

use std::fmt::{self, Write};
use std::net::Ipv4Addr;
use std::str::FromStr;

use purlin_tftp_proto::Wishes;

use super::options::OptionsError;

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// UEFI firmware (EDK2): a size probe that it ends with ERROR 8 after the OACK, then the file from another port;
    /// `blksize` 1468, `windowsize` 4.
    Edk2,
    /// iPXE: `blksize` 1432, `tsize`.
    Ipxe,
    /// PXELINUX: ten configuration names until one is there, then the file; `blksize` 1408, `tsize`.
    Pxelinux,
    /// GRUB: the file twice, with a leading '/'; `blksize` 1024, `tsize`.
    Grub,
    /// U-Boot: `timeout` 5, `tsize`, `blksize` 1468.
    UBoot,
    /// Windows boot manager with this `windowsize` (4 is its default): `tsize`, `blksize` 1456.
    Wds(u16),
    /// curl: `tsize`, `blksize` 512, `timeout` 6.
    Curl,
    /// No options: 512 octets a block, lock-step.
    Plain,
    /// Any geometry; a window of 1 does not ask for `windowsize`.
    Geometry { blksize: u16, windowsize: u16 },
    /// An upload in any geometry, each under a name of its own: `up/a.bin` becomes `up/a-<run>-<n>.bin`.
    Put { blksize: u16, windowsize: u16 },
    /// One request for a file that is not there.
    Miss,
}

/// What one request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// The whole file, verified.
    File,
    /// Only its size: the OACK is answered with ERROR 8.
    Size,
    /// A file that is not there: ERROR 1 is right.
    Missing,
    /// A configuration of this number in PXELINUX's search: ERROR 1 goes on to the next; one that is served is read,
    /// whatever is in it, and ends the search.
    Config(u8),
    /// Stores a file.
    Upload,
}

/// One request of a profile, made from a port of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) aim: Aim,
    pub(crate) wishes: Wishes,
    slash: bool,
}

/// Names PXELINUX tries before `default`: UUID, hardware address, eight to one digits of the IP address.
const PXELINUX_NAMES: u8 = 10;

impl Profile {
    /// The profiles with a fixed name.
    pub const NAMED: [Self; 10] = [
        Self::Edk2,
        Self::Ipxe,
        Self::Pxelinux,
        Self::Grub,
        Self::UBoot,
        Self::Wds(4),
        Self::Wds(8),
        Self::Curl,
        Self::Plain,
        Self::Miss,
    ];

    pub(crate) fn steps(self) -> Vec<Step> {
        let file = |wishes| step(Aim::File, wishes);
        match self {
            Self::Edk2 => vec![step(Aim::Size, ask(1468, 4, true)), file(ask(1468, 4, false))],
            Self::Ipxe => vec![file(ask(1432, 1, true))],
            Self::Pxelinux => {
                let names = (0..PXELINUX_NAMES).map(|n| step(Aim::Config(n), ask(1408, 1, true)));
                names.chain([file(ask(1408, 1, true))]).collect()
            }
            Self::Grub => {
                let slash = Step {
                    slash: true,
                    ..file(ask(1024, 1, true))
                };
                vec![slash, slash]
            }
            Self::UBoot => vec![file(with_timeout(ask(1468, 1, true), 5))],
            Self::Wds(windowsize) => vec![file(ask(1456, windowsize, true))],
            Self::Curl => vec![file(with_timeout(ask(512, 1, true), 6))],
            Self::Plain => vec![file(Wishes::default())],
            Self::Geometry { blksize, windowsize } => vec![file(ask(blksize, windowsize, true))],
            Self::Put { blksize, windowsize } => vec![step(Aim::Upload, ask(blksize, windowsize, true))],
            Self::Miss => vec![step(Aim::Missing, ask(1408, 1, true))],
        }
    }

    /// The largest window in octets that it asks for.
    pub(crate) fn window_octets(self) -> usize {
        let octets = |wishes: &Wishes| {
            usize::from(wishes.blksize.unwrap_or(512)) * usize::from(wishes.windowsize.unwrap_or(1))
        };
        self.steps()
            .iter()
            .map(|step| octets(&step.wishes))
            .max()
            .unwrap_or(0)
    }
}

fn step(aim: Aim, wishes: Wishes) -> Step {
    Step {
        aim,
        wishes,
        slash: false,
    }
}

fn ask(blksize: u16, windowsize: u16, tsize: bool) -> Wishes {
    Wishes {
        blksize: Some(blksize),
        windowsize: (windowsize > 1).then_some(windowsize),
        tsize: tsize.then_some(0),
        ..Wishes::default()
    }
}

fn with_timeout(wishes: Wishes, seconds: u8) -> Wishes {
    Wishes {
        timeout: Some(seconds),
        ..wishes
    }
}

impl Step {
    /// Writes the name that client `boot` asks for into `name`.
    pub(crate) fn name(&self, file: &str, boot: u64, run: u64, name: &mut String) {
        name.clear();
        let written = match self.aim {
            Aim::File | Aim::Size if self.slash => write!(name, "/{file}"),
            Aim::File | Aim::Size => name.write_str(file),
            Aim::Upload => {
                let (stem, extension) = split(file);
                write!(name, "{stem}-{run:08x}-{boot}{extension}")
            }
            Aim::Config(0) => write!(name, "pxelinux.cfg/{boot:08x}-0000-4000-8000-{run:012x}"),
            Aim::Config(1) => {
                let [a, b, c, d] = (boot as u32).to_be_bytes();
                write!(name, "pxelinux.cfg/01-02-00-{a:02x}-{b:02x}-{c:02x}-{d:02x}")
            }
            Aim::Config(n) => {
                let address = u32::from(Ipv4Addr::new(10, 0, 0, 0)) | (boot as u32 & 0x00ff_ffff);
                let digits = usize::from(PXELINUX_NAMES.saturating_sub(n));
                let hex = format!("{address:08X}");
                write!(name, "pxelinux.cfg/{}", &hex[..digits])
            }
            Aim::Missing => write!(name, "purlin-bench-{run:08x}-{boot}.none"),
        };
        written.expect("writing to a string cannot fail");
    }
}

/// A name without its extension, and that with its dot.
fn split(file: &str) -> (&str, &str) {
    let base = file.rfind('/').map_or(0, |slash| slash + 1);
    match file[base..].rfind('.') {
        Some(dot @ 1..) => file.split_at(base + dot),
        _ => (file, ""),
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edk2 => f.write_str("edk2"),
            Self::Ipxe => f.write_str("ipxe"),
            Self::Pxelinux => f.write_str("pxelinux"),
            Self::Grub => f.write_str("grub"),
            Self::UBoot => f.write_str("u-boot"),
            Self::Wds(windowsize) => write!(f, "wds{windowsize}"),
            Self::Curl => f.write_str("curl"),
            Self::Plain => f.write_str("plain"),
            Self::Miss => f.write_str("miss"),
            Self::Geometry { blksize, windowsize } => write!(f, "{blksize}x{windowsize}"),
            Self::Put { blksize, windowsize } => write!(f, "put:{blksize}x{windowsize}"),
        }
    }
}

impl FromStr for Profile {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let unknown = || OptionsError::UnknownProfile(text.to_owned());
        let named = Self::NAMED
            .into_iter()
            .find(|profile| profile.to_string() == text);
        if let Some(profile) = named {
            return Ok(profile);
        }
        if let Some(windowsize) = text.strip_prefix("wds") {
            return windowsize.parse().map(Self::Wds).map_err(|_| unknown());
        }
        let (put, geometry) = match text.strip_prefix("put:") {
            Some(geometry) => (true, geometry),
            None => (false, text),
        };
        let (blksize, windowsize) = geometry.split_once('x').ok_or_else(unknown)?;
        let number = |text: &str| text.parse().map_err(|_| unknown());
        let (blksize, windowsize) = (number(blksize)?, number(windowsize)?);
        Ok(if put {
            Self::Put { blksize, windowsize }
        } else {
            Self::Geometry { blksize, windowsize }
        })
    }
}

/// Profiles with weights, written `edk2=3,ipxe=1` or just `1468x16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMix(pub Vec<(Profile, u32)>);

impl ProfileMix {
    /// One profile alone.
    #[must_use]
    pub fn only(profile: Profile) -> Self {
        Self(vec![(profile, 1)])
    }

    /// The position of the profile for a number below the sum of weights.
    pub(crate) fn pick(&self, mut number: u64) -> usize {
        for (at, (_, weight)) in self.0.iter().enumerate() {
            match number.checked_sub(u64::from(*weight)) {
                Some(rest) => number = rest,
                None => return at,
            }
        }
        0
    }

    pub(crate) fn weights(&self) -> u64 {
        self.0.iter().map(|(_, weight)| u64::from(*weight)).sum()
    }
}

impl fmt::Display for ProfileMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(profile, _)] = self.0[..] {
            return write!(f, "{profile}");
        }
        for (at, (profile, weight)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "," };
            write!(f, "{separator}{profile}={weight}")?;
        }
        Ok(())
    }
}

impl FromStr for ProfileMix {
    type Err = OptionsError;

    fn from_str(text: &str) -> Result<Self, OptionsError> {
        let entry = |part: &str| {
            let (profile, weight) = part.split_once('=').unwrap_or((part, "1"));
            let weight = weight
                .parse()
                .map_err(|_| OptionsError::Weight(part.to_owned()))?;
            Ok((profile.trim().parse()?, weight))
        };
        text.split(',').map(entry).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_reads_as_it_is_written() {
        let more = [
            Profile::Geometry {
                blksize: 1468,
                windowsize: 16,
            },
            Profile::Put {
                blksize: 512,
                windowsize: 1,
            },
            Profile::Wds(16),
        ];
        for profile in Profile::NAMED.into_iter().chain(more) {
            assert_eq!(profile.to_string().parse::<Profile>().unwrap(), profile);
        }
        assert!(
            "nonsense"
                .parse::<Profile>()
                .unwrap_err()
                .to_string()
                .contains("edk2")
        );
        let mix: ProfileMix = "edk2=3,ipxe".parse().unwrap();
        assert_eq!(mix.to_string(), "edk2=3,ipxe=1");
        assert_eq!([0, 2, 3].map(|number| mix.pick(number)), [0, 0, 1]);
    }

    #[test]
    fn names_are_those_of_the_clients() {
        let name = |profile: Profile, at: usize| {
            let mut name = String::new();
            profile.steps()[at].name("f", 0x0102, 7, &mut name);
            name
        };
        let put = |file| {
            let mut name = String::new();
            step(Aim::Upload, ask(512, 1, true)).name(file, 258, 7, &mut name);
            name
        };
        assert_eq!(put("up/v1.2/bench.bin"), "up/v1.2/bench-00000007-258.bin");
        assert_eq!(put("up/v1.2/bench"), "up/v1.2/bench-00000007-258");
        assert_eq!(put("up/.bench"), "up/.bench-00000007-258");
        assert_eq!(name(Profile::Grub, 1), "/f");
        assert_eq!(name(Profile::Pxelinux, 1), "pxelinux.cfg/01-02-00-00-00-01-02");
        assert_eq!(name(Profile::Pxelinux, 2), "pxelinux.cfg/0A000102");
        assert_eq!(name(Profile::Pxelinux, 9), "pxelinux.cfg/0");
        assert_eq!(name(Profile::Pxelinux, 10), "f");
        assert_eq!(
            name(
                Profile::Put {
                    blksize: 512,
                    windowsize: 1
                },
                0
            ),
            "f-00000007-258"
        );
    }
}
