//! How the database itself can be reached: connections and TLS.

use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, MANY, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum};

const CONNECTIONS: &str = "NB_Global connections; Connection target inactivity_probe";
const METHODS: [&str; 6] = ["tcp:", "ssl:", "unix:", "ptcp:", "pssl:", "punix:"];

const fn command(
    name: &'static str,
    arguments: &'static str,
    counts: (usize, usize),
    mode: Mode,
    looks: &'static str,
    run: fn(&mut Context<'_, '_>) -> Result<(), String>,
) -> Syntax {
    Syntax {
        mode,
        ..Syntax::new(name, arguments, counts, Looks::At(looks), run)
    }
}

pub(super) static COMMANDS: &[Syntax] = &[
    command("get-connection", "", (0, 0), Mode::Reads, CONNECTIONS, |ctx| {
        verify(ctx)?;
        let mut targets: Vec<_> = ctx.rows("Connection").into_iter().collect::<Vec<Row>>();
        targets.sort_by_key(|row| ctx.text(*row, "target"));
        targets.dedup_by_key(|row| ctx.text(*row, "target"));
        for row in targets {
            let target = ctx.text(row, "target");
            ctx.line(target);
        }
        Ok(())
    }),
    command("del-connection", "", (0, 0), Mode::Writes, CONNECTIONS, |ctx| {
        verify(ctx)?;
        delete(ctx)
    }),
    Syntax {
        options: "--inactivity-probe=",
        ..command(
            "set-connection",
            "TARGET...",
            (1, MANY),
            Mode::Writes,
            CONNECTIONS,
            set,
        )
    },
    command(
        "get-ssl",
        "",
        (0, 0),
        Mode::Reads,
        "NB_Global ssl; SSL private_key certificate ca_cert bootstrap_ca_cert",
        get_ssl,
    ),
    command("del-ssl", "", (0, 0), Mode::Writes, "NB_Global ssl; SSL", |ctx| {
        let global = global(ctx)?;
        if let Some(ssl) = ctx.rows("SSL").first().copied() {
            ctx.verify(global, "ssl");
            ctx.delete(ssl);
            ctx.set(global, "ssl", Datum::EMPTY);
        }
        Ok(())
    }),
    Syntax {
        options: "--bootstrap",
        ..command(
            "set-ssl",
            "PRIVATE-KEY CERTIFICATE CA-CERT [SSL-PROTOS [SSL-CIPHERS]]",
            (3, 5),
            Mode::Writes,
            "NB_Global ssl; SSL",
            set_ssl,
        )
    },
];

fn global(ctx: &Context<'_, '_>) -> Result<Row, String> {
    match ctx.rows("NB_Global").first() {
        Some(row) => Ok(*row),
        None => fail("the database has no row in NB_Global"),
    }
}

fn verify(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let global = global(ctx)?;
    ctx.verify(global, "connections");
    for row in ctx.rows("Connection") {
        ctx.verify(row, "target");
    }
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    for row in ctx.rows("Connection") {
        ctx.delete(row);
    }
    let global = global(ctx)?;
    ctx.set(global, "connections", Datum::EMPTY);
    Ok(())
}

fn set(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    verify(ctx)?;
    delete(ctx)?;
    let mut all = Vec::new();
    for target in ctx.args(1) {
        if !METHODS.iter().any(|method| target.starts_with(method)) {
            ctx.warn("nbctl", format!("target type \"{target}\" is possibly erroneous"));
        }
        let row = ctx.insert("Connection");
        ctx.set(row, "target", target.as_str());
        if let Some(probe) = ctx.option("--inactivity-probe") {
            let milliseconds = crate::address::leading_integer(probe).unwrap_or(0);
            ctx.set(row, "inactivity_probe", milliseconds);
        }
        all.push(Atom::Uuid(row.uuid));
    }
    let global = global(ctx)?;
    ctx.set(global, "connections", Datum::set(all));
    Ok(())
}

fn get_ssl(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let global = global(ctx)?;
    ctx.verify(global, "ssl");
    let Some(ssl) = ctx.rows("SSL").first().copied() else {
        return Ok(());
    };
    for column in ["private_key", "certificate", "ca_cert", "bootstrap_ca_cert"] {
        ctx.verify(ssl, column);
    }
    for (name, column) in [
        ("Private key", "private_key"),
        ("Certificate", "certificate"),
        ("CA Certificate", "ca_cert"),
    ] {
        let text = ctx.text(ssl, column);
        ctx.line(format!("{name}: {text}"));
    }
    let bootstrap = ctx.truth(ssl, "bootstrap_ca_cert") == Some(true);
    ctx.line(format!("Bootstrap: {bootstrap}"));
    Ok(())
}

fn set_ssl(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let global = global(ctx)?;
    ctx.verify(global, "ssl");
    if let Some(old) = ctx.rows("SSL").first().copied() {
        ctx.delete(old);
    }
    let ssl = ctx.insert("SSL");
    let columns = [
        "private_key",
        "certificate",
        "ca_cert",
        "ssl_protocols",
        "ssl_ciphers",
    ];
    for (column, value) in columns.iter().zip(ctx.args(1)) {
        ctx.set(ssl, column, value.as_str());
    }
    let bootstrap = ctx.has("--bootstrap");
    ctx.set(ssl, "bootstrap_ca_cert", bootstrap);
    ctx.set(global, "ssl", Atom::Uuid(ssl.uuid));
    Ok(())
}
