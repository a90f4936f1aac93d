//! Where the rows of a dataset or a table come from, in SQL.
//!
//! A dataset that is exported is a view `export_<name>` of the migrations, described by
//! the rows of `export_columns`; any other is a table, column for column.

use super::{
    Error, Result,
    connection::{Connection, Dialect, Parameter, unreadable},
    sql::{listed, quoted},
    table::{EXPORTED, Table},
};
use crate::{
    dataset::{Column, ColumnType, Contract},
    diagnostics::nearest,
};

/// Rows with a key.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its name, for messages and bookmarks.
    pub(super) name: String,
    from: String,
    /// The key's columns: the order rows come in, and an index of the table.
    pub(super) key: Vec<String>,
    columns: Vec<Stored>,
}

/// A column as it is stored: a decimal's scale is that of the stored integer.
#[derive(Debug, Clone)]
struct Stored {
    name: String,
    data_type: ColumnType,
}

/// A select whose columns are a contract's.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) relation: String,
    pub(super) sql: String,
    pub(super) contract: Contract,
    pub(super) stored: Vec<ColumnType>,
}

impl Relation {
    /// Returns a table, column for column.
    pub(super) fn of_table(table: &Table) -> Relation {
        let stored = |column: &Column| Stored {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
        };
        Relation {
            name: table.name.clone(),
            from: quoted(&table.name),
            key: table.key.clone(),
            columns: table.contract.columns.iter().map(stored).collect(),
        }
    }

    /// Returns the view that exports a dataset, or else the table of its name; `None`
    /// when there is neither.
    pub(super) fn of_dataset(
        connection: &mut dyn Connection,
        dataset: &str,
    ) -> Result<Option<Relation>> {
        if let Some(exported) = Relation::exported(connection, dataset)? {
            return Ok(Some(exported));
        }
        let tables = connection.tables()?;
        let table = tables.iter().find(|table| table.name == dataset);
        Ok(table.map(Relation::of_table))
    }

    fn exported(connection: &mut dyn Connection, dataset: &str) -> Result<Option<Relation>> {
        let what = "read what is exported";
        let sql = format!(
            "select name, type, key_position from export_columns where dataset = {}",
            connection.dialect().parameter(1)
        );
        let (mut columns, mut key) = (Vec::new(), Vec::new());
        connection.query(what, &sql, &[Parameter::Text(dataset)], &mut |row| {
            let text = |index: usize| row.get(index).and_then(|value| value.as_str());
            let name = text(0).unwrap_or_default().to_owned();
            let data_type = text(1).unwrap_or_default().parse();
            let data_type = data_type.map_err(|error| unreadable(what, error))?;
            let position = row.get(2).and_then(|value| value.as_u64());
            key.extend(position.map(|position| (position, name.clone())));
            columns.push(Stored { name, data_type });
            Ok(())
        })?;
        if columns.is_empty() {
            return Ok(None);
        }
        key.sort();
        Ok(Some(Relation {
            name: dataset.to_owned(),
            from: quoted(&format!("{EXPORTED}{dataset}")),
            key: key.into_iter().map(|(_, name)| name).collect(),
            columns,
        }))
    }

    /// Returns the select of all rows in key order.
    pub(super) fn query(&self, contract: &Contract) -> Result<Query> {
        self.select(contract, "")
    }

    /// Returns the select of some rows from a key on, in key order; its parameters are
    /// the key's values and the number of rows.
    pub(super) fn query_from(&self, contract: &Contract, dialect: &dyn Dialect) -> Result<Query> {
        let mut query = self.select(contract, &format!(" where {}", self.starting_at(dialect)))?;
        let rows = dialect.parameter(self.key.len() + 1);
        query.sql.push_str(&format!(" limit {rows}"));
        Ok(query)
    }

    /// Returns the select that counts the rows.
    pub(super) fn count(&self) -> String {
        format!("select count(*) from {}", self.from)
    }

    /// Returns the select of the first key.
    pub(super) fn first_key(&self) -> String {
        let key = self.key();
        format!("select {key} from {} order by {key} limit 1", self.from)
    }

    /// Returns the select of the key that comes some rows after another; its parameters
    /// are that key's values and the number of rows.
    pub(super) fn key_after(&self, dialect: &dyn Dialect) -> String {
        let (key, condition) = (self.key(), self.starting_at(dialect));
        let rows = dialect.parameter(self.key.len() + 1);
        format!(
            "select {key} from {} where {condition} order by {key} limit 1 offset {rows}",
            self.from
        )
    }

    /// Returns the condition that a row's key is that of the parameters, or a later one.
    fn starting_at(&self, dialect: &dyn Dialect) -> String {
        let parameters = (1..=self.key.len()).map(|number| dialect.parameter(number));
        let parameters: Vec<String> = parameters.collect();
        format!("({}) >= ({})", self.key(), parameters.join(", "))
    }

    fn key(&self) -> String {
        listed(self.key.iter().map(String::as_str))
    }

    fn select(&self, contract: &Contract, condition: &str) -> Result<Query> {
        let mut columns = Vec::with_capacity(contract.columns.len());
        let mut stored = Vec::with_capacity(contract.columns.len());
        for column in &contract.columns {
            let (sql, data_type) = self.column(column)?;
            columns.push(sql);
            stored.push(data_type);
        }
        Ok(Query {
            relation: self.name.clone(),
            sql: format!(
                "select {} from {}{condition} order by {}",
                columns.join(", "),
                self.from,
                self.key()
            ),
            contract: contract.clone(),
            stored,
        })
    }

    /// Returns a column in SQL, and its type as stored. One that the database does not
    /// have is null where it may be.
    fn column(&self, column: &Column) -> Result<(String, ColumnType)> {
        let mut known = self.columns.iter();
        if let Some(stored) = known.find(|stored| stored.name == column.name) {
            return Ok((quoted(&stored.name), stored.data_type.clone()));
        }
        if column.nullable {
            return Ok(("null".to_owned(), column.data_type.clone()));
        }
        let known = self.columns.iter().map(|stored| stored.name.as_str());
        let reason = match nearest(&column.name, known) {
            Some(name) => format!("the database has no such column; it has `{name}`"),
            None => "the database has no such column".to_owned(),
        };
        Err(Error::Column {
            table: self.name.clone(),
            column: column.name.clone(),
            reason,
        })
    }
}
