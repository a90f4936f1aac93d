//! The algorithm's SQL belongs to no single database: over a dialect that spells everything in
//! another way, nothing specific to SQLite is left.

use datafusion::{
    arrow::record_batch::RecordBatch, execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{StreamExt, executor::block_on, stream};
use serde_json::Value;

use super::{Accept, Change, Fill, Replace, Staged, apply::apply, fill::fill};
use crate::{
    database::{
        Result,
        connection::{Connection, Copied, Dialect, Parameter, Target},
        table::Table,
    },
    dataset::{Column, ColumnType, Contract},
    pipeline::{Reference, UpdateMode},
};

#[derive(Debug)]
struct Other;

impl Dialect for Other {
    fn parameter(&self, number: usize) -> String {
        format!("${number}")
    }

    fn type_name(&self, _: &ColumnType) -> String {
        "some_type".to_owned()
    }

    fn table(&self, name: &str) -> String {
        format!("service.{name}")
    }

    fn temporary_table(&self, name: &str) -> String {
        format!("mine.{name}")
    }

    fn index_temporary_table(&self, name: &str, columns: &str) -> String {
        format!("index mine.{name} {columns}")
    }

    fn row_id(&self) -> &'static str {
        "arrival"
    }

    fn table_options(&self) -> &'static str {
        ""
    }

    fn defer_references(&self) -> &'static str {
        "defer all"
    }

    fn now(&self) -> &'static str {
        "this_moment()"
    }

    fn migrations(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Writes down what it is asked. Its answers are those of a stage with two equal rows
/// and one that refers to nothing, for a table with one other row.
#[derive(Debug, Default)]
struct Recorder {
    said: Vec<String>,
    collapsed: bool,
}

impl Recorder {
    fn say(&mut self, sql: &str) {
        let words: Vec<&str> = sql.split_whitespace().collect();
        self.said.push(words.join(" "));
    }
}

impl Connection for Recorder {
    fn dialect(&self) -> &'static dyn Dialect {
        &Other
    }

    fn name(&self) -> String {
        "other".to_owned()
    }

    fn begin(&mut self, _: &'static str) -> Result<()> {
        self.say("BEGIN");
        Ok(())
    }

    fn begin_writing(&mut self, _: &'static str) -> Result<()> {
        self.say("BEGIN WRITING");
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.say("COMMIT");
        Ok(())
    }

    fn script(&mut self, _: &'static str, sql: &str) -> Result<()> {
        self.say(sql);
        Ok(())
    }

    fn run(&mut self, _: &'static str, sql: &str, _: &[Parameter<'_>]) -> Result<u64> {
        self.say(sql);
        Ok(0)
    }

    fn change(&mut self, _: &str, sql: &str) -> Result<()> {
        self.say(sql);
        Ok(())
    }

    fn query(
        &mut self,
        _: &'static str,
        sql: &str,
        _: &[Parameter<'_>],
        each: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        self.say(sql);
        if sql.contains("having count(*) > 1") {
            match std::mem::replace(&mut self.collapsed, true) {
                false => each(vec![7.into()]),
                true => Ok(()),
            }
        } else if sql.contains("not exists") {
            each(vec![9.into(), "lost".into()])
        } else if sql.contains("count(*) filter") {
            each(vec![0.into(), 0.into()])
        } else if sql.starts_with("select count(*)") {
            each(vec![1.into()])
        } else {
            Ok(())
        }
    }

    fn copy_in(
        &mut self,
        target: &Target<'_>,
        rows: SendableRecordBatchStream,
        look: &mut dyn FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<Copied> {
        let (table, columns) = (&target.table, target.columns.join(" "));
        self.say(&format!("COPY {table} ({columns}) {}", target.on_conflict));
        let batches: Vec<_> = block_on(rows.collect());
        for batch in batches {
            look(&batch.unwrap())?;
        }
        Ok(Copied {
            rows: 3,
            written: 0,
        })
    }

    fn relations(&mut self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn tables(&mut self) -> Result<Vec<Table>> {
        Ok(Vec::new())
    }
}

fn columns(columns: &[(&str, &str)]) -> Contract {
    let column = |(name, declared): &(&str, &str)| Column::parse(name, declared).unwrap();
    Contract {
        columns: columns.iter().map(column).collect(),
    }
}

fn table(name: &str) -> Table {
    let parent = Reference {
        table: "products".to_owned(),
        column: "id".to_owned(),
    };
    Table {
        name: name.to_owned(),
        contract: columns(&[("id", "bigint not null"), ("note", "text not null")]),
        key: vec!["id".to_owned()],
        defaults: Vec::new(),
        references: [("id".to_owned(), parent)].into_iter().collect(),
    }
}

/// Rows that are not in order and have a null: all that can be wrong is looked for.
fn rows() -> SendableRecordBatchStream {
    let contract = columns(&[("id", "bigint"), ("note", "text")]);
    let schema = contract.arrow();
    let ids = datafusion::arrow::array::Int64Array::from(vec![7, 7]);
    let notes = datafusion::arrow::array::StringArray::from(vec![Some("a"), None]);
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![std::sync::Arc::new(ids), std::sync::Arc::new(notes)],
    );
    let batches = stream::iter([Ok(batch.unwrap())]);
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

#[test]
fn a_change_says_nothing_that_is_a_databases_own() {
    let mut recorder = Recorder::default();
    let change = Change {
        pipeline: "notes".to_owned(),
        seq: 1,
        sha256: "ab".to_owned(),
        staged: vec![Staged {
            table: table("notes"),
            mode: UpdateMode::Replace,
            references: Default::default(),
            max_rejects_percent: 0.0,
            contract: columns(&[("id", "bigint"), ("note", "text")]),
            rows: rows(),
        }],
        accept: Accept {
            change: true,
            ..Accept::default()
        },
        rollback: false,
        dry_run: false,
        at: "2026-11-22T10:00:00Z".parse().unwrap(),
        on_reject: Box::new(|_| {}),
    };
    let applied = apply(&mut recorder, change).unwrap();
    let counts = &applied.tables[0];
    assert_eq!((counts.inserted, counts.deleted), (1, 1));
    assert_eq!((counts.rejected, counts.collapsed), (1, 1));
    insta::assert_snapshot!(recorder.said.join("\n"), @r#"
    select pipeline, seq, sha256, applied_at, counts from applied_artifacts where pipeline = $1 order by id desc limit 1
    BEGIN
    create table mine.stage_0 ("id" some_type, "note" some_type)
    COPY mine.stage_0 (id note)
    COMMIT
    BEGIN WRITING
    select pipeline, seq, sha256, applied_at, counts from applied_artifacts where pipeline = $1 order by id desc limit 1
    defer all
    create table service.notes ("id" some_type not null, "note" some_type not null, primary key ("id"))
    select "id", "note" from mine.stage_0 as stage where stage."note" is null order by arrival
    index mine.stage_0 "id"
    select "id" from mine.stage_0 group by "id" having count(*) > 1 order by "id" limit 1
    delete from mine.stage_0 where arrival in ( select b.arrival from mine.stage_0 as a inner join mine.stage_0 as b on a."id" = b."id" and a.arrival < b.arrival where a."id" is not distinct from b."id" and a."note" is not distinct from b."note")
    select "id" from mine.stage_0 group by "id" having count(*) > 1 order by "id" limit 1
    select "id", "note" from mine.stage_0 as stage where stage."id" is not null and not exists (select 1 from service.products as parent where parent."id" = stage."id") order by arrival
    delete from mine.stage_0 as stage where stage."id" is not null and not exists (select 1 from service.products as parent where parent."id" = stage."id")
    select count(*) from mine.stage_0
    select count(*), count(*) filter (where not (target."note" is not distinct from stage."note")) from mine.stage_0 as stage cross join service.notes as target where target."id" = stage."id"
    select count(*) from service.notes
    select count(*) from service.notes
    delete from service.notes as target where not exists (select 1 from mine.stage_0 as stage where target."id" = stage."id")
    update service.notes as target set "note" = stage."note" from mine.stage_0 as stage where target."id" = stage."id" and not (target."note" is not distinct from stage."note")
    insert into service.notes ("id", "note") select "id", "note" from mine.stage_0 as stage where not exists (select 1 from service.notes as target where target."id" = stage."id")
    insert into applied_artifacts (pipeline, seq, sha256, applied_at, counts) values ($1, $2, $3, $4, $5)
    COMMIT
    "#);
}

#[test]
fn filling_says_nothing_that_is_a_databases_own() {
    let mut recorder = Recorder::default();
    let rows = Fill {
        table: table("notes"),
        replace: Replace::All,
        rows: rows(),
    };
    fill(&mut recorder, vec![rows]).unwrap();
    insta::assert_snapshot!(recorder.said.join("\n"), @r#"
    BEGIN WRITING
    defer all
    create table service.notes ("id" some_type not null, "note" some_type not null, primary key ("id"))
    select count(*) from service.notes
    delete from service.notes
    select count(*) from service.notes
    COPY service.notes (id note) on conflict ("id") do update set "note" = excluded."note" where target."note" is distinct from excluded."note"
    select count(*) from service.notes
    COMMIT
    "#);
}
