//! Tables by the names that people type, and what is known of their columns.
//!
//! The schemas in the binary are those of the OVN it was built for. A table or column of a newer one goes to the node as
//! it was typed, and the node says what it thinks of it.

use crate::exit::{Exit, Failure};
use purlin_ovsdb::{ColumnType, DatabaseSchema, schemas};
use std::sync::OnceLock;

/// One of OVN's two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    North,
    South,
}

/// Words that no rule below leads to a table.
const CALLED: &[(&str, &str)] = &[
    ("switch", "Logical_Switch"),
    ("port", "Logical_Switch_Port"),
    ("router", "Logical_Router"),
    ("router_port", "Logical_Router_Port"),
    ("lrp", "Logical_Router_Port"),
    ("route", "Logical_Router_Static_Route"),
    ("policy", "Logical_Router_Policy"),
    ("lb", "Load_Balancer"),
    ("flow", "Logical_Flow"),
    ("dhcp", "DHCP_Options"),
    ("group", "Port_Group"),
    ("as", "Address_Set"),
];

impl Side {
    pub(super) const fn of(south: bool) -> Self {
        if south { Self::South } else { Self::North }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::North => "/api/v1/ovn/nb",
            Self::South => "/api/v1/ovn/sb",
        }
    }

    fn schema(self) -> &'static DatabaseSchema {
        static SCHEMAS: [OnceLock<DatabaseSchema>; 2] = [OnceLock::new(), OnceLock::new()];
        let (known, text) = match self {
            Self::North => (&SCHEMAS[0], schemas::NB),
            Self::South => (&SCHEMAS[1], schemas::SB),
        };
        known.get_or_init(|| {
            let json = serde_json::from_str(text).expect("OVN's schema is JSON");
            DatabaseSchema::parse(&json).expect("OVN's schema is one")
        })
    }

    /// The table that is meant: by its name, in any writing, by a unique beginning, or by its initials.
    pub(super) fn table(self, word: &str) -> Result<String, Failure> {
        let tables: Vec<&str> = self.schema().tables.keys().map(String::as_str).collect();
        let folded = folded(word);
        let is = |test: &dyn Fn(&str) -> bool| -> Vec<&str> {
            tables.iter().copied().filter(|table| test(table)).collect()
        };
        let plural = |name: &str| {
            ["s", "es"]
                .iter()
                .any(|end| folded.strip_suffix(end) == Some(name))
        };
        let called = CALLED
            .iter()
            .find(|(name, table)| (folded == *name || plural(name)) && tables.contains(table));
        if let Some((_, table)) = called {
            return Ok((*table).to_owned());
        }
        let candidates = [
            is(&|table| table == word),
            is(&|table| self::folded(table) == folded),
            is(&|table| initials(table) == folded),
            is(&|table| self::folded(table).starts_with(&folded)),
        ];
        match candidates
            .iter()
            .find(|found| !found.is_empty())
            .map(Vec::as_slice)
        {
            Some([one]) => Ok((*one).to_owned()),
            Some(several) => Err(Failure::usage(
                format!("{word} may be {}", several.join(", ")),
                "write more of the name",
            )),
            None if word.starts_with(|c: char| c.is_ascii_uppercase()) => Ok(word.to_owned()),
            None => {
                let near = purlin_config::nearest(word, tables.iter().copied());
                let fix = near.map_or_else(
                    || "purlin ovn list".to_owned(),
                    |near| format!("did you mean {near}? 'purlin ovn list' shows all"),
                );
                let what = format!("OVN has no table {word}");
                Err(Failure::new(Exit::NotFound, what, fix))
            }
        }
    }

    /// What a column may hold, where that is known.
    pub(super) fn column(self, table: &str, column: &str) -> Option<&'static ColumnType> {
        Some(&self.schema().table(table)?.column(column)?.kind)
    }

    /// The columns of a table in the order of their names.
    pub(super) fn columns(self, table: &str) -> Vec<&'static str> {
        let table = self.schema().table(table);
        table
            .into_iter()
            .flat_map(|table| table.columns.keys().map(String::as_str))
            .collect()
    }
}

fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('-', "_")
}

/// `lsp` of `Logical_Switch_Port`.
fn initials(table: &str) -> String {
    folded(table)
        .split('_')
        .filter_map(|part| part.chars().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_every_way_of_calling_it() {
        for (word, table) in [
            ("Logical_Switch", "Logical_Switch"),
            ("logical-switch", "Logical_Switch"),
            ("switch", "Logical_Switch"),
            ("switches", "Logical_Switch"),
            ("ports", "Logical_Switch_Port"),
            ("ls", "Logical_Switch"),
            ("lsp", "Logical_Switch_Port"),
            ("lr", "Logical_Router"),
            ("lrp", "Logical_Router_Port"),
            ("lb", "Load_Balancer"),
            ("acl", "ACL"),
            ("ACL", "ACL"),
            ("nat", "NAT"),
            ("pg", "Port_Group"),
            ("dhcp_opt", "DHCP_Options"),
            ("Chassis_Template_Var", "Chassis_Template_Var"),
            ("Table_Of_A_Newer_OVN", "Table_Of_A_Newer_OVN"),
        ] {
            assert_eq!(Side::North.table(word).expect(word), table, "{word}");
        }
        assert_eq!(Side::South.table("chassis").expect("it is one"), "Chassis");
        assert_eq!(Side::South.table("flows").expect("it is one"), "Logical_Flow");
    }

    #[test]
    fn what_is_no_table_or_several_is_refused_with_those_that_are() {
        let failure = Side::North.table("logical_rout").expect_err("three begin so");
        assert!(failure.what.contains("Logical_Router_Port"), "{failure}");
        let failure = Side::North.table("loadbalancr").expect_err("none is called so");
        assert!(failure.fix.contains("did you mean Load_Balancer?"), "{failure}");
        assert_eq!(failure.exit, Exit::NotFound);
    }
}
