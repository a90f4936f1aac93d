//! `show --schema` and `describe`: the columns of a dataset, a model or an output, without
//! its rows; `describe select …`: those of a query.
//!
//! Datasets and outputs have the columns, documents and units that are declared; those of
//! models and seeds are planned over empty relations. No snapshot is opened.

use datafusion::arrow::datatypes::Field;
use indexmap::IndexMap;

use super::{Result, argument::error_in_arguments, query::parsed, select_all};
use crate::{
    catalog::{Edition, Empty, Named},
    compile::{Compiler, Scope},
    config::EngineConfig,
    dataset::{Column, ColumnDoc, ColumnType, Contract, Docs, SNAPSHOT_AT},
    engine::session,
    env::Env,
    pipeline::{Project, SqlFile},
    report::{self, SchemaColumn},
};

/// Returns the columns of a relation, `prices`, `bargains.extremes` or `store-groups`.
///
/// # Errors
///
/// There is no such relation, or the SQL that makes it is wrong.
pub async fn schema(env: &Env, relation: &str) -> Result<report::Schema> {
    let project = env.project()?;
    let file = parsed(&select_all(relation, None));
    let context = session(&EngineConfig::default())?;
    let compiler = Compiler::new(&Empty, &context, env.now);
    let named = compiler.named(Scope::Project(project), &file);
    let named = named.map_err(|error| error_in_arguments(error, relation, None))?;
    let declared = named.first().and_then(|(_, named)| declared(*named));
    let columns = match declared {
        Some((contract, docs)) => {
            let columns = contract.columns.iter();
            columns.map(|column| of_column(column, &docs)).collect()
        }
        None => planned(compiler, project, &file).await?,
    };
    Ok(report::Schema {
        relation: relation.to_owned(),
        columns,
        left_out: env.left_out(&[])?,
    })
}

/// Returns what a `describe` of SQL names: a relation, or a SELECT.
pub fn described(sql: &str) -> Option<&str> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    let (word, what) = sql.split_once(char::is_whitespace)?;
    let is_describe = ["describe", "desc"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known));
    is_describe.then(|| what.trim_start())
}

/// Returns the columns of a relation or of a SELECT.
///
/// # Errors
///
/// There is no such relation, or the SQL is wrong.
pub async fn describe(env: &Env, what: &str) -> Result<report::Schema> {
    let first = what.split(char::is_whitespace).next().unwrap_or_default();
    let is_query = ["select", "with", "values"]
        .iter()
        .any(|word| first.eq_ignore_ascii_case(word));
    if !is_query && !what.starts_with('(') {
        return schema(env, what).await;
    }
    let context = session(&EngineConfig::default())?;
    let compiler = Compiler::new(&Empty, &context, env.now);
    Ok(report::Schema {
        relation: what.to_owned(),
        columns: planned(compiler, env.project()?, &parsed(what)).await?,
        left_out: env.left_out(&[])?,
    })
}

/// Returns the columns that the definitions declare.
fn declared(named: Named<'_>) -> Option<(Contract, Docs)> {
    match named {
        Named::Dataset(dataset, Edition::History) => {
            let mut docs = dataset.docs.clone();
            let doc = "When the snapshot of the row was taken.".to_owned();
            let doc = ColumnDoc {
                doc: Some(doc),
                unit: None,
            };
            docs.insert(SNAPSHOT_AT.to_owned(), doc);
            Some((dataset.history(), docs))
        }
        Named::Dataset(dataset, _) => Some((dataset.contract.clone(), dataset.docs.clone())),
        Named::Output(pipeline) => Some((pipeline.contract.clone(), pipeline.docs.clone())),
        Named::Model(pipeline, model) if model == pipeline.output => {
            Some((pipeline.contract.clone(), pipeline.docs.clone()))
        }
        _ => None,
    }
}

fn of_column(column: &Column, docs: &Docs) -> SchemaColumn {
    let doc = docs.get(&column.name).cloned().unwrap_or_default();
    SchemaColumn {
        name: column.name.clone(),
        data_type: column.data_type.to_string(),
        nullable: column.nullable,
        unit: doc.unit,
        doc: doc.doc,
    }
}

async fn planned(
    compiler: Compiler<'_>,
    project: &Project,
    file: &SqlFile,
) -> Result<Vec<SchemaColumn>> {
    let bindings = IndexMap::new();
    let planned = compiler.select(Scope::Project(project), file, &bindings);
    let (_, plan) = Box::pin(planned).await?;
    let fields = plan.schema().fields().iter();
    Ok(fields.map(|field| of_field(field)).collect())
}

fn of_field(field: &Field) -> SchemaColumn {
    let data_type = ColumnType::from_arrow(field.data_type());
    SchemaColumn {
        name: field.name().clone(),
        data_type: data_type.map_or_else(|| field.data_type().to_string(), |t| t.to_string()),
        nullable: field.is_nullable(),
        unit: None,
        doc: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describe_is_a_word_before_a_relation_or_a_query() {
        for (sql, what) in [
            ("describe prices", Some("prices")),
            (" DESC bargains.extremes ; ", Some("bargains.extremes")),
            ("describe\n select 1 as x", Some("select 1 as x")),
            ("describe", None),
            ("select describe from t", None),
            ("descending x", None),
        ] {
            assert_eq!(described(sql), what, "{sql}");
        }
    }
}
