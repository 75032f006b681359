//! Rules applied to a name, one after the other, within a bound on the work.

use super::{Plan, codes};
use crate::plan::path::{PATH_MAX, is_part};
use crate::rule::Client;
use crate::settings::{Action, On, Rule};
use purlin_telemetry::ReasonCode;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Where the rules led.
#[derive(Debug)]
pub(super) enum Walked<'n> {
    Name {
        name: Cow<'n, str>,
        root: Option<Arc<Path>>,
    },
    Refused(ReasonCode),
    /// From here on it depends on who asks, and nobody in particular does.
    Forks,
}

/// What is to be done at a rule that fits the name.
#[derive(Debug)]
pub(super) enum Step<'c> {
    Known(Client<'c>),
    Forks,
}

/// Octets of names that all patterns together may look at for one request: some milliseconds at the very worst.
const WORK: usize = 128 * 1024;

/// What a rule did.
enum Done {
    Fitted,
    Refused(ReasonCode),
}

struct State<'n> {
    name: Cow<'n, str>,
    root: Option<Arc<Path>>,
    work: usize,
}

impl Plan {
    /// Applies the rules. `step` is asked at every rule (by its index) that fits the name as it stands, `fits` whether the rule is for this client.
    pub(super) fn walk<'n, 'c>(
        &self,
        name: &'n str,
        write: bool,
        step: &mut dyn FnMut(usize, &str) -> Step<'c>,
        fits: impl Fn(&Rule) -> bool,
    ) -> Walked<'n> {
        let rules = &self.settings.files.rules;
        let mut state = State {
            name: Cow::Borrowed(name),
            root: None,
            work: WORK,
        };
        let mut at = 0;
        while let Some(rule) = rules.get(at) {
            at += 1;
            let off = match rule.on {
                On::All => false,
                On::Read => write,
                On::Write => !write,
            };
            if off || !fits(rule) {
                continue;
            }
            if !state.spend() {
                return Walked::Refused(codes::RULE_LOOP);
            }
            if rule.pattern.fits(&state.name) == rule.inverse {
                continue;
            }
            let Step::Known(client) = step(at - 1, &state.name) else {
                return Walked::Forks;
            };
            match self.act(rule, at - 1, &client, &mut state) {
                Done::Refused(code) => return Walked::Refused(code),
                Done::Fitted if rule.last => break,
                Done::Fitted if rule.restart => at = 0,
                Done::Fitted => {}
            }
        }
        Walked::Name {
            name: state.name,
            root: state.root,
        }
    }

    fn act(&self, rule: &Rule, index: usize, client: &Client<'_>, state: &mut State<'_>) -> Done {
        match &rule.action {
            Action::Keep => {}
            Action::Refuse => return Done::Refused(codes::RULE_REFUSES),
            Action::Root(root) => match &self.rule_roots[index] {
                Some(fixed) => state.root = Some(Arc::clone(fixed)),
                None => match rule.pattern.fill(&state.name, root, client, is_part) {
                    Some(tree) => state.root = Some(Arc::from(Path::new(&tree))),
                    None => return Done::Refused(codes::ROOT_MARK),
                },
            },
            Action::Replace { with, all } => {
                while let Some(next) = rule.pattern.replace(&state.name, with, client, *all) {
                    let same = *next == *state.name;
                    if next.len() > PATH_MAX {
                        return Done::Refused(codes::NAME_LONG);
                    }
                    state.name = Cow::Owned(next);
                    if !*all || same || !rule.pattern.fits(&state.name) {
                        break;
                    }
                    if !state.spend() {
                        return Done::Refused(codes::RULE_LOOP);
                    }
                }
            }
        }
        Done::Fitted
    }
}

impl State<'_> {
    /// Takes one look of a pattern at the name from the budget.
    fn spend(&mut self) -> bool {
        let left = self.work.checked_sub(self.name.len() + 16);
        self.work = left.unwrap_or(0);
        left.is_some()
    }
}
