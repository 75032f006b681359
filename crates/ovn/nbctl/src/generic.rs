//! Commands that work on any table: `list`, `find`, `get`, `set`, `add`, `remove`, `clear`, `create`, `destroy`,
//! `wait-until`, `comment`.
//!
//! Source: ovs-vsctl(8), "Database Commands".

mod change;
mod column;
mod compare;
mod look;
mod lookup;

pub use column::set_column;
pub use lookup::{ROW_IDS, RowId};

use crate::syntax::{Looks, MANY, Mode, Syntax};

/// These commands.
pub static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "comment",
        min: 0,
        max: MANY,
        arguments: "[ARG]...",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(""),
        run: |_| Ok(()),
    },
    Syntax {
        name: "get",
        min: 2,
        max: MANY,
        arguments: "TABLE RECORD [COLUMN[:KEY]]...",
        options: "--if-exists,--id=",
        mode: Mode::Reads,
        looks: Looks::AsTold(look::needs_of_get),
        run: look::get,
    },
    Syntax {
        name: "list",
        min: 1,
        max: MANY,
        arguments: "TABLE [RECORD]...",
        options: "--if-exists,--columns=",
        mode: Mode::Reads,
        looks: Looks::AsTold(look::needs_of_list),
        run: look::list,
    },
    Syntax {
        name: "find",
        min: 1,
        max: MANY,
        arguments: "TABLE [COLUMN[:KEY]=VALUE]...",
        options: "--columns=",
        mode: Mode::Reads,
        looks: Looks::AsTold(look::needs_of_find),
        run: look::find,
    },
    Syntax {
        name: "set",
        min: 3,
        max: MANY,
        arguments: "TABLE RECORD COLUMN[:KEY]=VALUE...",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_pairs),
        run: change::set,
    },
    Syntax {
        name: "add",
        min: 4,
        max: MANY,
        arguments: "TABLE RECORD COLUMN [KEY=]VALUE...",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_one),
        run: change::add,
    },
    Syntax {
        name: "remove",
        min: 4,
        max: MANY,
        arguments: "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_one),
        run: change::remove,
    },
    Syntax {
        name: "clear",
        min: 3,
        max: MANY,
        arguments: "TABLE RECORD COLUMN...",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_columns),
        run: change::clear,
    },
    Syntax {
        name: "create",
        min: 2,
        max: MANY,
        arguments: "TABLE COLUMN[:KEY]=VALUE...",
        options: "--id=",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_create),
        run: change::create,
    },
    Syntax {
        name: "destroy",
        min: 1,
        max: MANY,
        arguments: "TABLE [RECORD]...",
        options: "--if-exists,--all",
        mode: Mode::Writes,
        looks: Looks::AsTold(change::needs_of_table),
        run: change::destroy,
    },
    Syntax {
        name: "wait-until",
        min: 2,
        max: MANY,
        arguments: "TABLE RECORD [COLUMN[:KEY]=VALUE]...",
        options: "",
        mode: Mode::Reads,
        looks: Looks::AsTold(change::needs_of_pairs),
        run: look::wait_until,
    },
];
