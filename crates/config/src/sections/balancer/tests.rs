use super::*;
use crate::Input;

fn read_with(text: &str, defaults: &BalancerDefaults) -> (Option<BalancerSettings>, Vec<String>) {
    let mut faults = Faults::new();
    let document = Document::parse([Input::file("b.toml", text)], &mut faults);
    let settings = read(&document, defaults, &mut faults);
    let paths = faults.in_text_order().into_iter().map(|fault| fault.path.clone());
    (settings, paths.collect())
}

fn parsed(text: &str) -> (Option<BalancerSettings>, Vec<String>) {
    read_with(text, &BalancerDefaults::default())
}

/// One front of that service with these lines and one backend.
fn front_of(service: &str, lines: &str) -> String {
    format!(
        "[[balancer.fronts]]\nname = \"f\"\nservice = \"{service}\"\nlisten = \"10.0.0.1:67\"\n{lines}\n\
         backends = [{{ address = \"10.0.0.11:67\" }}]\n"
    )
}

fn good(text: &str) -> FrontSettings {
    let (settings, faults) = parsed(text);
    let settings = settings.unwrap_or_else(|| panic!("{faults:?}"));
    settings.fronts.into_iter().next().expect("a front")
}

#[test]
fn without_the_section_there_is_no_front() {
    assert_eq!(parsed(""), (Some(BalancerSettings::default()), vec![]));
}

#[test]
fn a_service_brings_what_is_usual_for_it() {
    let dhcp = good(&front_of("dhcp", ""));
    assert_eq!(
        (dhcp.algorithm.as_str(), dhcp.hash_key),
        ("consistent_hashing", HashKey::Client)
    );
    assert_eq!(dhcp.check, CheckKind::Http("/health/ready".to_owned()));
    assert_eq!(
        (dhcp.stickiness, dhcp.patience),
        (Duration::from_secs(60), Some(Duration::from_secs(3)))
    );
    let BackendSource::Listed(backends) = dhcp.backends else {
        panic!("listed")
    };
    assert_eq!(backends[0].check.to_string(), "10.0.0.11:9090");
    assert_eq!(
        (backends[0].name.as_str(), backends[0].weight),
        ("10.0.0.11:67", 100)
    );
    let http = good(&front_of("http", "hash_key = \"header:X-Session\""));
    assert_eq!(
        (http.algorithm.as_str(), http.stickiness),
        ("least_connections", Duration::ZERO)
    );
    assert_eq!(http.hash_key, HashKey::Header("X-Session".to_owned()));
    let BackendSource::Listed(backends) = http.backends else {
        panic!("listed")
    };
    assert_eq!(backends[0].check.to_string(), "10.0.0.11:67");
}

#[test]
fn other_sections_give_the_defaults_and_a_front_overrules_them() {
    let defaults = BalancerDefaults {
        algorithm: Some("weighted_round_robin".to_owned()),
        tftp_algorithm: Some("ip_hash".to_owned()),
        tftp_hash_key: Some("file".to_owned()),
        health_check: Some(false),
        health_check_interval: Some(Duration::from_secs(7)),
    };
    let first = |text: &str| {
        let settings = read_with(text, &defaults).0.expect("it is good");
        settings.fronts.into_iter().next().expect("a front")
    };
    let dhcp = first(&front_of("dhcp", ""));
    assert_eq!(
        (dhcp.algorithm.as_str(), dhcp.check),
        ("round_robin", CheckKind::None)
    );
    assert_eq!(dhcp.check_interval, Duration::from_secs(7));
    let tftp = first(&front_of("tftp", ""));
    assert_eq!(
        (tftp.algorithm.as_str(), tftp.hash_key),
        ("ip_hash", HashKey::File)
    );
    let own = first(&front_of("tftp", "hash_key = \"client_ip\""));
    assert_eq!(
        (own.hash_key, dhcp.hash_key),
        (HashKey::ClientIp, HashKey::Client)
    );
    let own = first(&front_of(
        "dhcp",
        "algorithm = \"least_connections\"\ncheck = \"tcp\"\ncheck_interval = 1",
    ));
    assert_eq!(
        (own.algorithm.as_str(), own.check),
        ("least_connections", CheckKind::Tcp)
    );
    assert_eq!(own.check_interval, Duration::from_secs(1));
}

#[test]
fn all_faults_are_told_in_one_pass() {
    let text = "\
[[balancer.fronts]]
name = \"a\"
service = \"dhcp\"
listen = \"[::1]:67\"
hash_key = \"header:X\"
idle_timeout = \"1h\"
members = true
[[balancer.fronts]]
name = \"a\"
service = \"tcp\"
listen = \"10.0.0.1:80\"
patience = 1
colour = \"red\"
members_port = 1
backends = [{ name = \"n\", address = \"10.0.0.2:1\" }, { name = \"n\", address = \"10.0.0.3:1\" }]
[[balancer.fronts]]
name = \"c\"
service = \"http\"
listen = \"10.0.0.1:80\"
";
    let (settings, mut faults) = parsed(text);
    faults.sort();
    assert_eq!(settings, None);
    assert_eq!(
        faults,
        [
            "balancer.fronts[0].hash_key",
            "balancer.fronts[0].idle_timeout",
            "balancer.fronts[0].listen",
            "balancer.fronts[1].backends[1].name",
            "balancer.fronts[1].colour",
            "balancer.fronts[1].members_port",
            "balancer.fronts[1].name",
            "balancer.fronts[1].patience",
            "balancer.fronts[2].backends",
        ]
    );
    assert_eq!(parsed("[balancer]\nfronts = []").1, ["balancer.fronts"]);
}

#[test]
fn a_file_is_a_key_of_tftp_alone() {
    assert_eq!(
        good(&front_of("tftp", "hash_key = \"file\"")).hash_key,
        HashKey::File
    );
    for service in ["dhcp", "udp", "tcp", "http"] {
        let (settings, faults) = parsed(&front_of(service, "hash_key = \"file\""));
        assert_eq!(
            (settings, faults),
            (None, vec!["balancer.fronts[0].hash_key".to_owned()])
        );
    }
}

#[test]
fn one_address_takes_one_front() {
    let two = |listen: &str, service: &str| {
        front_of("dhcp", "")
            + &front_of(service, "")
                .replace("\"f\"", "\"g\"")
                .replace("10.0.0.1:67", listen)
    };
    assert_eq!(
        parsed(&two("10.0.0.1:67", "tftp")).1,
        ["balancer.fronts[1].listen"]
    );
    assert!(parsed(&two("10.0.0.1:67", "tcp")).0.is_some());
    assert!(parsed(&two("10.0.0.1:69", "tftp")).0.is_some());
}

#[test]
fn members_have_a_port() {
    let front = |service: &str, lines: &str| {
        parsed(&format!(
            "[[balancer.fronts]]\nname = \"f\"\nservice = \"{service}\"\nlisten = \"10.0.0.1:67\"\nmembers = true\n{lines}"
        ))
    };
    let source = |found: Option<BalancerSettings>| found.expect("good").fronts.remove(0).backends;
    let members = |port| BackendSource::Members {
        port,
        check_port: port.map(|_| 9090),
    };
    assert_eq!(source(front("dhcp", "").0), members(Some(67)));
    assert_eq!(
        source(front("tftp", "members_port = 6969").0),
        members(Some(6969))
    );
    assert_eq!(source(front("http", "").0), members(None));
    assert_eq!(front("udp", "").1, ["balancer.fronts[0].members_port"]);
}
