//! What stands where a service was left out of this binary: its commands and sections are known and refused.

use crate::exit::{Failure, Outcome};
use purlin_config::{Document, Fault, Faults, Section, codes};
use std::ffi::OsString;

/// A service that is not in this binary.
pub(crate) struct Absent {
    feature: &'static str,
    name: &'static str,
    sections: &'static [Section],
}

static DHCP: Absent = Absent {
    feature: "dhcp",
    name: "DHCP",
    sections: &[Section::new("dhcp", "Addresses; not in this binary.", &[])],
};

static TFTP: Absent = Absent {
    feature: "tftp",
    name: "boot file",
    sections: &[
        Section::new("tftp", "Boot files over TFTP and HTTP; not in this binary.", &[]),
        Section::new("boot", "Boot profiles; not in this binary.", &[]),
    ],
};

static OVN: Absent = Absent {
    feature: "ovn",
    name: "OVN",
    sections: &[Section::new("ovn", "Virtual networks; not in this binary.", &[])],
};

static CHAIN: Absent = Absent {
    feature: "chain",
    name: "chain",
    sections: &[Section::new("chain", "An EVM chain; not in this binary.", &[])],
};

/// All that were left out.
pub(crate) const ALL: &[&Absent] = &[
    #[cfg(not(feature = "dhcp"))]
    &DHCP,
    #[cfg(not(feature = "tftp"))]
    &TFTP,
    #[cfg(not(feature = "ovn"))]
    &OVN,
    #[cfg(not(feature = "chain"))]
    &CHAIN,
];

/// Any words behind a noun.
#[derive(Debug, clap::Subcommand)]
#[command(before_help = "This binary was built without this service; `purlin version` lists what is in.")]
pub(crate) enum Words {
    #[command(external_subcommand)]
    Any(Vec<OsString>),
}

/// Any arguments, of a command or of a program.
#[derive(Debug, clap::Parser)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    all: Vec<OsString>,
}

impl Absent {
    fn refuse(&self) -> Outcome {
        Err(Failure::failed(
            format!("this purlin was built without the {} service", self.name),
            format!(
                "cargo build -p purlin --features {}; `purlin version` lists what is in",
                self.feature
            ),
        ))
    }
}

/// Where sections of these services appear, they are faults.
pub(crate) fn refuse_sections(absent: &[&Absent], document: &Document, faults: &mut Faults) {
    let Some(table) = document.root().as_table() else {
        return;
    };
    for service in absent {
        for section in service.sections {
            let Some(entry) = table.entry(section.name) else {
                continue;
            };
            let message = format!(
                "`{}` is a section of the {} service, which this binary was built without",
                section.name, service.name
            );
            let fault = Fault::error(codes::BUILT_WITHOUT, section.name, entry.key_span, message);
            faults.push(fault.help("remove it, or use a binary that has the service"));
        }
    }
}

/// Their names, so that they are refused in one way only.
pub(crate) fn sections() -> Vec<&'static Section> {
    ALL.iter().flat_map(|absent| absent.sections).collect()
}

/// The commands of the DHCP service.
#[cfg(not(feature = "dhcp"))]
pub(crate) mod dhcp {
    use super::{Arguments, DHCP};
    use crate::cli::Context;
    use crate::exit::Outcome;

    pub(crate) use super::{Arguments as BenchArgs, Words as Command};

    pub(crate) const EXAMPLES: &str = "";

    pub(crate) fn run(_: Command, _: &Context) -> Outcome {
        DHCP.refuse()
    }

    pub(crate) fn bench(_: &Arguments, _: &Context) -> Outcome {
        DHCP.refuse()
    }

    pub(crate) fn daemon(_: Arguments) -> Outcome {
        DHCP.refuse()
    }
}

#[cfg(not(feature = "tftp"))]
pub(crate) use tftp as boot;

/// The commands of the boot file service.
#[cfg(not(feature = "tftp"))]
pub(crate) mod tftp {
    use super::{Arguments, TFTP};
    use crate::cli::Context;
    use crate::exit::Outcome;

    pub(crate) use super::{Arguments as BenchArgs, Words as Command};

    pub(crate) const EXAMPLES: &str = "";

    pub(crate) fn run(_: &Command, _: &Context) -> Outcome {
        TFTP.refuse()
    }

    pub(crate) fn bench(_: &Arguments, _: &Context) -> Outcome {
        TFTP.refuse()
    }

    pub(crate) fn daemon(_: Arguments) -> Outcome {
        TFTP.refuse()
    }
}

/// The commands of the OVN service.
#[cfg(not(feature = "ovn"))]
pub(crate) mod ovn {
    use super::{Arguments, OVN};
    use crate::cli::Context;
    use crate::exit::Outcome;

    pub(crate) use super::{Arguments as BenchArgs, Words as Command};

    pub(crate) const EXAMPLES: &str = "";

    pub(crate) fn bench(_: &Arguments, _: &Context) -> Outcome {
        OVN.refuse()
    }

    pub(crate) fn run(_: &Command, _: &Context) -> Outcome {
        OVN.refuse()
    }
}

/// The commands of the chain.
#[cfg(not(feature = "chain"))]
pub(crate) mod chain {
    use super::{Arguments, CHAIN};
    use crate::cli::Context;
    use crate::exit::Outcome;

    pub(crate) use super::{Arguments as BenchArgs, Words as Command};

    pub(crate) const EXAMPLES: &str = "";

    pub(crate) fn bench(_: &Arguments, _: &Context) -> Outcome {
        CHAIN.refuse()
    }

    pub(crate) fn run(_: &Command, _: &Context) -> Outcome {
        CHAIN.refuse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use purlin_config::Input;

    #[test]
    fn sections_of_a_service_that_was_left_out_are_refused_by_name() {
        let text = "[dhcp]\nlisten = []\n[boot]\n[api]\n";
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("a.toml", text)], &mut faults);
        refuse_sections(&[&DHCP, &TFTP], &document, &mut faults);
        let told = faults.to_text(&document, false);
        for service in ["the DHCP service", "the boot file service"] {
            let words = format!("{service}, which this binary was built without");
            assert!(told.contains(&words), "{told}");
        }
        assert_eq!(faults.errors(), 2);
    }

    #[test]
    fn its_commands_take_anything_and_say_that_it_is_not_there() {
        for words in [&["x"][..], &["x", "--help"], &["x", "a", "-o", "json", "--b=c"]] {
            assert!(Arguments::try_parse_from(words).is_ok(), "{words:?}");
        }
        let failure = DHCP.refuse().expect_err("nothing can be done");
        assert!(
            failure.what.contains("built without the DHCP service"),
            "{}",
            failure.what
        );
    }
}
