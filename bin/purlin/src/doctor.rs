//! `purlin doctor`: what on this machine, or in this node, would keep clients from their addresses and boot files.
//!
//! Each check is one file and answers with findings; a finding that is not a pass carries its fix.

#[cfg(feature = "tftp")]
mod boot;
#[cfg(feature = "chain")]
mod chain;
mod clock;
mod cluster;
mod config;
mod disk;
#[cfg(feature = "dhcp")]
mod interfaces;
mod kernel;
mod limits;
#[cfg(feature = "tftp")]
mod load;
mod node;
mod ports;
mod privileges;
mod reach;
#[cfg(feature = "dhcp")]
mod rogue;
#[cfg(feature = "tftp")]
mod tuning;

use crate::cli::Context;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin doctor
  purlin doctor --config purlin.toml              before the first start
  purlin doctor --interface eth0                  also look for other DHCP servers there
  purlin doctor -o json

Exit code 1 when a check fails; warnings do not count.")]
pub(crate) struct Args {
    /// Check this configuration and the machine for it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[cfg(feature = "dhcp")]
    /// Look for DHCP servers on this interface by broadcasting a DISCOVER; may be repeated.
    #[arg(long = "interface", value_name = "NAME")]
    interfaces: Vec<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    Pass,
    Warn,
    Fail,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    check: Cow<'static, str>,
    grade: Grade,
    said: String,
    fix: String,
}

impl Finding {
    fn pass(check: &'static str, said: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            grade: Grade::Pass,
            said: said.into(),
            fix: String::new(),
        }
    }

    fn warn(check: &'static str, said: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            grade: Grade::Warn,
            said: said.into(),
            fix: fix.into(),
        }
    }

    fn fail(check: &'static str, said: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            grade: Grade::Fail,
            said: said.into(),
            fix: fix.into(),
        }
    }

    /// As a node tells it of itself: the shape of [`Self::as_json`].
    pub(crate) fn read(item: &Value) -> Self {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        Self {
            check: text("name").into(),
            grade: match item["grade"].as_str() {
                Some("pass") => Grade::Pass,
                Some("warn") => Grade::Warn,
                _ => Grade::Fail,
            },
            said: text("detail"),
            fix: text("fix"),
        }
    }

    /// `{"name", "grade", "ok", "detail", "fix"}`; a warning is ok.
    pub(crate) fn as_json(&self) -> Value {
        let ok = self.grade != Grade::Fail;
        json!({"name": self.check, "grade": self.grade.word(), "ok": ok, "detail": self.said, "fix": self.fix})
    }
}

impl Grade {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Pass => Tone::Good,
            Self::Warn => Tone::Warning,
            Self::Fail => Tone::Bad,
        }
    }
}

const KIND: Kind = Kind {
    plural: "findings",
    name: "name",
    columns: &[
        Column::new("GRADE", "grade", Show::Text),
        Column::new("CHECK", "name", Show::Text),
        Column::new("FOUND", "detail", Show::Text),
        Column::new("FIX", "fix", Show::Text),
    ],
};

pub(crate) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut findings = machine(context.data_dir());
    let settings = args.config.as_deref().and_then(|file| {
        let (finding, settings) = config::check(file);
        findings.push(finding);
        settings
    });
    if let Some(settings) = &settings {
        findings.extend(reach::check(settings).await);
    }
    findings.extend(node::check(context).await);
    findings.extend(cluster::check(context).await);
    #[cfg(feature = "chain")]
    findings.extend(chain::check(context).await);
    if !node::runs(context) {
        let wanted = settings
            .as_ref()
            .map_or_else(|| crate::ports::DEFAULTS.to_vec(), crate::up::wanted_ports);
        findings.extend(ports::check(&wanted));
    }
    #[cfg(feature = "dhcp")]
    {
        let interfaces = settings.iter().flat_map(|s| &s.services.dhcp.service.interfaces);
        findings.extend(interfaces::check(interfaces));
        findings.extend(rogue::check(&args.interfaces, context).await);
    }
    #[cfg(feature = "tftp")]
    findings.extend(boot::check(settings.as_ref(), context).await);
    show(&findings, context)?;
    Ok(exit(&findings))
}

/// Warnings do not count.
pub(crate) fn exit(findings: &[Finding]) -> Exit {
    let failed = findings.iter().any(|finding| finding.grade == Grade::Fail);
    if failed { Exit::Failed } else { Exit::Ok }
}

/// What can be said of this machine alone; a running node says it of itself as well.
pub(crate) fn machine(data_dir: &std::path::Path) -> Vec<Finding> {
    let facts = purlin_netio::Facts::read();
    let mut findings = privileges::check(&facts);
    findings.extend(limits::check(&facts));
    findings.extend(kernel::check());
    findings.extend(clock::check());
    findings.extend(disk::check(data_dir));
    findings
}

fn show(findings: &[Finding], context: &Context) -> Result<(), crate::exit::Failure> {
    if context.form() != Form::Table {
        let rows: Vec<Value> = findings.iter().map(Finding::as_json).collect();
        return output::list(&context.view(), KIND, &rows);
    }
    report(findings);
    Ok(())
}

/// Line by line, with the fixes.
pub(crate) fn report(findings: &[Finding]) {
    let paint = Paint::stdout();
    for finding in findings {
        let grade = paint.text(finding.grade.tone(), finding.grade.word());
        say!("{grade}  {:<12} {}", finding.check, finding.said);
        if !finding.fix.is_empty() {
            say!("{:>18} fix: {}", "", finding.fix);
        }
    }
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    say!(
        "\n{} passed, {} warnings, {} failed",
        count(Grade::Pass),
        count(Grade::Warn),
        count(Grade::Fail)
    );
}
