//! Files with a table's own columns.

use std::collections::HashSet;

use super::{
    bad::Fault,
    header::Header,
    rows::{Convert, Row},
    shape::Shape,
    state::State,
    values::{self, Value},
};
use crate::{
    database::Table,
    dataset::{Column, Contract},
};

/// Rows of a table, column for column.
pub(super) struct OwnRows {
    table: Table,
    shape: Shape,
    columns: Vec<Column>,
    had: HashSet<String>,
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
        OwnRows {
            shape: Shape::new(header, &all),
            columns,
            table: table.clone(),
            had: HashSet::new(),
        }
    }
}

impl Convert for OwnRows {
    fn contract(&self) -> &Contract {
        self.shape.contract()
    }

    fn convert(&mut self, row: &Row<'_>, state: &mut State) -> Result<Vec<Option<Value>>, Fault> {
        let columns = self.columns.iter();
        let parsed = columns
            .map(|column| value(column, row))
            .collect::<Result<Vec<_>, _>>()?;
        for (column, parent) in &self.table.references {
            let Some(text) = row.get(column) else {
                continue;
            };
            if !state.has_parent(parent, text) {
                let reason = format!("{} has no {} {text}", parent.table, parent.column);
                return Err(Fault::at(column, reason));
            }
        }
        let key = self
            .table
            .key
            .iter()
            .map(|name| row.get(name).unwrap_or(""));
        let key = key.collect::<Vec<_>>().join(", ");
        if !self.had.insert(key.clone()) {
            let names = self.table.key.join(", ");
            return Err(Fault::row(format!("is the second row of {names} = {key}")));
        }
        state.learn(&self.table.name, row);
        Ok(parsed)
    }
}

fn value(column: &Column, row: &Row<'_>) -> Result<Option<Value>, Fault> {
    let parse = |text: &str| values::parse(text, &column.data_type);
    let value = match column.nullable {
        true => row.parse_opt(&column.name, parse)?,
        false => Some(row.parse(&column.name, parse)?),
    };
    match value {
        Some(Value::Bigint(cents)) if cents < 0 && column.name.ends_with("_cents") => {
            Err(Fault::at(&column.name, format!("{cents} is below zero")))
        }
        value => Ok(value),
    }
}
