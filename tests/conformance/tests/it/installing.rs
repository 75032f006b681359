//! A machine is installed by the commands of the page about it.

use purlin_conformance::{Cluster, Lab, lab_config, purlin, run};
use std::fmt::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

/// What the page has instead of a machine: folders of its own in place of the system's, a `sudo` that is root anyway, a
/// `systemctl` that starts what the unit says as the user and with the capabilities that it says, and an editor that writes
/// the laboratory's configuration.
const MACHINE: &str = r#"
set -eu
own=$PWD/machine
mkdir -p $own/etc $own/local $own/lib $own/completions $own/bin
cp -a /etc/. $own/etc
mount --bind $own/etc /etc
mount --bind $own/local /usr/local
mount --bind $own/lib /var/lib
mkdir -p /usr/share/bash-completion/completions
mount --bind $own/completions /usr/share/bash-completion/completions
mkdir -p /usr/local/bin
cat >$own/bin/sudo <<'END'
#!/bin/sh
[ "$1" != -u ] || { user=$2; shift 2; exec setpriv --reuid "$user" --regid "$user" --init-groups "$@"; }
exec "$@"
END
cat >$own/bin/sudoedit <<'END'
#!/bin/sh
cat "$LAB_CONFIG" >"$1"
END
cat >$own/bin/sysctl <<'END'
#!/bin/sh
sed -n 's/^\([a-z0-9_.-]*\) *=.*/setting \1/p' /etc/sysctl.d/*purlin.conf
END
cat >$own/bin/systemctl <<'END'
#!/bin/sh
set -eu
unit=/etc/systemd/system/purlin.service
of() { sed -n "s/^$1=//p" $unit; }
case "$1" in
daemon-reload) test -f $unit ;;
enable)
    [ "$*" = "enable --now purlin" ]
    state=/var/lib/$(of StateDirectory) user=$(of User)
    install -d -m "$(of StateDirectoryMode)" -o "$user" -g "$(of Group)" "$state"
    caps=$(of AmbientCapabilities | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
    cd "$(of WorkingDirectory)"
    umask "$(of UMask)"
    # The user cannot look into the laboratory's folder; the log is opened for it.
    setsid setpriv --reuid "$user" --regid "$(of Group)" --init-groups --no-new-privs \
        --inh-caps "-all,$caps" --ambient-caps "-all,$caps" --bounding-set "-all,$caps" \
        $(of ExecStart) >"$LAB_LOG" 2>&1 </dev/null &
    for _ in $(seq 300); do
        ! curl -fs http://127.0.0.1:8080/health/ready >/dev/null || exit 0
        sleep 0.1
    done
    cat "$LAB_LOG"
    exit 1
    ;;
*) echo "systemctl $*: not on this machine"; exit 1 ;;
esac
END
chmod 755 $own/bin/*
PATH=$own/bin:/usr/local/bin:$PATH
"#;

/// The shell commands of sections 1 to 4.
fn commands(page: &str) -> String {
    let (page, _) = page.split_once("\n## 5.").expect("there is a fifth section");
    let mut commands = String::new();
    for block in page.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").expect("it ends");
        commands += block;
    }
    commands
}

#[test]
fn s0_55_a_machine_is_installed_as_the_page_says() {
    let programs = ["unshare", "mount", "setpriv", "useradd", "busybox"];
    let Some(lab) = Lab::new(&programs) else {
        return;
    };
    let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let page = std::fs::read_to_string(format!("{project}/docs/howto/installation.md"));
    let commands = commands(&page.expect("it is part of the project"));
    assert!(commands.contains("systemctl enable --now purlin"), "{commands}");
    // It is built already, perhaps for debugging.
    let built = "cargo build --release\n";
    assert!(commands.starts_with(built), "{commands}");
    let binary = purlin().expect("the laboratory has looked");
    let commands = commands
        .replacen(built, "", 1)
        .replace("target/release/purlin", &binary.to_string_lossy());
    let config = lab_config("", "", "").replacen("[node]", "[node]\ndata_dir = \"/var/lib/purlin\"", 1);
    let config = lab.write("lab.toml", &config);
    let log = lab.path("purlin.log");
    let mut script = String::from(MACHINE);
    let _ = write!(
        script,
        "export LAB_CONFIG={config} LAB_LOG={}\ncd {project}\n{commands}",
        log.display()
    );
    // What the rest of the page counts on.
    script += "stat -c '%U %a %n' /etc/purlin /etc/purlin/purlin.toml /var/lib/purlin\nls /usr/local/share/man/man1 | wc -l\n";
    let script = lab.write("install.sh", &script);
    let output = lab.server.run("unshare", &["--mount", "bash", &script]);
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    let said = said.concat();
    assert!(output.status.success(), "{said}");
    for expected in [
        "purlin 750 /etc/purlin\n",
        "purlin 640 /etc/purlin/purlin.toml\n",
        "purlin 700 /var/lib/purlin\n",
        "no faults",
    ] {
        assert!(said.contains(expected), "{expected:?} in {said}");
    }
    let settings: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("setting "))
        .collect();
    assert!(settings.len() > 5, "{said}");
    for setting in settings {
        let file = format!("/proc/sys/{}", setting.replace('.', "/"));
        assert!(
            std::path::Path::new(&file).exists(),
            "the kernel has no {setting}"
        );
    }
    let hook = lab.hook();
    let client = ["udhcpc", "-f", "-q", "-n", "-i", "c0", "-s", &hook];
    let leased = lab.client.run("busybox", &client);
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    assert!(leased.status.success(), "{said}\n{log}");
    assert!(lab.told().contains("ip=10.77.1."), "{}", lab.told());
}

/// The fifth section's way: the user that the node runs as joins, in folders of its own.
#[test]
fn a_machine_joins_as_the_user_that_its_node_runs_as() {
    const USER: u32 = 64_738;
    // Only root gives files away.
    let Some(_lab) = Lab::new(&["setpriv"]) else {
        return;
    };
    let Some(cluster) = Cluster::without_redis(1) else {
        return;
    };
    let first = &cluster.nodes[0];
    let (_, token) = cluster.token(first, Some("n2"));
    let machine = tempfile::tempdir().expect("a temporary folder can be made");
    let path = |name: &str| machine.path().join(name);
    let open = |path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("our own");
    open(machine.path());
    std::fs::copy(purlin().expect("the cluster runs it"), path("purlin")).expect("there is room");
    for folder in ["etc", "lib"] {
        std::fs::create_dir(path(folder)).expect("our own folder");
        chown(path(folder), Some(USER), Some(USER)).expect("root gives folders away");
    }
    let (data, config) = (path("lib"), path("etc/purlin.toml"));
    let user = USER.to_string();
    let mut join = Command::new("setpriv");
    join.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    join.arg(path("purlin")).args(["join", &token, "--data-dir"]);
    join.arg(&data).arg("--config").arg(&config);
    let output = run(&mut join);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let file = std::fs::metadata(&config).expect("joining has written it");
    assert_eq!(
        (file.uid(), file.mode() & 0o777),
        (USER, 0o600),
        "the secret is in it"
    );
}
