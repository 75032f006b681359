//! Help and version.

use crate::commands;
use purlin_ovn_core::model::nb_schema;
use std::fmt::Write as _;

const OPTIONS: &str = "
Where:
  --db=DATABASE               connect to DATABASE: tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE, several with commas
  -u, --unixctl=SOCKET        hand the line to the daemon at SOCKET; with --detach, listen there
  --no-leader-only            read from any member of a cluster, not just the leader
  -p, -c, -C FILE             private key, certificate, authority's certificate for ssl:

What becomes of changes:
  --wait=none                 do not wait (default, also --no-wait)
  --wait=sb                   wait until their flows are in the southbound database
  --wait=hv                   wait until all hypervisors have them
  --print-wait-time           tell how long that took
  --dry-run                   let the database try them and forget them
  -t, --timeout=SECS          give up after SECS seconds

How tables are printed:
  -f, --format=FORMAT         table, list (default), html, csv or json
  -d, --data=FORMAT           string (default), bare or json
  --no-headings               without names of columns
  --pretty                    indent JSON
  --bare                      --format=list --data=bare --no-headings
  --max-column-width=N        cut columns of tables
  --oneline                   one line per command

Daemon:
  --detach                    stay connected in the background, print the socket (set OVN_NB_DAEMON to it)
  --pidfile[=FILE]            write the process number to FILE
  --overwrite-pidfile         even if another one runs
  --no-chdir                  stay in this folder

Messages:
  -vSPEC, --verbose=SPEC      what is told: MODULE, console or file, off err warn info dbg
  --log-file[=FILE]           tell it to FILE too

  -h, --help                  this text
  -V, --version               versions
  --commands, --options       lists for completion scripts

Environment: OVN_NB_DB, OVN_NB_DAEMON, OVN_NBCTL_OPTIONS, OVN_RUNDIR.
Exit codes: 0 done, 1 refused or out of reach, 142 the time of --timeout was over.

Examples:
  NAME ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 \"02:00:00:00:00:01 10.0.0.1\"
  NAME --wait=hv --print-wait-time sync
  NAME --format=csv --columns=name,addresses find Logical_Switch_Port up=true
  NAME --id=@p create Logical_Switch_Port name=p1 -- add Logical_Switch web ports @p
";

/// All commands and options.
pub(super) fn help(name: &str, database: &str) -> String {
    let mut text = format!(
        "{name}: commands for OVN's northbound database, as ovn-nbctl(8) tells them\n\
         usage: {name} [OPTION]... COMMAND [ARGUMENT]... [-- COMMAND [ARGUMENT]...]...\n\nCommands:\n"
    );
    for syntax in commands::all() {
        let options = syntax.options.split(',').filter(|option| !option.is_empty());
        let options: String = options.map(|option| format!("[{option}] ")).collect();
        let _ = writeln!(text, "  {options}{} {}", syntax.name, syntax.arguments);
    }
    let _ = writeln!(text, "\nThe database where none is named: {database}");
    text.push_str(&OPTIONS.replace("NAME", name));
    text
}

/// The program's version and that of the schema whose columns it knows.
pub(super) fn version(name: &str) -> String {
    format!(
        "{name} 23.03.1 (Purlin {})\nDB Schema {}\n",
        env!("CARGO_PKG_VERSION"),
        nb_schema().version
    )
}
