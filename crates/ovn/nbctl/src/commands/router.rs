//! Logical routers.

use super::words::{ROUTER, add_named, delete_named, list_named};
use crate::syntax::{Looks, Mode, Syntax};

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "lr-add",
        min: 0,
        max: 1,
        arguments: "[ROUTER]",
        options: "--may-exist,--add-duplicate",
        mode: Mode::Writes,
        looks: Looks::Named("Logical_Router#1 name"),
        run: |ctx| add_named(ctx, &ROUTER),
    },
    Syntax {
        name: "lr-del",
        min: 1,
        max: 1,
        arguments: "ROUTER",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At("Logical_Router name ports; Logical_Router_Port name"),
        run: |ctx| delete_named(ctx, &ROUTER, "Logical_Router_Port"),
    },
    Syntax {
        name: "lr-list",
        min: 0,
        max: 0,
        arguments: "",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At("Logical_Router name"),
        run: |ctx| {
            let routers = ctx.rows(ROUTER.table);
            list_named(ctx, &routers);
            Ok(())
        },
    },
];
