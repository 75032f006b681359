//! What may be asked for on the command line, and how the answer is shown.

mod bar;
mod many;
mod show;

pub(crate) use many::many;
pub(crate) use show::{rules, single};

use clap::{Parser, ValueEnum};
use purlin_sim::{Mix, Mutation};

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Whole clusters from seeds: nodes, clocks, network and database that fail, and clients that remember what they were
/// promised. A seed that breaks an invariant breaks it again.
#[derive(Debug, Parser)]
#[command(name = "purlin-sim", after_help = EXAMPLES)]
pub(crate) struct Options {
    /// This seed only
    #[arg(long, value_name = "N", conflicts_with_all = ["seeds", "minutes", "from", "first"])]
    pub(crate) seed: Option<u64>,
    /// With --seed: everything that happens, line by line
    #[arg(long, requires = "seed")]
    pub(crate) trace: bool,
    /// So many seeds
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) from: u64,
    /// As many as there is time for, instead
    #[arg(long, value_name = "M", conflicts_with = "seeds")]
    pub(crate) minutes: Option<u64>,
    /// Stop at the first seed that breaks an invariant
    #[arg(long)]
    pub(crate) first: bool,
    /// Seeds at a time; as many as there are processors when not given
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// What goes wrong: any, clocks, handovers, news
    #[arg(long, value_name = "MIX", value_parser = mix)]
    pub(crate) mix: Option<Mix>,
    /// Leave a rule out, to see it missed
    #[arg(long, value_name = "RULE", value_parser = mutation)]
    pub(crate) without: Option<Mutation>,
    /// The rules that can be left out, each with a seed that notices
    #[arg(long, conflicts_with_all = ["seed", "seeds", "minutes", "without"])]
    pub(crate) rules: bool,
    /// How the outcome is written
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    output: Form,
}

const EXAMPLES: &str = "\
Examples:
  cargo run -p purlin-sim -- --seeds 1000                        a thousand clusters; ends with 1 when one breaks
  cargo run -p purlin-sim -- --seed 42 --trace                   one of them, line by line
  cargo run -p purlin-sim -- --minutes 30 --from 100000          as many as there is time for
  cargo run -p purlin-sim -- --without fence --first             the first seed that notices that the fence is missing
  cargo run -p purlin-sim -- --seeds 200 -o json | jq .broken    for programs";

impl Options {
    pub(crate) const fn form(&self) -> Form {
        self.output
    }

    /// What was asked for; else what the rule that is left out is seen in.
    pub(crate) fn mix(&self) -> Mix {
        let of_rule = self.without.map(|mutation| mutation.rule().mix);
        self.mix.or(of_rule).unwrap_or_default()
    }
}

fn mix(name: &str) -> Result<Mix, String> {
    let found = Mix::ALL.into_iter().find(|mix| mix.name() == name);
    found.ok_or_else(|| "not any, clocks or handovers".to_owned())
}

fn mutation(name: &str) -> Result<Mutation, String> {
    Mutation::named(name).ok_or_else(|| "no rule has that name; --rules lists them".to_owned())
}
