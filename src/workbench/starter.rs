//! The text of a new pipeline's files: the rows of a dataset, with its key as the grain.
//!
//! In come the project's datasets and a name; out come texts that agree with each other and
//! with the datasets. Nothing is written.

use crate::{
    dataset::{Column, ColumnType, Dataset},
    pipeline::Project,
};

/// The dataset that is taken if there is one of this name.
const USUAL: &str = "prices";

/// How many columns are taken beside the key.
const BESIDE_KEY: usize = 2;

/// A new pipeline.
pub(super) struct Starter<'a> {
    name: &'a str,
    dataset: &'a Dataset,
    /// The key's columns, then a few others.
    columns: Vec<&'a Column>,
}

impl<'a> Starter<'a> {
    /// Returns the pipeline of that name; nothing where no dataset suits.
    pub(super) fn of(project: &'a Project, name: &'a str) -> Option<Starter<'a>> {
        let usual = project.datasets.get(USUAL);
        let mut datasets = usual.into_iter().chain(project.datasets.values());
        datasets.find_map(|dataset| {
            let columns = columns(dataset)?;
            Some(Starter {
                name,
                dataset,
                columns,
            })
        })
    }

    /// Returns the pipeline's name as SQL has it: that of its model.
    pub(super) fn relation(&self) -> String {
        self.name.replace('-', "_")
    }

    pub(super) fn manifest(&self) -> String {
        let (name, relation, dataset) = (self.name, self.relation(), &self.dataset.name);
        let grain = self
            .dataset
            .key
            .iter()
            .map(|column| format!("\"{column}\""));
        let grain = grain.collect::<Vec<_>>().join(", ");
        let columns = self.columns.iter();
        let columns =
            columns.map(|column| format!("{} = \"{}\"\n", column.name, column.spelled_type()));
        let columns: String = columns.collect();
        format!(
            "description = \"The rows of {dataset}: say here what the pipeline makes.\"\n\
             output = \"{relation}\"\n\
             file = \"{name}.json\"\n\
             grain = [{grain}]\n\
             \n\
             # The columns of the output, in this order.\n\
             [contract]\n\
             {columns}"
        )
    }

    pub(super) fn model(&self) -> String {
        let (relation, dataset) = (self.relation(), &self.dataset.name);
        let grain = self.dataset.key.join(", ");
        let columns = self.names().join(",\n    ");
        format!(
            "-- {relation}: one row per {grain}: the rows of {dataset}.\n\
             select\n    {columns}\n\
             from {dataset}\n"
        )
    }

    pub(super) fn test(&self) -> String {
        let (relation, dataset) = (self.relation(), &self.dataset.name);
        let letters = self.columns.iter().map(|column| letter(&column.data_type));
        let letters: String = letters.collect();
        let row = |row: u8, cell: fn(&ColumnType, u8, usize) -> String, between: &str| {
            let columns = self.columns.iter().enumerate();
            let cells = columns.map(|(at, column)| cell(&column.data_type, row, at));
            cells.collect::<Vec<_>>().join(between)
        };
        let names = self.names().join(", ");
        let (one, other) = (row(1, literal, ", "), row(2, literal, ", "));
        let (first, second) = (row(1, shown, " "), row(2, shown, " "));
        format!(
            "# {relation} has the rows of {dataset}.\n\
             statement ok\n\
             create table {dataset} as select * from (values\n    ({one}),\n    ({other})\n\
             ) as t ({names})\n\
             \n\
             query {letters} rowsort\n\
             select * from {relation}\n\
             ----\n\
             {first}\n\
             {second}\n"
        )
    }

    fn names(&self) -> Vec<&str> {
        let columns = self.columns.iter();
        columns.map(|column| column.name.as_str()).collect()
    }
}

/// Returns the columns of a dataset's key and a few more; nothing where the key is of a type
/// that has no literal.
fn columns(dataset: &Dataset) -> Option<Vec<&Column>> {
    let is_key = |column: &&Column| dataset.key.contains(&column.name);
    let (key, others): (Vec<_>, Vec<_>) = dataset.contract.columns.iter().partition(is_key);
    let is_usual = |column: &Column| match column.data_type {
        ColumnType::List(_) | ColumnType::Struct(_) | ColumnType::Timestamp => false,
        // Two keys of few digits would be one.
        ColumnType::Decimal { precision, scale } => i16::from(precision) > i16::from(scale),
        ColumnType::Boolean => !dataset.key.contains(&column.name),
        _ => true,
    };
    if key.is_empty() || !key.iter().all(|column| is_usual(column)) {
        return None;
    }
    let others = others.into_iter().filter(|column| is_usual(column));
    Some(key.into_iter().chain(others.take(BESIDE_KEY)).collect())
}

/// Returns a type's letter after `query`.
fn letter(data_type: &ColumnType) -> char {
    match data_type {
        ColumnType::Bigint => 'I',
        ColumnType::Double | ColumnType::Decimal { .. } => 'R',
        ColumnType::Boolean => 'B',
        ColumnType::Date => 'D',
        ColumnType::Timestamp => 'P',
        ColumnType::Text => 'T',
        ColumnType::List(_) | ColumnType::Struct(_) => '?',
    }
}

/// Returns a value of a row as SQL writes it.
fn literal(data_type: &ColumnType, row: u8, column: usize) -> String {
    let shown = shown(data_type, row, column);
    match data_type {
        ColumnType::Text => format!("'{shown}'"),
        ColumnType::Date => format!("date '{shown}'"),
        _ => shown,
    }
}

/// Returns the same value as a test shows it.
fn shown(data_type: &ColumnType, row: u8, column: usize) -> String {
    match data_type {
        ColumnType::Bigint => (usize::from(row) + 10 * column).to_string(),
        ColumnType::Double => format!("{row}.5"),
        ColumnType::Decimal { scale: 0, .. } => row.to_string(),
        ColumnType::Decimal { scale, .. } => {
            let scale = usize::from(scale.unsigned_abs());
            format!("{row}.{:0<scale$}", 5)
        }
        ColumnType::Boolean => "true".to_owned(),
        ColumnType::Date => format!("2026-01-0{row}"),
        _ => char::from(b'a' + row - 1).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starter_has_the_key_and_a_price() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::load(folder.path()).unwrap();
        let starter = Starter::of(&project, "cheap-milk").unwrap();
        insta::assert_snapshot!(starter.manifest(), @r#"
        description = "The rows of prices: say here what the pipeline makes."
        output = "cheap_milk"
        file = "cheap-milk.json"
        grain = ["product_id", "store_id"]

        # The columns of the output, in this order.
        [contract]
        product_id = "bigint not null"
        store_id = "bigint not null"
        price = "decimal(10,2) not null"
        price_record_id = "bigint"
        "#);
        insta::assert_snapshot!(starter.model(), @"
        -- cheap_milk: one row per product_id, store_id: the rows of prices.
        select
            product_id,
            store_id,
            price,
            price_record_id
        from prices
        ");
        insta::assert_snapshot!(starter.test(), @"
        # cheap_milk has the rows of prices.
        statement ok
        create table prices as select * from (values
            (1, 11, 1.50, 31),
            (2, 12, 2.50, 32)
        ) as t (product_id, store_id, price, price_record_id)

        query IIRI rowsort
        select * from cheap_milk
        ----
        1 11 1.50 31
        2 12 2.50 32
        ");
    }
}
