//! The suite's programs of fixed steps: single keys and elements, rows by what points to them, what a server has.

use super::rows;
use crate::Outcome;
use purlin_ovsdb::cache::Index;
use purlin_ovsdb::client::{Client, Config, Replica, Snapshot, Spec, TableSpec, parse_endpoints};
use purlin_ovsdb::{Atom, Datum, Insert, Mutation, Row, Transaction, Uuid};

struct Script {
    client: Client,
    replica: Replica,
    step: usize,
}

/// The words of a step, with its number.
macro_rules! say {
    ($script:expr, $($words:tt)*) => {{
        println!("{:03}: {}", $script.step, format_args!($($words)*));
        $script.step += 1;
    }};
}

impl Script {
    async fn open(remote: &str, tables: &[&str]) -> Result<Self, String> {
        let client = client(remote)?;
        let spec = tables.iter().fold(Spec::new(), |spec, table| {
            let all = TableSpec::all();
            spec.table(
                table,
                if *table == "simple3" {
                    all.index(Index::column("uref"))
                } else {
                    all
                },
            )
        });
        let replica = client.replicate(spec);
        replica.live().await;
        Ok(Self {
            client,
            replica,
            step: 0,
        })
    }

    async fn commit(&mut self, change: Transaction) -> Result<Snapshot, String> {
        let committed = self.client.commit(change.repeatable()).await;
        self.replica
            .has_seen(&committed.map_err(|fault| fault.to_string())?)
            .await;
        Ok(self.replica.snapshot())
    }

    /// Changes one row, and prints the table.
    async fn change(
        &mut self,
        table: &str,
        what: &str,
        changes: impl IntoIterator<Item = Mutation>,
        name: Option<&str>,
    ) -> Outcome {
        let row = self.first(table)?;
        let mut change = Transaction::new();
        change.mutate(table, row, changes);
        if let Some(name) = name {
            change.update(table, row, Row::new().with("name", name));
        }
        self.commit(change).await?;
        say!(self, "After {what}");
        self.dump(table);
        Ok(())
    }

    fn first(&self, table: &str) -> Result<Uuid, String> {
        let snapshot = self.replica.snapshot();
        let first = snapshot.table(table).and_then(|table| table.rows().next());
        first
            .map(|row| row.uuid())
            .ok_or_else(|| format!("{table} is empty"))
    }

    fn dump(&mut self, table: &str) {
        let snapshot = self.replica.snapshot();
        for row in snapshot.table(table).into_iter().flat_map(|table| table.rows()) {
            match table {
                "simple2" => println!("{:03}: {}", self.step, rows::maps(&row)),
                _ => println!("{:03}: {}", self.step, rows::line(&snapshot, table, &row, "")),
            }
        }
        self.step += 1;
    }
}

fn client(remote: &str) -> Result<Client, String> {
    let endpoints = parse_endpoints(remote).map_err(|fault| fault.to_string())?;
    Ok(Client::start(Config::new("idltest", endpoints)))
}

pub(crate) async fn maps(remote: &str) -> Outcome {
    let mut script = Script::open(remote, &["simple2"]).await?;
    say!(script, "Getting records");
    script.dump("simple2");
    // What a key had goes first: `insert` leaves a key that is there as it is.
    let set = |column: &str, key: Atom, value: &str| {
        let pair = Datum::map([(key.clone(), Atom::from(value))]);
        [
            Mutation::delete(column, Datum::One(key)),
            Mutation::insert(column, pair),
        ]
    };
    let first = set("smap", "key1".into(), "myList1");
    let both = first.iter().cloned().chain(set("imap", 3.into(), "myids2"));
    script
        .change("simple2", "insert element", both, Some("String2"))
        .await?;
    script
        .change("simple2", "insert duplicated element", first, None)
        .await?;
    for what in ["delete element", "trying to delete a deleted element"] {
        let gone = Mutation::delete("smap", Datum::set(["key1"]));
        script.change("simple2", what, [gone], None).await?;
    }
    say!(script, "End test");
    Ok(())
}

pub(crate) async fn sets(remote: &str) -> Outcome {
    let mut script = Script::open(remote, &["simple3", "simple4"]).await?;
    say!(script, "Getting records");
    script.dump("simple3");
    let [one, other] = [
        "001e43d2-dd3f-4616-ab6a-83a490bb0991",
        "0026b3ba-571b-4729-8227-d860a5210ab8",
    ]
    .map(|text| Uuid::parse(text).expect("a UUID"));
    let insert = |uuid: Uuid| Mutation::insert("uset", uuid);
    script
        .change("simple3", "rename+add new value", [insert(one)], Some("String2"))
        .await?;
    script
        .change("simple3", "add new value", [insert(other)], None)
        .await?;
    for what in ["delete value", "trying to delete a deleted value"] {
        script
            .change("simple3", what, [Mutation::delete("uset", one)], None)
            .await?;
    }
    let mut change = Transaction::new();
    let target = change.insert(Insert::new("simple4").with("name", "test"));
    change.mutate(
        "simple3",
        script.first("simple3")?,
        [Mutation::insert("uref", target)],
    );
    script.commit(change).await?;
    say!(script, "After add to other table + set of strong ref");
    script.dump("simple3");
    say!(script, "End test");
    Ok(())
}

pub(crate) async fn by_reference(remote: &str) -> Outcome {
    let mut script = Script::open(remote, &["simple3", "simple4"]).await?;
    let mut change = Transaction::new();
    let target = change.insert(Insert::new("simple4").with("name", "test"));
    change.insert(Insert::new("simple3").with("uref", target));
    let snapshot = script.commit(change).await?;
    say!(script, "After add to other table + set of strong ref");
    script.dump("simple3");
    check(&mut script);
    say!(script, "Query using index with reference");
    let (index, target) = (Index::column("uref"), Atom::from(script.first("simple4")?));
    let table = snapshot.table("simple3").ok_or("the server has simple3")?;
    for row in table.find(&index, &target) {
        say!(script, "{}", rows::line(&snapshot, "simple3", &row, ""));
    }
    let mut change = Transaction::new();
    change.delete("simple3", script.first("simple3")?);
    script.commit(change).await?;
    say!(script, "After delete");
    script.dump("simple3");
    check(&mut script);
    say!(script, "End test");
    Ok(())
}

fn check(script: &mut Script) {
    let empty = script.first("simple4").is_err();
    say!(
        script,
        "check simple4: {}",
        if empty { "empty" } else { "not empty" }
    );
}

/// What each of the servers has of tables and columns that the client knows of.
pub(crate) async fn presence(remotes: &[String]) -> Outcome {
    for remote in remotes {
        let schema = client(remote)?.schema().await;
        let has = |there: bool| if there { "has" } else { "doesn't have" };
        for table in ["simple", "link1", "link2", "simple5"] {
            println!(
                "{remote} remote {} table {table}",
                has(schema.table(table).is_some())
            );
        }
        for (column, table) in [
            ("irefmap", "simple5"),
            ("l2", "link1"),
            ("i", "link1"),
            ("id", "simple7"),
        ] {
            let there = schema
                .table(table)
                .is_some_and(|table| table.column(column).is_some());
            println!("{remote} remote {} col {column} in table {table}", has(there));
        }
        println!("--- remote {remote} done ---");
    }
    Ok(())
}
