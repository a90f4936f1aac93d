//! The exports' views cost what their tables cost: SQLite reads both in one way.

use rusqlite::Connection;

use super::{Session, dialect::Dialect};
use crate::{
    database::{migrations::migrate, relation::Relation},
    dataset::{Column, Contract},
};

fn migrated() -> Connection {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this module opens databases"
    )]
    let connection = Connection::open_in_memory().unwrap();
    migrate(&mut session(&connection)).unwrap();
    connection
}

fn session(connection: &Connection) -> Session<'_> {
    Session {
        connection,
        database: "in memory",
    }
}

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("explain query plan {sql}"))
        .unwrap();
    let parameters = vec![1; statement.parameter_count()];
    let lines = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3));
    lines.unwrap().map(Result::unwrap).collect()
}

fn operations(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("explain {sql}")).unwrap();
    let lines = statement.query_map([], |row| row.get(1)).unwrap();
    lines.map(Result::unwrap).collect()
}

/// Of each export its name, the table behind it, and that table's key.
const EXPORTS: [(&str, &str, &str); 7] = [
    ("prices", "prices", "product_id, store_id"),
    ("products", "products", "id"),
    ("stores", "stores", "id"),
    ("companies", "companies", "id"),
    ("categories", "categories", "id"),
    ("categories_with_products", "categories", "id"),
    ("category_links", "category_links", "category_a, category_b"),
];

fn exported(connection: &Connection, name: &str) -> Relation {
    let relation = Relation::of_dataset(&mut session(connection), name);
    relation.unwrap().unwrap()
}

/// All columns that an export has, as declared.
fn contract(connection: &Connection, name: &str) -> Contract {
    let mut statement = connection
        .prepare("select name, type from export_columns where dataset = ?1 order by name")
        .unwrap();
    let columns = statement.query_map([name], |row| {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Column::parse(&name, &declared).unwrap())
    });
    Contract {
        columns: columns.unwrap().map(Result::unwrap).collect(),
    }
}

#[test]
fn every_view_has_exactly_the_columns_that_are_declared_for_it() {
    let connection = migrated();
    for (name, _, _) in EXPORTS {
        let view: Vec<String> = connection
            .prepare("select name from pragma_table_info(?1) order by name")
            .unwrap()
            .query_map([format!("export_{name}")], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let declared = contract(&connection, name);
        assert_eq!(view, declared.names().collect::<Vec<_>>(), "{name}");
    }
    let declared: i64 = connection
        .query_row(
            "select count(distinct dataset) from export_columns",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(declared, EXPORTS.len() as i64);
}

#[test]
fn a_stream_of_an_export_reads_its_table_in_key_order_without_a_sort() {
    let connection = migrated();
    for (name, table, key) in EXPORTS {
        let relation = exported(&connection, name);
        let query = relation.query(&contract(&connection, name)).unwrap();
        let plan_of_view = plan(&connection, &query.sql);
        let of_table = plan(
            &connection,
            &format!("select * from {table} order by {key}"),
        );
        assert_eq!(plan_of_view[0], of_table[0], "{name}");
        let sorts = |line: &&String| line.contains("B-TREE") || line.contains("MATERIALIZE");
        assert_eq!(plan_of_view.iter().find(sorts), None, "{name}");
    }
}

#[test]
fn a_page_of_an_export_is_found_by_its_key() {
    let connection = migrated();
    for (name, table, key) in EXPORTS {
        let relation = exported(&connection, name);
        let places = vec!["?"; relation.key.len()].join(", ");
        let page = relation.query_from(&contract(&connection, name), &Dialect);
        for sql in [page.unwrap().sql, relation.key_after(&Dialect)] {
            let of_table = format!(
                "select {key} from {table} where ({key}) >= ({places}) order by {key} limit ?"
            );
            let (of_view, of_table) = (plan(&connection, &sql), plan(&connection, &of_table));
            assert_eq!(of_view[0], of_table[0], "{name}");
            let found = format!("SEARCH {table} USING ");
            assert!(of_view[0].starts_with(&found), "{name}: {of_view:?}");
            assert!(of_view[0].contains("PRIMARY KEY"), "{name}: {of_view:?}");
        }
    }
}

#[test]
fn an_exports_rows_are_counted_as_its_tables_are() {
    let connection = migrated();
    for (name, table, _) in EXPORTS {
        let of_view = operations(&connection, &exported(&connection, name).count());
        let of_table = operations(&connection, &format!("select count(*) from {table}"));
        assert_eq!(of_view, of_table, "{name}");
    }
}
