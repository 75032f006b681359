//! The tree, rules, templates and uploads.

use super::codes;
use super::context::Context;
use super::keys;
use super::rules::{self, is_absolute, networks};
use super::seed::{Seed, with};
use super::templates;
use crate::settings::{Action, Files, Links, Profile, Rule, Uploads};
use purlin_config::Reader;
use std::path::PathBuf;

pub(super) fn read(
    top: &Reader<'_>,
    seed: &Seed<'_>,
    profiles: &[Profile],
    context: &mut Context<'_>,
) -> Files {
    let rules = rules::read(top, context);
    Files {
        root: root(top, context),
        links: match top.get::<String>("links").as_str() {
            "never" => Links::Never,
            "anywhere" => Links::Anywhere,
            _ => Links::Inside,
        },
        templates: templates::read(top, profiles, context),
        uploads: uploads(top, seed, &rules, context),
        rules,
    }
}

fn root(top: &Reader<'_>, context: &mut Context<'_>) -> Option<PathBuf> {
    let root: String = top.opt("root")?;
    if !is_absolute(&root) {
        let message = format!("{root:?} is no absolute path without \"..\"");
        context.refuse(
            codes::ROOT_RELATIVE,
            (top, "root"),
            message,
            "write the whole path: root = \"/srv/tftp\"",
        );
        return None;
    }
    Some(PathBuf::from(root))
}

fn uploads(top: &Reader<'_>, seed: &Seed<'_>, rules: &[Rule], context: &mut Context<'_>) -> Uploads {
    let own = top.below("uploads", &[keys::UPLOADS]);
    let allow = templates::patterns(&own, "allow", context);
    let somewhere =
        top.node("root").is_some() || rules.iter().any(|rule| matches!(rule.action, Action::Root(_)));
    if !allow.is_empty() && !somewhere {
        let message = "names may be written, but there is no root to write them below";
        context.refuse(codes::UPLOADS_NO_ROOT, (&own, "allow"), message, "set tftp.root");
    }
    let (create, overwrite): (bool, bool) = (own.get("create"), own.get("overwrite"));
    if !allow.is_empty() && !create && !overwrite {
        let message = "names may be written, but neither new files nor those that are there";
        let at = (&own, "create");
        context.refuse(
            purlin_config::codes::CONTRADICTION,
            at,
            message,
            "set create or overwrite",
        );
    }
    Uploads {
        allow,
        create,
        overwrite,
        size_max: own.get("size_max"),
        networks: networks(&own),
        write_behind: context.value(&with((&own, "write_behind"), &seed.disk, "write_behind")),
    }
}
