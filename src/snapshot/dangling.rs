//! Counts the rows that reference missing rows of other datasets.
//!
//! A snapshot is not a transaction of the server, so one dataset may name ids that
//! another lacks. Which column names which dataset is read from the names: a
//! `bigint` column `<x>_id` (or `<x>_a_id` and `<x>_b_id`, the two sides of a
//! pair) means the dataset `<x>s` (`<y>ies` for `<y>y`), where the snapshot has it
//! and its key is the one column `id`. Nulls reference nothing and do not count.

use std::collections::BTreeMap;

use datafusion::{
    error::{DataFusionError, Result},
    logical_expr::JoinType,
    prelude::{ParquetReadOptions, SessionContext, col},
};
use indexmap::IndexMap;

use super::Part;
use crate::{dataset::ColumnType, storage::Location};

/// Returns, of each dataset, the rows that name an id the snapshot lacks, by
/// `store_id → stores`. Names without such rows are left out.
pub(super) async fn count(
    context: &SessionContext,
    snapshot: &Location,
    datasets: &IndexMap<String, Part>,
) -> Result<Vec<(String, BTreeMap<String, u64>)>> {
    context.register_object_store(snapshot.root(), snapshot.store().clone());
    let mut counts = Vec::new();
    for (name, part) in datasets {
        let mut dangling = BTreeMap::new();
        for (column, target, target_part) in references(part, datasets) {
            let rows = rows(context, snapshot, (part, column), target_part).await?;
            if rows > 0 {
                dangling.insert(format!("{column} → {target}"), rows);
            }
        }
        counts.push((name.clone(), dangling));
    }
    Ok(counts)
}

fn references<'a>(
    part: &'a Part,
    datasets: &'a IndexMap<String, Part>,
) -> impl Iterator<Item = (&'a str, String, &'a Part)> {
    let ids = part.contract.columns.iter();
    let ids = ids.filter(|column| column.data_type == ColumnType::Bigint);
    ids.filter_map(|column| {
        let target = target(&column.name)?;
        let part = datasets.get(&target).filter(|part| part.key == ["id"])?;
        Some((column.name.as_str(), target, part))
    })
}

/// Returns the dataset that an id of that name would be of.
fn target(column: &str) -> Option<String> {
    let one = column.strip_suffix("_id")?;
    let one = one
        .strip_suffix("_a")
        .or_else(|| one.strip_suffix("_b"))
        .unwrap_or(one);
    Some(match one.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{one}s"),
    })
}

async fn rows(
    context: &SessionContext,
    snapshot: &Location,
    (part, column): (&Part, &str),
    target: &Part,
) -> Result<u64> {
    let options = || ParquetReadOptions::default().parquet_pruning(false);
    let ids = context
        .read_parquet(urls(snapshot, part), options())
        .await?;
    let ids = ids
        .select(vec![col(column)])?
        .filter(col(column).is_not_null())?;
    let known = context
        .read_parquet(urls(snapshot, target), options())
        .await?;
    let known = known.select(vec![col("id").alias("known_id")])?;
    let lost = ids.join(known, JoinType::LeftAnti, &[column], &["known_id"], None)?;
    let lost = lost.count().await?;
    u64::try_from(lost).map_err(|error| DataFusionError::External(error.into()))
}

fn urls(snapshot: &Location, part: &Part) -> Vec<String> {
    let urls = part.files.iter().map(|file| {
        let mut url = snapshot.root().clone();
        url.set_path(snapshot.path(&file.name).as_ref());
        url.to_string()
    });
    urls.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_dataset() {
        assert_eq!(target("store_id").as_deref(), Some("stores"));
        assert_eq!(target("category_a_id").as_deref(), Some("categories"));
        assert_eq!(target("price"), None);
    }
}
