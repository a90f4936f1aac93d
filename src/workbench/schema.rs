//! `show --schema`: the columns of a dataset, a model or an output, without its rows.
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
