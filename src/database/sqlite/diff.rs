//! From what a table has to what it shall have, by key: only rows that differ are
//! touched, so that links to rows that stand survive.

use rusqlite::Connection;

use super::{
    Error, Result, Sqlite,
    catalog::{listed, quoted},
    stage::{Stage, same},
};
use crate::{
    database::{Accept, TableCounts},
    pipeline::UpdateMode,
};

/// A stage's difference from its table, in SQL.
pub(super) struct Diff<'a> {
    stage: &'a Stage,
    /// The table, in SQL.
    target: String,
    same_key: String,
    /// That a row's other columns differ; `false` when there are none.
    differs: String,
    others: Vec<&'a str>,
}

impl<'a> Diff<'a> {
    pub(super) fn new(stage: &'a Stage) -> Diff<'a> {
        let key = &stage.table.key;
        let others: Vec<&str> = stage
            .columns
            .iter()
            .filter(|name| !key.contains(name))
            .map(String::as_str)
            .collect();
        let differs = match others.as_slice() {
            [] => "false".to_owned(),
            others => format!("not ({})", same(others.iter().copied(), "target", "stage")),
        };
        Diff {
            target: format!("main.{}", quoted(&stage.table.name)),
            same_key: equal_keys(key),
            differs,
            others,
            stage,
        }
    }

    /// Counts what would be done, and changes nothing.
    pub(super) fn counts(&self, connection: &Connection) -> rusqlite::Result<TableCounts> {
        let (target, stage) = (&self.target, &self.stage.name);
        let offered = count(connection, &format!("select count(*) from {stage}"))?;
        let (matched, changed) = connection.query_row(
            &format!(
                "select count(*), coalesce(sum({}), 0)
                 from {stage} as stage cross join {target} as target where {}",
                self.differs, self.same_key
            ),
            [],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
        )?;
        let present = self.present(connection)?;
        let (matched, changed) = (matched.cast_unsigned(), changed.cast_unsigned());
        Ok(TableCounts {
            table: self.stage.table.name.clone(),
            inserted: offered - matched,
            changed,
            unchanged: matched - changed,
            deleted: match self.stage.mode {
                UpdateMode::Replace => present - matched,
                UpdateMode::Upsert => 0,
            },
            rejected: self.stage.rejected,
            collapsed: self.stage.rows - self.stage.rejected - offered,
        })
    }

    /// Refuses to empty a table, or to halve it, unless that is accepted.
    pub(super) fn guard(
        &self,
        counts: &TableCounts,
        accept: Accept,
        connection: &Connection,
    ) -> rusqlite::Result<Result<()>> {
        if self.stage.mode == UpdateMode::Upsert {
            return Ok(Ok(()));
        }
        let present = self.present(connection)?;
        let offered = counts.inserted + counts.changed + counts.unchanged;
        let table = self.stage.table.name.clone();
        Ok(if offered == 0 && present > 0 {
            match accept.empty {
                true => Ok(()),
                false => Err(Error::Empty { table, present }),
            }
        } else if offered * 2 < present && !accept.shrink {
            Err(Error::Shrunk {
                table,
                present,
                offered,
            })
        } else {
            Ok(())
        })
    }

    fn present(&self, connection: &Connection) -> rusqlite::Result<u64> {
        count(connection, &format!("select count(*) from {}", self.target))
    }

    /// Deletes the rows that the artifact lacks, where it replaces the table.
    pub(super) fn delete(&self, database: &Sqlite, connection: &Connection) -> Result<()> {
        if self.stage.mode == UpdateMode::Upsert {
            return Ok(());
        }
        let sql = format!(
            "delete from {} as target where not exists (select 1 from {} as stage where {})",
            self.target, self.stage.name, self.same_key
        );
        self.run(database, connection, &sql)
    }

    /// Changes the rows that differ, and inserts those that are new; not even looking
    /// for what is known not to be there.
    pub(super) fn write(
        &self,
        database: &Sqlite,
        connection: &Connection,
        known: Option<&TableCounts>,
    ) -> Result<()> {
        let (target, stage, same_key) = (&self.target, &self.stage.name, &self.same_key);
        if !self.others.is_empty() && known.is_none_or(|counts| counts.changed > 0) {
            let assign = |name: &&str| format!("{name} = stage.{name}", name = quoted(name));
            let assignments: Vec<String> = self.others.iter().map(assign).collect();
            let sql = format!(
                "update {target} as target set {} from {stage} as stage where {same_key} and {}",
                assignments.join(", "),
                self.differs
            );
            self.run(database, connection, &sql)?;
        }
        if known.is_some_and(|counts| counts.inserted == 0) {
            return Ok(());
        }
        let columns = listed(self.stage.columns.iter().map(String::as_str));
        let sql = format!(
            "insert into {target} ({columns}) select {columns} from {stage} as stage
             where not exists (select 1 from {target} as target where {same_key})"
        );
        self.run(database, connection, &sql)
    }

    fn run(&self, database: &Sqlite, connection: &Connection, sql: &str) -> Result<()> {
        match connection.execute(sql, []) {
            Ok(_) => Ok(()),
            Err(source) => Err(constraint(database, &self.stage.table.name, source)),
        }
    }
}

/// Says that a row broke a rule of the table, if that is what happened.
pub(super) fn constraint(database: &Sqlite, table: &str, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => Error::Constraint {
            table: table.to_owned(),
            source,
        },
        _ => Error::from_sqlite(database.path(), "change a table", source),
    }
}

/// Keys are never null, and `=` rather than `is` lets SQLite use their index.
fn equal_keys(key: &[String]) -> String {
    let equal = |name: &String| format!("target.{name} = stage.{name}", name = quoted(name));
    key.iter().map(equal).collect::<Vec<_>>().join(" and ")
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
    Ok(count.cast_unsigned())
}
