//! What may be asked of which field.

use super::fault::{Fault, Span};
use super::number::Number;
use super::symbol::Level;
use super::syntax::{Constant, Field, Relation};

/// A comparison about to be made, with the places that a fault may name.
pub(super) struct Checked<'a> {
    pub text: &'a str,
    pub field: Field,
    pub relation: Relation,
    pub constants: &'a [Constant],
    pub braces: bool,
    /// Under an odd number of `!`.
    pub negated: bool,
    pub field_at: Span,
    pub constants_at: Span,
}

impl Checked<'_> {
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.kinds()?;
        self.widths()?;
        self.order()?;
        self.nominal()
    }

    fn at_field(&self, message: String) -> Fault {
        Fault::new(self.text, self.field_at, message)
    }

    fn at_constants(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.text, self.constants_at, message)
    }

    /// Numbers and address sets for fields with bits, texts and port groups for those without.
    fn kinds(&self) -> Result<(), Fault> {
        let name = self.field.symbol.name;
        let text = self.field.symbol.is_text();
        let wrong = self.constants.iter().find(|constant| {
            let is_text = matches!(constant, Constant::Text(_) | Constant::PortGroup(_));
            is_text != text
        });
        match (wrong, text) {
            (None, _) => Ok(()),
            (Some(wrong), true) => Err(self
                .at_constants(format!("`{name}` is the name of a port, `{wrong}` is not"))
                .help(format!("as in `{name} == \"vm1\"` or `{name} == @web_ports`"))),
            (Some(wrong), false) => Err(self
                .at_constants(format!("`{name}` is a number, `{wrong}` is a text"))
                .help("numbers and addresses stand without quotes")),
        }
    }

    fn widths(&self) -> Result<(), Fault> {
        let numbers: Vec<Number> = self
            .constants
            .iter()
            .filter_map(|constant| match constant {
                Constant::Number(number) => Some(*number),
                _ => None,
            })
            .collect();
        match too_wide(self.field, &numbers) {
            Some(message) => Err(self.at_constants(message)),
            None => Ok(()),
        }
    }

    fn order(&self) -> Result<(), Fault> {
        if matches!(self.relation, Relation::Eq | Relation::Ne) {
            return Ok(());
        }
        let symbol = self.field.symbol;
        // OVN takes a bare `$set` here and compares with all of it, which nobody means.
        let set = self.braces || matches!(self.constants, [Constant::AddressSet(_) | Constant::PortGroup(_)]);
        if set {
            return Err(self
                .at_constants(format!(
                    "`{}` compares with one value, not with a set",
                    self.relation
                ))
                .help("with a set only `==` and `!=` are possible"));
        }
        if symbol.level != Level::Ordinal {
            return Err(self
                .at_field(format!(
                    "`{}` is a {} field: `{}` has no meaning for it",
                    symbol.name,
                    symbol.level.word(),
                    self.relation
                ))
                .help("compare it with `==`, or with several values as in `== {1, 2}`"));
        }
        match self.constants {
            [Constant::Number(number)] if number.mask.is_some() => Err(self
                .at_constants(format!("`{}` does not go with a mask", self.relation))
                .help("select the bits instead, as in `eth.src[0..15] > 0x1111`")),
            _ => Ok(()),
        }
    }

    /// Nominal fields can be tested for being something, not for being something else: no flow says "any port but this".
    fn nominal(&self) -> Result<(), Fault> {
        let symbol = self.field.symbol;
        if symbol.level != Level::Nominal {
            return Ok(());
        }
        let name = symbol.name;
        if !symbol.is_predicate() {
            let wanted = if self.negated { Relation::Ne } else { Relation::Eq };
            return match self.relation == wanted {
                true => Ok(()),
                false => Err(self
                    .at_field(format!(
                        "`{name}` can only be tested for being equal, also behind `!`"
                    ))
                    .help(format!(
                        "name what you want instead, or drop `{name}` in a rule of higher priority"
                    ))),
            };
        }
        let positive = |constant: &Constant| match constant {
            Constant::Number(number) => {
                (number.value & 1 == 1) ^ (self.relation == Relation::Ne) ^ self.negated
            }
            _ => true,
        };
        match self.constants.iter().all(positive) {
            true => Ok(()),
            false => Err(self
                .at_field(format!(
                    "`{name}` can only be tested for being true: OVN has no `!{name}`"
                ))
                .help(format!(
                    "name what you want instead, or decide about `{name}` in a rule of higher priority"
                ))),
        }
    }
}

/// The sentence about the first number that does not fit into the field.
pub(super) fn too_wide(field: Field, numbers: &[Number]) -> Option<String> {
    // As OVN: against the whole symbol, not the selected bits.
    let room = field.symbol.width;
    let wide = numbers.iter().find(|number| number.width() > room)?;
    Some(format!(
        "`{wide}` has {} bits, `{}` has {room}",
        wide.width(),
        field.symbol.name
    ))
}
