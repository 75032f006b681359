//! The text of `ovn-trace --detailed`, as values.
//!
//! ```text
//! # tcp,reg14=0x2,...                                                       the packet
//!
//! ingress(dp="sw0", inport="vm1")                                           a section, underlined
//! -------------------------------
//!  4. ls_in_pre_acl (northd.c:5922): ip, priority 100, uuid 8747b390        a flow that matched
//!     reg0[0] = 1;                                                          what it does
//!     next;
//! ```

use std::fmt;

/// A trace, section by section. What branches stands one after the other, deeper indented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace {
    /// The packet, in the words of OpenFlow.
    pub packet: String,
    pub sections: Vec<Section>,
}

/// A run through one pipeline, or its going on after connection tracking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// `ingress`, `egress`, `ct_next`, `ct_lb_mark`, `multicast` and the like.
    pub name: String,
    pub datapath: Option<String>,
    pub inport: Option<String>,
    pub outport: Option<String>,
    /// Steps of indentation.
    pub depth: usize,
    pub steps: Vec<Step>,
}

/// A flow that matched, or the lack of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    pub table: u8,
    /// `ls_in_acl` and the like.
    pub stage: String,
    /// None where no flow matched, which drops the packet.
    pub flow: Option<Flow>,
    pub actions: Vec<String>,
    /// Ports that the packet leaves by here, with their types.
    pub outputs: Vec<(String, String)>,
    /// Lines that the flow would write into a log.
    pub logs: Vec<String>,
}

/// A logical flow, as far as a trace names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    pub expression: String,
    pub priority: u32,
    /// First eight digits of its UUID in the southbound database.
    pub uuid: String,
}

/// What was given is no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceError {
    /// `ovn-trace`'s own words, where it had some.
    pub said: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said.as_str() {
            "" => f.write_str("the trace is empty"),
            said => write!(f, "no trace: {said}"),
        }
    }
}

impl std::error::Error for TraceError {}

/// Reads a trace. Anything but a trace is refused with its first line.
pub fn read(text: &str) -> Result<Trace, TraceError> {
    let mut trace = Trace::default();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let words = line.trim();
        let under = lines.get(at + 1).is_some_and(|next| is_rule(next));
        if words.is_empty() || is_rule(line) {
            continue;
        }
        if let Some(packet) = words.strip_prefix("# ") {
            trace.packet = packet.to_owned();
        } else if words.starts_with("LOG:") {
            if let Some(step) = last_step(&mut trace) {
                step.logs.push(words.to_owned());
            }
        } else if under {
            trace.sections.push(section(line));
        } else if let Some(step) = step(words) {
            if let Some(section) = trace.sections.last_mut() {
                section.steps.push(step);
            }
        } else if let Some(step) = last_step(&mut trace) {
            match output(words) {
                Some(output) => step.outputs.push(output),
                None => step.actions.push(words.to_owned()),
            }
        }
    }
    match trace.sections.is_empty() {
        false => Ok(trace),
        true => Err(TraceError {
            said: lines
                .iter()
                .map(|line| line.trim())
                .find(|line| !line.is_empty())
                .unwrap_or_default()
                .to_owned(),
        }),
    }
}

fn last_step(trace: &mut Trace) -> Option<&mut Step> {
    trace.sections.last_mut()?.steps.last_mut()
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() > 2 && line.bytes().all(|c| c == b'-')
}

/// `egress(dp="sw0", inport="vm1", outport="vm2")`, `ct_next(ct_state=est|trk /* default */)`, `ct_lb_mark`.
fn section(line: &str) -> Section {
    let depth = line.len() - line.trim_start().len();
    let line = line.trim();
    let end = line.find(['(', ' ']).unwrap_or(line.len());
    let field = |name: &str| {
        let start = line.find(&format!("{name}=\""))? + name.len() + 2;
        let length = line[start..].find('"')?;
        Some(line[start..start + length].to_owned())
    };
    Section {
        name: line[..end].to_owned(),
        datapath: field("dp"),
        inport: field("inport"),
        outport: field("outport"),
        depth: depth / 4,
        steps: Vec::new(),
    }
}

/// ` 4. ls_out_acl (northd.c:6571): MATCH, priority 2002, uuid 205819e0`, or without a match.
fn step(line: &str) -> Option<Step> {
    let (table, rest) = line.split_once(". ")?;
    let table = table.parse().ok()?;
    let (head, rest) = rest.split_once(": ")?;
    let stage = head.split(' ').next()?.to_owned();
    if stage.is_empty() || !stage.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') {
        return None;
    }
    Some(Step {
        table,
        stage,
        flow: flow(rest),
        ..Step::default()
    })
}

fn flow(text: &str) -> Option<Flow> {
    let (text, uuid) = text.rsplit_once(", uuid ")?;
    let (expression, priority) = text.rsplit_once(", priority ")?;
    Some(Flow {
        expression: expression.to_owned(),
        priority: priority.parse().ok()?,
        uuid: uuid.split_whitespace().next()?.to_owned(),
    })
}

/// `/* output to "vm1", type "" */`
fn output(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("/* output to \"")?;
    let (port, rest) = rest.split_once("\", type \"")?;
    Some((port.to_owned(), rest.split_once('"')?.0.to_owned()))
}
