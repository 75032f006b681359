//! `purlin tftp get` and `put`: one file from or to any server.

mod line;
mod report;

use crate::cli::Context;
use crate::cli::server::tftp_server;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::Painted;
use clap::{Args, ValueEnum};
use line::shown;
use purlin_config::parse_duration;
use purlin_tftp_client::{
    Mode, TransferError, TransferOptions, get as fetch, get_to_file, put as send, put_file,
};
use report::show;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A local name that stands for standard input or output.
const PIPE: &str = "-";

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin tftp get 127.0.0.1:6969 boot.ipxe          into ./boot.ipxe
  purlin tftp get 10.0.0.1 pxelinux.cfg/default -    to standard output
  purlin tftp get 10.0.0.1 vmlinuz /tmp/k --windowsize 64 -o json
  purlin tftp get [2001:db8::1]:69 motd --mode netascii --plain

A local file appears when it is whole and not before. Exit code 3 when the server has no such file, 5 when it refuses
access, 6 when no server answers.")]
pub(crate) struct GetArgs {
    /// The server; port 69 unless another is named.
    #[arg(value_name = "HOST[:PORT]")]
    server: String,
    /// The name to ask for.
    file: String,
    /// Where to put it; - is standard output [default: the last part of FILE, here].
    to: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Answer a repeated last block this long, for servers whose last packet may be lost.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s")]
    dally: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin tftp put 10.0.0.1 switch.cfg
  purlin tftp put 10.0.0.1:6969 ./dump.bin crash/node-7.bin --blksize 8192
  tar c /etc | purlin tftp put 10.0.0.1 - backup/etc.tar

Exit code 5 when the server allows no such upload, 4 when the file is there already, 6 when no server answers.")]
pub(crate) struct PutArgs {
    /// The server; port 69 unless another is named.
    #[arg(value_name = "HOST[:PORT]")]
    server: String,
    /// The local file; - is standard input.
    file: PathBuf,
    /// The name it gets there [default: the last part of FILE].
    name: Option<String>,
    #[command(flatten)]
    how: How,
}

/// How the file goes over the wire.
#[derive(Debug, Args)]
struct How {
    /// Octets per block to ask for, 8 to 65464 [default: 1428].
    #[arg(long, value_name = "OCTETS", conflicts_with = "plain")]
    blksize: Option<u16>,
    /// Blocks per acknowledgement to ask for, 1 to 65535 [default: 16].
    #[arg(long, value_name = "BLOCKS", conflicts_with = "plain")]
    windowsize: Option<u16>,
    /// octet, or netascii for text with local line ends.
    #[arg(long, value_enum, default_value_t = ModeWord::Octet, hide_possible_values = true)]
    mode: ModeWord,
    /// RFC 1350 alone: no options, 512 octets a block, one at a time.
    #[arg(long)]
    plain: bool,
    /// Silence after which this side sends again; doubles each time.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    timeout: Duration,
    /// Ask the server to send again after this many seconds (option timeout), 1 to 255.
    #[arg(long, value_name = "SECONDS", conflicts_with = "plain")]
    server_timeout: Option<u8>,
    /// How often in a row the same is sent.
    #[arg(long, default_value_t = 6)]
    attempts: u8,
    /// Give up when it takes longer.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    limit: Option<Duration>,
    /// No progress line and no report.
    #[arg(long, short = 'q')]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeWord {
    Octet,
    Netascii,
}

impl How {
    fn options(&self, server: &str) -> Result<TransferOptions, Failure> {
        let server = tftp_server(server)?;
        let mut options = if self.plain {
            TransferOptions::plain(server)
        } else {
            TransferOptions::new(server)
        };
        options.blksize = self.blksize.or(options.blksize);
        options.windowsize = self.windowsize.or(options.windowsize);
        options.timeout_secs = self.server_timeout;
        options.wait = self.timeout;
        options.attempts = self.attempts;
        options.limit = self.limit;
        options.mode = match self.mode {
            ModeWord::Octet => Mode::Octet,
            ModeWord::Netascii => Mode::Netascii,
        };
        Ok(options)
    }
}

pub(super) fn get(args: &GetArgs, context: &Context) -> Outcome {
    let mut options = args.how.options(&args.server)?;
    options.dally = args.dally;
    let to = match &args.to {
        Some(to) => to.clone(),
        None => PathBuf::from(last_part(&args.file)?),
    };
    let mut line = Painted::new(args.how.quiet);
    let piped = to.as_os_str() == PIPE;
    let done = if piped {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        fetch(&options, &args.file, &mut out, &mut shown(&mut line))
    } else {
        get_to_file(&options, &args.file, &to, &mut shown(&mut line))
    };
    line.clear();
    let report = done.map_err(|cause| failure(&cause))?;
    // What was fetched has standard output for itself.
    if piped || args.how.quiet {
        return Ok(Exit::Ok);
    }
    show(&report, &to.display().to_string(), "from", context)
}

pub(super) fn put(args: &PutArgs, context: &Context) -> Outcome {
    let options = args.how.options(&args.server)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => last_part(&args.file.to_string_lossy())?,
    };
    let mut line = Painted::new(args.how.quiet);
    let done = if args.file.as_os_str() == PIPE {
        let mut octets = Vec::new();
        std::io::stdin().read_to_end(&mut octets)?;
        send(&options, &octets, &name, &mut shown(&mut line))
    } else {
        put_file(&options, &args.file, &name, &mut shown(&mut line))
    };
    line.clear();
    let report = done.map_err(|cause| failure(&cause))?;
    if args.how.quiet {
        return Ok(Exit::Ok);
    }
    show(&report, &name, "to", context)
}

/// The name without its directories.
fn last_part(name: &str) -> Result<String, Failure> {
    let part = name.rsplit(['/', '\\']).next().unwrap_or_default();
    if matches!(part, "" | "." | ".." | PIPE) || Path::new(part).file_name().is_none() {
        return Err(Failure::usage(
            format!("{name:?} does not tell what the file is to be called"),
            "name it as the last argument",
        ));
    }
    Ok(part.to_owned())
}

fn failure(cause: &TransferError) -> Failure {
    let said = chain(cause);
    match cause {
        TransferError::Options(_) => Failure::usage(said, "purlin tftp get --help"),
        TransferError::NoAnswer { .. } => Failure::new(
            Exit::Unreachable,
            said,
            "check address, port and firewalls in between",
        ),
        TransferError::Refused { code, .. } => refused(*code, said),
        TransferError::Socket { .. } | TransferError::Send { .. } => {
            Failure::failed(said, "ip route get ADDRESS says which way packets would go")
        }
        TransferError::Local { .. } => Failure::failed(said, "name a file or directory you may use"),
        _ => Failure::failed(said, "try again; --timeout and --attempts set the patience"),
    }
}

/// By the error codes of RFC 1350, section 5.
fn refused(code: u16, said: String) -> Failure {
    let (exit, fix) = match code {
        1 => (
            Exit::NotFound,
            "names are those below the server's root, in its upper and lower case",
        ),
        2 => (
            Exit::Denied,
            "the server's access rules decide; on Purlin: purlin tftp records",
        ),
        6 => (
            Exit::Conflict,
            "name it otherwise, or allow overwriting on the server",
        ),
        8 => (Exit::Failed, "--plain asks for no options"),
        _ => (Exit::Failed, ""),
    };
    Failure::new(exit, said, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_name_is_the_last_part() {
        assert_eq!(last_part("pxelinux.cfg/default").unwrap(), "default");
        assert_eq!(last_part("\\boot\\x64\\wdsnbp.com").unwrap(), "wdsnbp.com");
        for bad in ["", "a/", "..", "a/..", "-"] {
            assert_eq!(last_part(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn error_codes_become_exit_codes() {
        assert_eq!(refused(1, String::new()).exit, Exit::NotFound);
        assert_eq!(refused(2, String::new()).exit, Exit::Denied);
        assert_eq!(refused(6, String::new()).exit, Exit::Conflict);
        assert_eq!(refused(3, String::new()).exit, Exit::Failed);
    }
}
