//! From what a table has to what it should have, by key: only rows that differ are
//! touched, so that links to rows that stay survive.

use super::{Accept, TableCounts, stage::Stage};
use crate::{
    database::{
        Error, Result,
        connection::{Connection, Dialect, number, numbers},
        sql::{listed, quoted, same, same_key},
    },
    pipeline::UpdateMode,
};

const COMPARE: &str = "compare the artifact with its tables";

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
    pub(super) fn new(dialect: &dyn Dialect, stage: &'a Stage) -> Diff<'a> {
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
            target: dialect.table(&stage.table.name),
            same_key: same_key(key, "target", "stage"),
            differs,
            others,
            stage,
        }
    }

    /// Counts what would be done, and changes nothing.
    pub(super) fn counts(&self, connection: &mut dyn Connection) -> Result<TableCounts> {
        let (target, stage) = (&self.target, &self.stage.sql);
        let offered = number(
            connection,
            COMPARE,
            &format!("select count(*) from {stage}"),
        )?;
        // SQLite keeps the order of a cross join: the stage is the smaller side.
        let compared = numbers(
            connection,
            COMPARE,
            &format!(
                "select count(*), count(*) filter (where {})
                 from {stage} as stage cross join {target} as target where {}",
                self.differs, self.same_key
            ),
        )?;
        let [matched, changed] = compared[..] else {
            return Ok(TableCounts::default());
        };
        let present = self.present(connection)?;
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
        connection: &mut dyn Connection,
        counts: &TableCounts,
        accept: Accept,
    ) -> Result<()> {
        if self.stage.mode == UpdateMode::Upsert {
            return Ok(());
        }
        let present = self.present(connection)?;
        let offered = counts.inserted + counts.changed + counts.unchanged;
        let table = self.stage.table.name.clone();
        if offered == 0 && present > 0 {
            return match accept.empty {
                true => Ok(()),
                false => Err(Error::Empty { table, present }),
            };
        }
        if offered * 2 < present && !accept.shrink {
            return Err(Error::Shrunk {
                table,
                present,
                offered,
            });
        }
        Ok(())
    }

    fn present(&self, connection: &mut dyn Connection) -> Result<u64> {
        let sql = format!("select count(*) from {}", self.target);
        number(connection, COMPARE, &sql)
    }

    /// Deletes the rows that the artifact lacks, where it replaces the table.
    pub(super) fn delete(&self, connection: &mut dyn Connection) -> Result<()> {
        if self.stage.mode == UpdateMode::Upsert {
            return Ok(());
        }
        let sql = format!(
            "delete from {} as target where not exists (select 1 from {} as stage where {})",
            self.target, self.stage.sql, self.same_key
        );
        connection.change(&self.stage.table.name, &sql)
    }

    /// Changes the rows that differ, and inserts those that are new; does not even look
    /// for what is known not to be there.
    pub(super) fn write(
        &self,
        connection: &mut dyn Connection,
        known: Option<&TableCounts>,
    ) -> Result<()> {
        if !self.others.is_empty() && known.is_none_or(|counts| counts.changed > 0) {
            connection.change(&self.stage.table.name, &self.update())?;
        }
        if known.is_some_and(|counts| counts.inserted == 0) {
            return Ok(());
        }
        connection.change(&self.stage.table.name, &self.insert())
    }

    fn update(&self) -> String {
        let assign = |name: &&str| format!("{name} = stage.{name}", name = quoted(name));
        let assignments: Vec<String> = self.others.iter().map(assign).collect();
        format!(
            "update {} as target set {} from {} as stage where {} and {}",
            self.target,
            assignments.join(", "),
            self.stage.sql,
            self.same_key,
            self.differs
        )
    }

    fn insert(&self) -> String {
        let columns = listed(self.stage.columns.iter().map(String::as_str));
        format!(
            "insert into {target} ({columns}) select {columns} from {} as stage
             where not exists (select 1 from {target} as target where {})",
            self.stage.sql,
            self.same_key,
            target = self.target,
        )
    }
}
