//! Files with a table's own columns.

use super::{
    bad::Fault,
    batch::Batch,
    convert::Convert,
    header::{Field, Header},
    ids::Keys,
    row::Row,
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::{
    database::Table,
    dataset::{Column, ColumnType, Contract},
};

/// Rows of a table, column for column.
pub(super) struct OwnRows {
    table: Table,
    shape: Shape,
    columns: Vec<(Column, Field)>,
    /// The key's columns, by index among those.
    key: Vec<usize>,
    had: Keys,
}

impl OwnRows {
    /// Returns the columns that a file must have, and those it may have.
    pub(super) fn columns(table: &Table) -> (Vec<&str>, Vec<&str>) {
        let required =
            |column: &&Column| !column.nullable && !table.defaults.contains(&column.name);
        let (required, optional): (Vec<_>, Vec<_>) =
            table.contract.columns.iter().partition(required);
        let names = |columns: Vec<&'_ Column>| -> Vec<String> {
            columns.iter().map(|column| column.name.clone()).collect()
        };
        let (required, optional) = (names(required), names(optional));
        let own = |names: Vec<String>| {
            let columns = table.contract.names();
            columns
                .filter(|name| names.iter().any(|other| other == name))
                .collect()
        };
        (own(required), own(optional))
    }

    pub(super) fn new(table: &Table, header: &Header) -> OwnRows {
        let columns: Vec<Column> = table
            .contract
            .columns
            .iter()
            .filter(|column| header.has(&column.name))
            .cloned()
            .collect();
        let all: Vec<_> = columns
            .iter()
            .map(|column| ("", column.name.as_str(), column.data_type.clone()))
            .collect();
        let index = |name: &String| columns.iter().position(|column| column.name == *name);
        let key: Vec<usize> = table.key.iter().filter_map(index).collect();
        let all_ids = key
            .iter()
            .all(|index| columns[*index].data_type == ColumnType::Bigint);
        OwnRows {
            shape: Shape::new(header, &all),
            had: Keys::new(key.len(), all_ids),
            key,
            columns: columns
                .iter()
                .map(|column| (column.clone(), header.field(&column.name)))
                .collect(),
            table: table.clone(),
        }
    }
}

impl Convert for OwnRows {
    fn contract(&self) -> &Contract {
        self.shape.contract()
    }

    fn convert(
        &mut self,
        row: &Row<'_>,
        state: &mut State,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let columns = self.columns.iter();
        let parsed = columns
            .map(|(column, field)| value(column, field, row))
            .collect::<Result<Vec<_>, _>>()?;
        for ((column, field), value) in self.columns.iter().zip(&parsed) {
            if let (Some(parent), Some(value)) = (self.table.references.get(&column.name), value)
                && !state.has_parent(parent, value)
            {
                let text = row.get(field).unwrap_or_default();
                let reason = format!("{} has no {} {text}", parent.table, parent.column);
                return Err(Fault::at(&column.name, reason));
            }
        }
        self.first(row, &parsed)?;
        state.learn(&self.table.name, row);
        batch.push(parsed);
        Ok(())
    }
}

impl OwnRows {
    /// Refuses a second row of one key.
    fn first(&mut self, row: &Row<'_>, values: &[Option<Value<'_>>]) -> Result<(), Fault> {
        let ids = self.key.iter().filter_map(|index| match &values[*index] {
            Some(Value::Bigint(id)) => Some(*id),
            _ => None,
        });
        let ids: Vec<i64> = ids.collect();
        let text = |between| {
            let texts = self.key.iter().map(|index| {
                let (_, field) = &self.columns[*index];
                row.get(field).unwrap_or_default()
            });
            texts.collect::<Vec<_>>().join(between)
        };
        if self.had.add(&ids, || text("\u{1f}")) {
            return Ok(());
        }
        let names = self.table.key.join(", ");
        let reason = format!("is a second row for {names} = {}", text(", "));
        Err(Fault::row(reason))
    }
}

fn value<'a>(column: &Column, field: &Field, row: &Row<'a>) -> Result<Option<Value<'a>>, Fault> {
    let parse = |text: &'a str| values::parse(text, &column.data_type);
    let value = match column.nullable {
        true => row.parse_opt(field, parse)?,
        false => Some(row.parse(field, parse)?),
    };
    match value {
        Some(Value::Bigint(cents)) if cents < 0 && column.name.ends_with("_cents") => {
            Err(Fault::at(&column.name, format!("{cents} is negative")))
        }
        value => Ok(value),
    }
}
