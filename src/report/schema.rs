//! The columns of a relation: what `show --schema` shows.

use serde::Serialize;

use super::{LeftOut, Report, Summary};

/// A relation's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// The relation, as it was asked for.
    pub relation: String,
    /// Its columns, in order.
    pub columns: Vec<SchemaColumn>,
    /// The pipelines that were left out, as their files have errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaColumn {
    /// Its name, as SQL reads it.
    pub name: String,
    /// Its type, such as `decimal(10,2)`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What its values are counted in, where the definitions say so.
    pub unit: Option<String>,
    /// What it holds, where the definitions say so.
    pub doc: Option<String>,
}

impl Report for Schema {
    const COMMAND: &'static str = "show";
    const COLUMNS: &'static [&'static str] = &["name", "type", "nullable", "unit", "doc"];
    type Item = SchemaColumn;

    fn items(&self) -> Vec<&SchemaColumn> {
        self.columns.iter().collect()
    }

    fn summary(&self) -> Summary {
        Summary::default()
    }

    fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}
