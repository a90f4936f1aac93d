//! SQL that SQLite (3.39 and later) and PostgreSQL (15 and later) spell alike.

use super::{connection::Dialect, table::Table};

/// Quotes a name.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes names and puts commas between them.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// Returns the condition that rows `a` and `b` have the same values; nulls are equal.
pub(super) fn same<'a>(columns: impl IntoIterator<Item = &'a str>, a: &str, b: &str) -> String {
    let equal = |name: &str| {
        let name = quoted(name);
        format!("{a}.{name} is not distinct from {b}.{name}")
    };
    let columns = columns.into_iter().map(equal).collect::<Vec<_>>();
    columns.join(" and ")
}

/// Returns the condition that rows `a` and `b` have one key. Keys are never null, and
/// `=` lets a database use their index.
pub(super) fn same_key(key: &[String], a: &str, b: &str) -> String {
    let equal = |name: &String| format!("{a}.{name} = {b}.{name}", name = quoted(name));
    key.iter().map(equal).collect::<Vec<_>>().join(" and ")
}

/// Returns the statement that makes a table.
pub(super) fn create_table(dialect: &dyn Dialect, table: &Table) -> String {
    let columns = table.contract.columns.iter().map(|column| {
        let not_null = if column.nullable { "" } else { " not null" };
        let data_type = dialect.type_name(&column.data_type);
        format!("{} {data_type}{not_null}", quoted(&column.name))
    });
    format!(
        "create table {} ({}, primary key ({})){}",
        dialect.table(&table.name),
        columns.collect::<Vec<_>>().join(", "),
        listed(table.key.iter().map(String::as_str)),
        dialect.table_options(),
    )
}

/// Returns what makes an insert into `target` change the row of its key, where that
/// differs.
pub(super) fn or_change(table: &Table, columns: &[&str]) -> String {
    let key = listed(table.key.iter().map(String::as_str));
    let others: Vec<String> = columns
        .iter()
        .filter(|name| !table.key.iter().any(|key| key == **name))
        .map(|name| quoted(name))
        .collect();
    if others.is_empty() {
        return format!("on conflict ({key}) do nothing");
    }
    let each = |form: &dyn Fn(&String) -> String, between: &str| {
        let forms: Vec<String> = others.iter().map(form).collect();
        forms.join(between)
    };
    let set = each(&|name| format!("{name} = excluded.{name}"), ", ");
    let differs = each(
        &|name| format!("target.{name} is distinct from excluded.{name}"),
        " or ",
    );
    format!("on conflict ({key}) do update set {set} where {differs}")
}
