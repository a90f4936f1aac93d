//! A row as users know it: the values of what tells it apart, and of what was computed with.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::{
    arrow::{array::Array, record_batch::RecordBatch, util::display::array_value_to_string},
    common::{
        Column,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, LogicalPlan},
};

use super::rows::Keys;

/// How many columns are shown at most.
const COLUMNS: usize = 8;

/// How many characters of a value.
const CHARACTERS: usize = 60;

/// Returns the values of one row of `plan`: its key's, then those that `expr` reads.
pub(super) fn shown(row: &RecordBatch, plan: &LogicalPlan, expr: &Expr, keys: &Keys) -> String {
    let mut columns = key_columns(plan, keys);
    for column in columns_of(expr) {
        let index = plan.schema().maybe_index_of_column(&column);
        columns.extend(index.filter(|index| !columns.contains(index)));
    }
    values_of(row, &columns)
}

/// Returns the values of one row by their columns' names.
pub(crate) fn values_of(row: &RecordBatch, columns: &[usize]) -> String {
    let schema = row.schema();
    let columns = columns.iter().filter(|index| **index < row.num_columns());
    let values = columns.take(COLUMNS).map(|index| {
        let name = schema.field(*index).name();
        format!("{name} = {}", value(row.column(*index)))
    });
    values.collect::<Vec<_>>().join(", ")
}

fn value(column: &dyn Array) -> String {
    if column.is_null(0) {
        return "null".to_owned();
    }
    let Ok(text) = array_value_to_string(column, 0) else {
        return "…".to_owned();
    };
    let text = match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    match column.data_type().is_string() {
        true => format!("'{text}'"),
        false => text,
    }
}

/// Returns the columns that tell the rows of a plan apart, as far as it shows them; without
/// a key, the first few.
fn key_columns(plan: &LogicalPlan, keys: &Keys) -> Vec<usize> {
    let mut by_relation = BTreeMap::new();
    relations(plan, keys, &mut by_relation);
    let any: BTreeSet<&String> = keys.values().flatten().collect();
    let fields = || plan.schema().iter().enumerate();
    let exact = fields().filter(|(_, (relation, field))| {
        let key = relation.and_then(|relation| by_relation.get(&relation.to_string()));
        key.is_some_and(|key| key.contains(field.name()))
    });
    let exact: Vec<usize> = exact.map(|(index, _)| index).collect();
    if !exact.is_empty() {
        return exact;
    }
    let named = fields().filter(|(_, (_, field))| any.contains(field.name()));
    let named: Vec<usize> = named.map(|(index, _)| index).collect();
    if !named.is_empty() {
        return named;
    }
    let plain = fields().filter(|(_, (_, field))| !field.data_type().is_nested());
    plain.map(|(index, _)| index).take(3).collect()
}

/// Collects the keys of what a plan reads, by the names that its columns have.
fn relations(plan: &LogicalPlan, keys: &Keys, found: &mut BTreeMap<String, Vec<String>>) {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let name = scan.table_name.to_string();
            found.extend(key(&name, keys).map(|key| (name, key)));
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let name = alias.alias.to_string();
            let own = key(&name, keys);
            let below = || match alias.input.as_ref() {
                LogicalPlan::TableScan(scan) => key(&scan.table_name.to_string(), keys),
                LogicalPlan::SubqueryAlias(below) => key(&below.alias.to_string(), keys),
                _ => None,
            };
            found.extend(own.or_else(below).map(|key| (name, key)));
        }
        plan => plan
            .inputs()
            .into_iter()
            .for_each(|input| relations(input, keys, found)),
    }
}

fn key(name: &str, keys: &Keys) -> Option<Vec<String>> {
    keys.get(name).filter(|key| !key.is_empty()).cloned()
}

fn columns_of(expr: &Expr) -> Vec<Column> {
    let mut columns = Vec::new();
    // The walk itself cannot fail: its steps never do.
    let _ = expr.apply(|part| {
        if let Expr::Column(column) = part {
            columns.push(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    columns
}
