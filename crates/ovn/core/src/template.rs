//! Templates: sets of rules with typed variables, previewed before they are written.
//!
//! A variable is a value of a type, never a piece of text that is pasted: what stands in `{{name}}` is printed by its type
//! (a port in quotes, an address as an address), and the whole is read again as an expression before anything else
//! happens. Rules speak of `ingress` and `egress` as people do; OVN's words are `to-lport` and `from-lport`.

mod builtin;
mod value;

use crate::expr::parse;
use crate::model::{Change, Child, Owner, State};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Datum, Row, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use builtin::builtins;
pub use value::Kind;

/// A set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// How it is asked for.
    pub id: String,
    pub name: String,
    pub description: String,
    pub category: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub variables: Vec<Variable>,
    pub rules: Vec<TemplateRule>,
}

/// Something that whoever uses the template says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    pub example: String,
}

/// From whose side a direction is told: that of the ports behind the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the ports.
    #[serde(alias = "to-lport")]
    Ingress,
    /// From the ports.
    #[serde(alias = "from-lport")]
    Egress,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRule {
    pub name: String,
    pub direction: Direction,
    pub priority: u16,
    /// An expression with `{{variables}}`.
    #[serde(rename = "match")]
    pub expression: String,
    pub action: String,
    #[serde(default)]
    pub log: bool,
}

/// A rule as it will be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    pub name: String,
    /// `to-lport` or `from-lport`.
    pub direction: &'static str,
    pub priority: u16,
    #[serde(rename = "match")]
    pub expression: String,
    pub action: String,
    pub log: bool,
}

impl Ready {
    /// Whether this row says just that.
    fn is(&self, state: &State<'_>, acl: Uuid) -> bool {
        let text = |column: &str| state.text("ACL", acl, column).unwrap_or_default();
        let value = |column: &str| state.value("ACL", acl, column).and_then(Datum::one);
        text("name") == self.name
            && text("direction") == self.direction
            && value("priority").and_then(Atom::as_integer) == Some(i64::from(self.priority))
            && text("match") == self.expression
            && text("action") == self.action
            && value("log") == Some(&Atom::from(self.log))
    }
}

impl Direction {
    /// The word of OVN.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ingress => "to-lport",
            Self::Egress => "from-lport",
        }
    }
}

impl Template {
    /// Checks the template itself: every variable that a rule uses is there, and with the examples every rule is an
    /// expression.
    pub fn check(&self) -> Vec<Problem> {
        let examples = self
            .variables
            .iter()
            .map(|v| (v.name.clone(), v.example.clone()))
            .collect();
        match self.preview(&examples) {
            Ok(_) => Vec::new(),
            Err(problems) => problems,
        }
    }

    /// The rules with these variables. All problems are found: missing and unknown variables, values of another type,
    /// rules that are no expressions.
    pub fn preview(&self, given: &BTreeMap<String, String>) -> Result<Vec<Ready>, Vec<Problem>> {
        let mut problems = Vec::new();
        for name in given
            .keys()
            .filter(|name| !self.variables.iter().any(|v| v.name == **name))
        {
            let known = self.variables.iter().map(|variable| variable.name.as_str());
            let problem = Problem::error(
                "template-variable",
                name.as_str(),
                "the template has no such variable",
            );
            problems.push(problem.nearest(name, known));
        }
        let mut values = BTreeMap::new();
        for variable in &self.variables {
            let text = given.get(&variable.name).or(variable.default.as_ref());
            match text.map(|text| variable.kind.print(text)) {
                Some(Ok(printed)) => {
                    values.insert(variable.name.as_str(), printed);
                }
                Some(Err(why)) => {
                    let problem = Problem::error("template-value", variable.name.as_str(), why);
                    problems.push(problem.help(format!("as in `{}`", variable.example)));
                }
                None => {
                    let problem =
                        Problem::error("template-missing", variable.name.as_str(), "a value is missing");
                    problems.push(problem.help(format!("as in `{}`", variable.example)));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let (mut ready, mut faults) = (Vec::new(), Vec::new());
        for rule in &self.rules {
            match rule.ready(&values) {
                Ok(rule) => ready.push(rule),
                Err(problem) => faults.push(problem.within(&rule.name)),
            }
        }
        if faults.is_empty() { Ok(ready) } else { Err(faults) }
    }
}

impl TemplateRule {
    fn ready(&self, values: &BTreeMap<&str, String>) -> Result<Ready, Problem> {
        let expression = filled(&self.expression, values)?;
        if let Err(fault) = parse(&expression) {
            return Err(Problem::error("template-rule", "match", fault.to_string()));
        }
        Ok(Ready {
            name: self.name.clone(),
            direction: self.direction.word(),
            priority: self.priority,
            expression,
            action: self.action.clone(),
            log: self.log,
        })
    }
}

fn filled(text: &str, values: &BTreeMap<&str, String>) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, behind)) = behind.split_once("}}") else {
            return Err(Problem::error("template-rule", "match", "`{{` without `}}`"));
        };
        let Some(value) = values.get(name.trim()) else {
            let problem = Problem::error(
                "template-rule",
                "match",
                format!("no variable `{}` is declared", name.trim()),
            );
            return Err(problem.nearest(name.trim(), values.keys().copied()));
        };
        out.push_str(before);
        out.push_str(value);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The rules that this owner does not have there yet, so that a template that is used twice is there once.
pub fn missing(rules: &[Ready], state: &State<'_>, target: &Child, owner: &str) -> Vec<Ready> {
    let owner = Owner::Purlin(owner.to_owned());
    let acls = state.targets(&target.table, target.uuid, &target.column);
    let is_there = |rule: &&Ready| {
        acls.iter()
            .any(|acl| state.owner("ACL", *acl) == owner && rule.is(state, *acl))
    };
    rules.iter().filter(|rule| !is_there(rule)).cloned().collect()
}

/// Changes that put the rules on a switch or a port group. Every one of them is in the plan, or none is written.
pub fn changes(rules: &[Ready], target: &Child, mut uuids: impl FnMut() -> Uuid) -> Vec<Change> {
    let change = |rule: &Ready| {
        let row = Row::new()
            .with("name", Atom::from(&rule.name))
            .with("direction", Atom::from(rule.direction))
            .with("priority", Atom::from(i64::from(rule.priority)))
            .with("match", Atom::from(&rule.expression))
            .with("action", Atom::from(&rule.action))
            .with("log", Atom::from(rule.log));
        Change::Insert {
            table: "ACL".to_owned(),
            uuid: uuids(),
            row,
            parent: Some(target.clone()),
        }
    };
    rules.iter().map(change).collect()
}
