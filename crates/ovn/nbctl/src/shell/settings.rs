//! The program's options, settled.

use super::engine::Until;
use super::log::Verbosity;
use super::options::{Given, What};
use crate::line::Options;
use crate::table::{Data, Format, Style};
use purlin_ovsdb::client::Follow;
use std::path::PathBuf;
use std::time::Duration;

/// How to go into the background.
#[derive(Debug, Clone, Default)]
pub(super) struct Detach {
    pub(super) pid_file: Option<Option<PathBuf>>,
    pub(super) overwrite: bool,
    pub(super) stay: bool,
}

/// The program's options, settled.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) database: Option<String>,
    pub(super) socket: Option<String>,
    pub(super) any_member: bool,
    pub(super) wait: Option<Until>,
    pub(super) print_wait_time: bool,
    pub(super) dry_run: bool,
    pub(super) oneline: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) style: Style,
    pub(super) detach: Option<Detach>,
    pub(super) verbosity: Verbosity,
    pub(super) log_file: Option<Option<PathBuf>>,
    pub(super) private_key: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) authority: Option<PathBuf>,
    /// Options of the first command.
    pub(super) local: Options,
}

impl Settings {
    /// Whom of a cluster to listen to.
    pub(super) const fn follow(&self) -> Follow {
        if self.any_member {
            Follow::Any
        } else {
            Follow::Leader
        }
    }

    /// Settles options; the last of several counts.
    pub(super) fn of(options: &[Given]) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut detach = Detach::default();
        let mut detached = false;
        for option in options {
            let text = option.value.clone().unwrap_or_default();
            let path = || option.value.clone().map(PathBuf::from);
            match option.what {
                What::Db => settings.database = option.value.clone(),
                What::Socket => settings.socket = option.value.clone(),
                What::LeaderOnly => settings.any_member = false,
                What::AnyMember => settings.any_member = true,
                What::Detach => detached = true,
                What::PidFile => detach.pid_file = Some(path()),
                What::OverwritePidFile => detach.overwrite = true,
                What::NoChdir => detach.stay = true,
                What::Monitor | What::User => {
                    let name = option.name;
                    return Err(format!("--{name} is not supported: let a service manager do it"));
                }
                What::PrivateKey => settings.private_key = path(),
                What::Certificate => settings.certificate = path(),
                What::Authority | What::BootstrapAuthority => settings.authority = path(),
                What::Verbose => settings.verbosity.set(option.value.as_deref())?,
                What::LogFile => settings.log_file = Some(path()),
                _ => settings.of_line(option, &text)?,
            }
        }
        settings.detach = detached.then_some(detach);
        Ok(settings)
    }

    /// Options that lines for a daemon may have too.
    fn of_line(&mut self, option: &Given, text: &str) -> Result<(), String> {
        match option.what {
            What::NoWait => self.wait = None,
            What::Wait => self.wait = until(text)?,
            What::PrintWaitTime => self.print_wait_time = true,
            What::DryRun => self.dry_run = true,
            What::OneLine => self.oneline = true,
            What::Timeout => self.timeout = Some(timeout(text)?),
            What::Format => self.style.format = Format::parse(text)?,
            What::Data => self.style.data = Data::parse(text)?,
            What::NoHeadings => self.style.headings = false,
            What::Pretty => self.style.pretty = true,
            What::Bare => {
                self.style.format = Format::List;
                self.style.data = Data::Bare;
                self.style.headings = false;
            }
            What::ColumnMax => self.style.column_max = text.parse().unwrap_or(0),
            What::Local => {
                let name = format!("--{}", option.name);
                if self.local.contains_key(&name) {
                    return Err(format!("'{name}' option specified multiple times"));
                }
                self.local.insert(name, option.value.clone());
            }
            _ => {}
        }
        Ok(())
    }
}

fn until(text: &str) -> Result<Option<Until>, String> {
    match text {
        "none" => Ok(None),
        "sb" => Ok(Some(Until::Southbound)),
        "hv" => Ok(Some(Until::Hypervisors)),
        _ => Err("argument to --wait must be \"none\", \"sb\", or \"hv\"".to_owned()),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| format!("value {text} on -t or --timeout is invalid"))?;
    Ok(Duration::from_secs(seconds.into()))
}
