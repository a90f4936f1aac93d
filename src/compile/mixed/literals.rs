//! The rows of VALUES: a column of numbers in one row and of texts in another.
//!
//! In comes a tree; out comes a finding at the first value of another kind. A text that is
//! a number is one there.

use std::ops::ControlFlow;

use crate::pipeline::walk;
use datafusion::sql::sqlparser::ast::{
    Expr, Query, SetExpr, Spanned, UnaryOperator, Value, Values, Visitor,
};

use crate::{
    diagnostics::{Code, Finding},
    pipeline::SqlFile,
};

/// Finds the values of other kinds than those above them.
pub(super) fn findings(query: &Query, file: &SqlFile) -> Vec<Finding> {
    struct Rows<'f> {
        file: &'f SqlFile,
        findings: Vec<Finding>,
    }
    impl Visitor for Rows<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if let SetExpr::Values(values) = query.body.as_ref() {
                self.findings.extend(of_values(values, self.file));
            }
            ControlFlow::Continue(())
        }
    }
    let mut rows = Rows {
        file,
        findings: Vec::new(),
    };
    // The walk never stops early.
    let _ = walk(query, &mut rows);
    rows.findings
}

fn of_values(values: &Values, file: &SqlFile) -> Option<Finding> {
    let width = values.rows.iter().map(|row| row.content.len()).max()?;
    (0..width).find_map(|column| {
        let cells = values.rows.iter().filter_map(|row| row.content.get(column));
        let cells: Vec<(&Expr, &str)> =
            cells.filter_map(|cell| Some((cell, kind(cell)?))).collect();
        let (first, wanted) = cells.first()?;
        let (other, is) = cells.iter().find(|(_, is)| is != wanted)?;
        let is_number = |cell: &Expr| text(cell).is_some_and(|it| it.parse::<f64>().is_ok());
        if is_number(first) || is_number(other) {
            return None;
        }
        let what = format!("a column of VALUES has a {wanted} and a {is}");
        let finding = Finding::new(Code::MixedTypes, what)
            .at(file.place(file.bytes(other.span())), *is)
            .see(file.place(file.bytes(first.span())), *wanted);
        Some(finding.help("write texts in all rows, `'1'`, or none"))
    })
}

/// Returns what kind of literal an expression is, if it is one that counts.
fn kind(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(..) => Some("number"),
            Value::SingleQuotedString(_) => Some("text"),
            Value::Boolean(_) => Some("boolean"),
            _ => None,
        },
        Expr::Nested(inner)
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr: inner,
        } => kind(inner),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}
