//! What `[boot]` says, in the words of DHCP: which file a machine is told, and where it gets it.
//!
//! Boot files and DHCP know nothing of each other; this is where they meet.
//!
//! ```text
//!   profile: file "x64.efi" ─┬─ for TFTP ─► file "x64.efi", from `server` or this node
//!                            └─ for HTTP ─► "http://{server}:8080/x64.efi"
//! ```

use purlin_config::{Document, Fault, Faults, codes, nearest};
use purlin_dhcp_core::Arch;
use purlin_dhcp_core::settings::{BootEntry, Settings as Dhcp};
use purlin_tftp_core::settings::{Profile, Settings as Tftp};
use std::fmt::Write;

/// Adds a boot answer to DHCP for every profile, and says what of them can never be answered.
pub(super) fn add(dhcp: &mut Dhcp, tftp: &Tftp, document: &Document, faults: &mut Faults) {
    let subnets = dhcp.networks.iter().flat_map(|network| &network.subnets);
    let names: Vec<String> = subnets.map(|subnet| subnet.name.clone()).collect();
    for (i, profile) in tftp.profiles.iter().enumerate() {
        if dhcp.enabled {
            check_subnets(i, profile, &names, document, faults);
            check_http(i, profile, tftp, document, faults);
        }
        for entry in entries(profile, tftp) {
            dhcp.add_boot(entry, &profile.fits.subnets);
        }
    }
}

/// The answers of one profile: one, or two when TFTP and HTTP clients are told the same file in different words.
fn entries(profile: &Profile, tftp: &Tftp) -> Vec<BootEntry> {
    let codes = architectures(profile);
    let entry = |architectures: Vec<u16>, file: String| BootEntry {
        name: Some(profile.name.clone()),
        architectures,
        user_class: profile.fits.user_class.clone(),
        macs: profile.fits.macs.clone(),
        file,
        next_server: profile.server,
    };
    if is_url(profile) {
        return vec![entry(codes, profile.file.clone())];
    }
    let (http, plain): (Vec<u16>, Vec<u16>) = if codes.is_empty() {
        (all_http(), Vec::new())
    } else {
        codes.iter().partition(|&&code| Arch(code).is_http())
    };
    let mut made = Vec::new();
    if let Some(site) = site(profile, tftp).filter(|_| !http.is_empty()) {
        made.push(entry(http, site + &encoded(&profile.file)));
    }
    if codes.is_empty() || !plain.is_empty() {
        made.push(entry(plain, profile.file.clone()));
    }
    made
}

fn is_url(profile: &Profile) -> bool {
    profile.file.contains("://")
}

/// The codes of a profile's architectures. The reader has checked their names.
fn architectures(profile: &Profile) -> Vec<u16> {
    let names = profile.fits.architectures.iter();
    names
        .filter_map(|name| Arch::parse(name))
        .map(|arch| arch.0)
        .collect()
}

fn all_http() -> Vec<u16> {
    let all = Arch::all().map(|(arch, _)| arch);
    all.filter(|arch| arch.is_http()).map(|arch| arch.0).collect()
}

/// Where HTTP clients find the boot tree: `http://{server}:8080/`. `None` when nothing serves it to them.
fn site(profile: &Profile, tftp: &Tftp) -> Option<String> {
    let plain = tftp.http.listen.first().map(|at| ("http", 80, at.port()));
    let secure = tftp.http.https.first().map(|at| ("https", 443, at.port()));
    let listens = plain.or(secure).filter(|_| tftp.enabled);
    // Another server than this node is looked for where it would be by itself.
    let (scheme, usual, port) = match (listens, profile.server) {
        (Some(found), _) => found,
        (None, Some(_)) => ("http", 80, 80),
        (None, None) => return None,
    };
    let host = profile
        .server
        .map_or_else(|| "{server}".to_owned(), |server| server.to_string());
    Some(if port == usual {
        format!("{scheme}://{host}/")
    } else {
        format!("{scheme}://{host}:{port}/")
    })
}

/// A file name as the path of a URL (RFC 3986, section 3.3).
fn encoded(file: &str) -> String {
    let mut path = String::with_capacity(file.len());
    for octet in file.trim_start_matches('/').bytes() {
        if octet.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&octet) {
            path.push(char::from(octet));
        } else {
            write!(path, "%{octet:02X}").expect("writing to a string cannot fail");
        }
    }
    path
}

/// A profile for a subnet that is not there fits nobody.
fn check_subnets(at: usize, profile: &Profile, names: &[String], document: &Document, faults: &mut Faults) {
    for (j, name) in profile.fits.subnets.iter().enumerate() {
        if names.contains(name) {
            continue;
        }
        let near = nearest(name, names.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "name a subnet of [dhcp]; `purlin dhcp subnet list` shows them".to_owned(),
        };
        let path = format!("boot.profiles[{at}].subnets[{j}]");
        warn(
            &path,
            format!("there is no subnet \"{name}\""),
            help,
            document,
            faults,
        );
    }
}

/// A profile for HTTP clients that nothing here serves.
fn check_http(at: usize, profile: &Profile, tftp: &Tftp, document: &Document, faults: &mut Faults) {
    let for_http = architectures(profile).iter().any(|&code| Arch(code).is_http());
    if !for_http || is_url(profile) || site(profile, tftp).is_some() {
        return;
    }
    let message = "HTTP clients are not told this file: nothing serves it to them".to_owned();
    let help = "set tftp.http.listen, or write a whole URL".to_owned();
    warn(
        &format!("boot.profiles[{at}].file"),
        message,
        help,
        document,
        faults,
    );
}

fn warn(path: &str, message: String, help: String, document: &Document, faults: &mut Faults) {
    let place = document
        .get(path)
        .map_or_else(|| document.root().span, |node| node.span);
    let fault = Fault::error(codes::BAD_VALUE, path, place, message);
    faults.push(fault.as_warning().help(help));
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::Input;
    use std::net::Ipv4Addr;

    /// Both sides of a configuration, and what was said about it.
    fn read(text: &str) -> (Dhcp, String) {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("a.toml", text)], &mut faults);
        let mut dhcp = purlin_dhcp_core::reader::read(&document, &mut faults).expect("a good [dhcp]");
        let tftp = purlin_tftp_core::reader::read(&document, &mut faults).expect("a good [tftp]");
        add(&mut dhcp, &tftp, &document, &mut faults);
        (dhcp, faults.to_text(&document, false))
    }

    /// Boot files know the names on their own: a name that one side has and the other has not would be a profile that
    /// is read and never answered.
    #[test]
    fn both_services_have_the_same_names_of_architectures() {
        let dhcp: Vec<&str> = Arch::all().map(|(_, name)| name).collect();
        assert_eq!(dhcp, purlin_tftp_core::profile::ARCHITECTURES);
    }

    const SERVED: &str = "[tftp]\nlisten = [\"10.0.0.1:69\"]\nroot = \"/tmp\"\n[tftp.http]\n\
                          listen = [\"10.0.0.1:8080\"]\n";

    fn profile(keys: &str) -> String {
        format!("[[boot.profiles]]\nname = \"p\"\n{keys}\n")
    }

    /// Architectures and file of every answer.
    fn answers(text: &str) -> Vec<(Vec<u16>, String)> {
        let (dhcp, told) = read(text);
        assert_eq!(told, "");
        let entries = dhcp.profiles.into_iter().map(|profile| profile.entry);
        entries.map(|entry| (entry.architectures, entry.file)).collect()
    }

    #[test]
    fn a_file_for_tftp_is_told_as_it_is() {
        let text = profile("arch = [\"bios\", \"uefi-x64\"]\nfile = \"boot/x y.0\"");
        assert_eq!(
            answers(&(SERVED.to_owned() + &text)),
            [(vec![0, 7], "boot/x y.0".to_owned())]
        );
        let (dhcp, _) = read(&(SERVED.to_owned() + &profile("file = \"a.0\"\nserver = \"10.0.0.9\"")));
        assert!(
            dhcp.profiles
                .iter()
                .all(|p| p.entry.next_server == Some(Ipv4Addr::new(10, 0, 0, 9)))
        );
        assert_eq!(dhcp.profiles[0].entry.name.as_deref(), Some("p"));
    }

    #[test]
    fn a_file_for_http_becomes_a_url_of_this_node() {
        let text = profile("arch = [\"uefi-x64\", \"uefi-x64-http\"]\nfile = \"/boot/x y.efi\"");
        assert_eq!(
            answers(&(SERVED.to_owned() + &text)),
            [
                (vec![16], "http://{server}:8080/boot/x%20y.efi".to_owned()),
                (vec![7], "/boot/x y.efi".to_owned())
            ]
        );
        let usual = SERVED.replace("8080", "80") + &profile("arch = \"uefi-arm64-http\"\nfile = \"a.efi\"");
        assert_eq!(answers(&usual), [(vec![19], "http://{server}/a.efi".to_owned())]);
        let named = SERVED.to_owned()
            + &profile("arch = \"uefi-arm64-http\"\nfile = \"a.efi\"\nserver = \"10.0.0.9\"");
        assert_eq!(
            answers(&named),
            [(vec![19], "http://10.0.0.9:8080/a.efi".to_owned())]
        );
    }

    #[test]
    fn a_profile_for_all_is_for_http_clients_too() {
        let all = answers(&(SERVED.to_owned() + &profile("file = \"a.efi\"")));
        assert_eq!(all.len(), 2);
        assert!(all[0].0.contains(&16) && !all[0].0.contains(&7));
        assert_eq!(all[0].1, "http://{server}:8080/a.efi");
        assert_eq!(all[1], (vec![], "a.efi".to_owned()));
    }

    #[test]
    fn a_whole_url_is_told_as_it_is() {
        let url = "https://boot.example.com/a.efi?b=c";
        let text = profile(&format!("arch = [\"uefi-x64-http\", \"bios\"]\nfile = \"{url}\""));
        assert_eq!(answers(&text), [(vec![16, 0], url.to_owned())]);
    }

    #[test]
    fn without_a_listener_http_clients_are_told_nothing_and_that_is_said() {
        let tree = "[dhcp]\nlisten = [\"10.0.0.1:0\"]\n[tftp]\nlisten = [\"10.0.0.1:69\"]\nroot = \"/tmp\"\n";
        let text = tree.to_owned() + &profile("arch = [\"uefi-x64-http\", \"bios\"]\nfile = \"a.efi\"");
        let (dhcp, told) = read(&text);
        assert_eq!(dhcp.profiles.len(), 1);
        assert_eq!(dhcp.profiles[0].entry.architectures, [0]);
        assert!(told.contains("tftp.http.listen"), "{told}");
    }

    #[test]
    fn a_profile_for_a_subnet_that_is_not_there_is_told() {
        let subnets = "[dhcp]\nlisten = [\"10.0.0.1:0\"]\n[[dhcp.subnets]]\nname = \"racks\"\n\
                       network = \"10.0.0.0/24\"\n";
        let text = subnets.to_owned() + SERVED + &profile("file = \"a.0\"\nsubnets = [\"rack\", \"racks\"]");
        let (dhcp, told) = read(&text);
        assert!(told.contains("did you mean \"racks\"?"), "{told}");
        assert_eq!(dhcp.profiles[0].subnets, ["rack", "racks"]);
    }
}
