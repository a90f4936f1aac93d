//! A dataset read from Parquet files that the user names, in place of a snapshot's.
//!
//! The columns must fit the contract without loss: by name, every one that may not be
//! null there and free of nulls, numbers and dates of any width that holds them, no price
//! below zero. Rows decide, never what a footer says of them: the files are other
//! programs'. They are taken as they are and in whatever order: that no key occurs twice
//! is up to the user.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use datafusion::{
    arrow::datatypes::{DataType, Schema},
    catalog::TableProvider,
    common::{Column as Unqualified, DataFusionError, ScalarValue},
    functions_aggregate::expr_fn::{count, min},
    logical_expr::{Expr, Operator, binary_expr, cast, lit, try_cast, when},
    prelude::SessionContext,
};

use super::{
    relations::{Edition, Named, Relations},
    tables,
};
use crate::{
    dataset::{Column, ColumnType, Dataset},
    engine::{Error, Result},
};

/// A dataset and where its rows lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The dataset's name.
    pub dataset: String,
    /// A Parquet file, or a folder of them.
    pub path: PathBuf,
}

/// Files in place of datasets.
#[derive(Debug, Clone, Copy)]
pub struct GivenFiles<'a>(pub &'a [Given]);

#[async_trait]
impl Relations for GivenFiles<'_> {
    async fn table(
        &self,
        context: &SessionContext,
        named: Named<'_>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let Named::Dataset(wanted, Edition::Current) = named else {
            return Ok(None);
        };
        match self.0.iter().find(|given| given.dataset == wanted.name) {
            Some(given) => dataset(context, wanted, &given.path).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Returns the rows at `path` as the dataset that its contract describes.
async fn dataset(
    context: &SessionContext,
    dataset: &Dataset,
    path: &Path,
) -> Result<Arc<dyn TableProvider>> {
    let failed = |error| Error::run(&format!("could not read {}", path.display()), error);
    let files = files(path)?;
    let own = tables::files_schema(context, &files).await;
    let own = own.map_err(failed)?;
    let there = spelled(&own, dataset);
    for column in &dataset.contract.columns {
        fits(column, &there).map_err(|reason| unfit(dataset, path, reason))?;
    }
    let with_our_names = |table: Arc<dyn TableProvider>| match there == *own {
        true => Ok(table),
        false => tables::renamed(table, |name| ours(name, &own, dataset)),
    };
    let as_it_is = tables::files(&files, own.clone()).and_then(with_our_names);
    check_rows(context, as_it_is.map_err(failed)?, dataset, path).await?;
    let wanted = dataset.contract.arrow();
    let wanted = wanted.fields().iter().map(|field| {
        let mut names = own.fields().iter().map(|own| own.name());
        let own = names.find(|name| ours(name, &own, dataset) == *field.name());
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_name(own.unwrap_or(field.name())),
        )
    });
    let wanted = Arc::new(Schema::new(wanted.collect::<Vec<_>>()));
    tables::files(&files, wanted)
        .and_then(with_our_names)
        .map_err(failed)
}

/// Returns the columns of files with the contract's names.
fn spelled(own: &Schema, dataset: &Dataset) -> Schema {
    let fields = own.fields().iter().map(|field| {
        let name = ours(field.name(), own, dataset);
        Arc::new(field.as_ref().clone().with_name(name))
    });
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), own.metadata().clone())
}

/// Returns the contract's name of a column that is spelled with other capitals; its own, if
/// the contract has none or another column is spelled as the contract does.
fn ours(name: &str, own: &Schema, dataset: &Dataset) -> String {
    let mut known = dataset.contract.names();
    let known = known.find(|known| known.eq_ignore_ascii_case(name));
    let known = known.filter(|known| own.column_with_name(known).is_none());
    known.unwrap_or(name).to_owned()
}

/// Returns the file, or the folder's Parquet files by name.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut found = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    found.retain(|file| {
        let extension = file.extension();
        extension.is_some_and(|end| end.eq_ignore_ascii_case("parquet"))
    });
    found.sort();
    match found.is_empty() {
        true => Err(failed(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "it contains no .parquet file",
        ))),
        false => Ok(found),
    }
}

fn unfit(dataset: &Dataset, path: &Path, reason: String) -> Error {
    Error::Given {
        dataset: dataset.name.clone(),
        path: path.to_owned(),
        reason,
    }
}

/// Says why a column of the files cannot be used for the contract's.
fn fits(column: &Column, there: &Schema) -> Result<(), String> {
    let Ok(field) = there.field_with_name(&column.name) else {
        return match column.nullable {
            true => Ok(()),
            false => Err(format!("column `{}` is missing", column.name)),
        };
    };
    match column.data_type.may_hold(field.data_type()) {
        true => Ok(()),
        false => Err(format!(
            "column `{}` must be {}, not {}",
            column.name,
            column.data_type,
            field.data_type()
        )),
    }
}

/// Counts the rows whose value is none of the contract's: digits too many, a time of day.
fn misfits(column: &Column, there: &DataType) -> Result<Expr, DataFusionError> {
    let value = || Expr::Column(Unqualified::new_unqualified(&column.name));
    let there_and_back = cast(try_cast(value(), column.data_type.arrow()), there.clone());
    let lost = binary_expr(value(), Operator::IsDistinctFrom, there_and_back);
    Ok(count(when(lost, lit(1_i64)).end()?))
}

/// Looks for nulls where there may be none, for decimals below zero, and for those of
/// too many digits.
async fn check_rows(
    context: &SessionContext,
    files: Arc<dyn TableProvider>,
    dataset: &Dataset,
    path: &Path,
) -> Result<()> {
    let failed = |error| Error::run(&format!("could not read {}", path.display()), error);
    let schema = files.schema();
    let there = |column: &&Column| schema.column_with_name(&column.name).is_some();
    let columns = || dataset.contract.columns.iter().filter(there);
    let named = |column: &Column| Expr::Column(Unqualified::new_unqualified(&column.name));
    let filled: Vec<_> = columns().filter(|column| !column.nullable).collect();
    let money: Vec<_> = columns().filter(|column| is_decimal(column)).collect();
    let counts = filled.iter().map(|column| count(named(column)));
    let least = money.iter().map(|column| min(named(column)));
    let wide = columns().filter_map(|column| {
        let there = schema.field_with_name(&column.name).ok()?.data_type();
        let is_wide = !column.data_type.holds(there);
        is_wide.then_some((column, there))
    });
    let wide: Vec<_> = wide.collect();
    let lossy = wide.iter().map(|(column, there)| misfits(column, there));
    let lossy = lossy.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let wanted = std::iter::once(count(lit(1_i64)))
        .chain(counts)
        .chain(least)
        .chain(lossy);
    let wanted = wanted
        .enumerate()
        .map(|(n, expr)| expr.alias(n.to_string()));
    let frame = context.read_table(files).map_err(failed)?;
    let frame = frame.aggregate(vec![], wanted.collect()).map_err(failed)?;
    let batches = frame.collect().await.map_err(failed)?;
    let Some(row) = batches.iter().find(|batch| batch.num_rows() == 1) else {
        return Ok(());
    };
    let value = |at: usize| ScalarValue::try_from_array(row.column(at), 0).map_err(failed);
    let rows = value(0)?;
    for (at, column) in filled.iter().enumerate() {
        if value(1 + at)? != rows {
            let reason = format!("column `{}` must not be null", column.name);
            return Err(unfit(dataset, path, reason));
        }
    }
    for (at, column) in money.iter().enumerate() {
        let least = value(1 + filled.len() + at)?;
        if least.is_null() {
            continue;
        }
        let zero = ScalarValue::new_zero(&least.data_type()).map_err(failed)?;
        if least < zero {
            let reason = format!("column `{}` must not be negative", column.name);
            return Err(unfit(dataset, path, reason));
        }
    }
    for (at, (column, _)) in wide.iter().enumerate() {
        if value(1 + filled.len() + money.len() + at)? != ScalarValue::Int64(Some(0)) {
            let (name, wanted) = (&column.name, &column.data_type);
            let reason = format!("column `{name}` has values that are no {wanted}");
            return Err(unfit(dataset, path, reason));
        }
    }
    Ok(())
}

fn is_decimal(column: &Column) -> bool {
    matches!(column.data_type, ColumnType::Decimal { .. })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;

    use super::*;

    #[test]
    fn decimals_of_more_digits_fit_where_their_values_do() {
        let there = DataType::Decimal128(38, 18);
        let schema = |there| Schema::new(vec![Field::new("price", there, true)]);
        let column = Column::parse("price", "decimal(10,2)").unwrap();
        assert_eq!(fits(&column, &schema(there)), Ok(()));
        assert!(fits(&column, &schema(DataType::Float64)).is_err());
    }

    #[test]
    fn a_column_may_lack_only_where_it_may_be_null() {
        let there = Schema::new(vec![Field::new("id", DataType::Int64, true)]);
        let column = |name: &str, nullable| Column {
            name: name.to_owned(),
            data_type: ColumnType::Bigint,
            nullable,
        };
        assert_eq!(fits(&column("id", false), &there), Ok(()));
        assert_eq!(fits(&column("other", true), &there), Ok(()));
        let missing = "column `other` is missing".to_owned();
        assert_eq!(fits(&column("other", false), &there), Err(missing));
    }
}
