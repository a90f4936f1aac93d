//! Typed parameters: `$min_ratio` in SQL, a literal put in at token level.

use indexmap::IndexMap;

use crate::dataset::ColumnType;

/// `[params.<name>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its type.
    pub data_type: ColumnType,
    /// Its value unless given, as text.
    pub default: String,
    /// The least it may be, as text.
    pub min: Option<String>,
    /// The most it may be, as text.
    pub max: Option<String>,
    /// The values it may have; any if empty.
    pub one_of: Vec<String>,
    /// What it means.
    pub doc: String,
}

/// The parameters of one pipeline with their values, checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bindings {
    /// Name → type and value, as text in its canonical spelling.
    pub values: IndexMap<String, (ColumnType, String)>,
}
