//! Where an expression of a plan is written in its file.
//!
//! The planner keeps the places of columns alone; a literal is found by its text, and what
//! has neither has no place.

use std::ops::Range;

use datafusion::{
    common::{
        Column, ScalarValue,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::Expr,
};

use crate::pipeline::{SqlFile, byte_at};

/// Returns where an expression is written: its columns, from the first to the last, or its
/// literal if it has none.
pub(super) fn of(expr: &Expr, file: &SqlFile) -> Option<Range<usize>> {
    let (mut columns, mut literals) = (Vec::new(), Vec::new());
    // The walk itself cannot fail: its steps never do.
    let _ = expr.apply(|part| {
        match part {
            Expr::Column(column) => columns.extend(of_column(column, file)),
            Expr::Literal(value, _) => literals.extend(of_literal(value, file)),
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let found = if columns.is_empty() {
        literals
    } else {
        columns
    };
    let start = found.iter().map(|at| at.start).min()?;
    let end = found.iter().map(|at| at.end).max()?;
    Some(start..end)
}

fn of_column(column: &Column, file: &SqlFile) -> Option<Range<usize>> {
    let Some(span) = column.spans().first() else {
        return file.word(first_word(&column.name));
    };
    let start = byte_at(&file.text, span.start.line, span.start.column);
    let end = byte_at(&file.text, span.end.line, span.end.column);
    Some(start..end.max(start))
}

fn of_literal(value: &ScalarValue, file: &SqlFile) -> Option<Range<usize>> {
    match value {
        ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => file.literal(text),
        ScalarValue::Int64(Some(number)) => file.literal(&number.to_string()),
        _ => None,
    }
}

/// Returns the first word of a column's name, which may be that of a call: `max(t.price)`.
fn first_word(name: &str) -> &str {
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
    &name[..end.unwrap_or(name.len())]
}
