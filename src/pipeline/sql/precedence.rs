//! `a is distinct from b and c`: the parser takes all that follows for the right side.
//!
//! In comes a tree of the parser; out comes the one that is meant, `(a is distinct from b)
//! and c`, as PostgreSQL and DuckDB read it. What is in parentheses stays as it is.

use std::{iter::Peekable, ops::ControlFlow, vec::IntoIter};

use crate::pipeline::walk_mut;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query, UnaryOperator, VisitorMut};

/// Gives IS DISTINCT FROM its own right sides.
pub(super) fn corrected(query: &mut Query) {
    struct Corrected;
    impl VisitorMut for Corrected {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if swallows(expr) {
                let mut parts = Vec::new();
                flatten(expr.clone(), &mut parts);
                let mut parts = parts.into_iter().peekable();
                if let Some(meant) = joined(&mut parts, BinaryOperator::Or) {
                    *expr = meant;
                }
            }
            ControlFlow::Continue(())
        }
    }
    // The walk never stops early.
    let _ = walk_mut(query, &mut Corrected);
}

/// A condition, from left to right.
enum Part {
    Operand(Box<Expr>),
    Not,
    Operator(BinaryOperator),
}

fn is_logic(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::And | BinaryOperator::Or)
}

/// Says whether an IS DISTINCT FROM in this condition has taken an AND or an OR.
fn swallows(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { left, op, right } if is_logic(op) => swallows(left) || swallows(right),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => swallows(expr),
        Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => {
            matches!(right.as_ref(), Expr::BinaryOp { op, .. } if is_logic(op)) || swallows(right)
        }
        _ => false,
    }
}

fn flatten(expr: Expr, parts: &mut Vec<Part>) {
    match expr {
        Expr::BinaryOp { left, op, right } if is_logic(&op) => {
            flatten(*left, parts);
            parts.push(Part::Operator(op));
            flatten(*right, parts);
        }
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => {
            parts.push(Part::Not);
            flatten(*expr, parts);
        }
        Expr::IsDistinctFrom(left, right) => {
            distinct(*left, *right, Expr::IsDistinctFrom, parts);
        }
        Expr::IsNotDistinctFrom(left, right) => {
            distinct(*left, *right, Expr::IsNotDistinctFrom, parts);
        }
        other => parts.push(Part::Operand(Box::new(other))),
    }
}

/// Compares with the first operand of what was taken for the right side.
fn distinct(
    left: Expr,
    right: Expr,
    compare: fn(Box<Expr>, Box<Expr>) -> Expr,
    parts: &mut Vec<Part>,
) {
    let mut taken = Vec::new();
    flatten(right, &mut taken);
    let mut taken = taken.into_iter();
    let mut nots = 0;
    let first = loop {
        match taken.next() {
            Some(Part::Not) => nots += 1,
            Some(Part::Operand(first)) => break first,
            // A condition begins with an operand.
            Some(Part::Operator(_)) | None => return,
        }
    };
    let first = (0..nots).fold(*first, |first, _| not(first));
    let compared = compare(Box::new(left), Box::new(first));
    parts.push(Part::Operand(Box::new(compared)));
    parts.extend(taken);
}

fn not(expr: Expr) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(expr),
    }
}

/// Joins operands: AND binds more tightly than OR, and NOT more than both.
fn joined(parts: &mut Peekable<IntoIter<Part>>, by: BinaryOperator) -> Option<Expr> {
    let next = |parts: &mut Peekable<IntoIter<Part>>| match by {
        BinaryOperator::Or => joined(parts, BinaryOperator::And),
        _ => operand(parts),
    };
    let mut left = next(parts)?;
    while let Some(Part::Operator(op)) = parts.peek()
        && *op == by
    {
        parts.next();
        left = Expr::BinaryOp {
            left: Box::new(left),
            op: by.clone(),
            right: Box::new(next(parts)?),
        };
    }
    Some(left)
}

fn operand(parts: &mut Peekable<IntoIter<Part>>) -> Option<Expr> {
    match parts.next()? {
        Part::Operand(expr) => Some(*expr),
        Part::Not => operand(parts).map(not),
        Part::Operator(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use crate::pipeline::{SourceFile, SqlFile};

    fn tree(condition: &str) -> String {
        use datafusion::sql::sqlparser::ast::{Expr, SetExpr};
        fn nested(expr: &Expr) -> String {
            match expr {
                Expr::BinaryOp { left, op, right } => {
                    format!("({} {op} {})", nested(left), nested(right))
                }
                Expr::IsDistinctFrom(left, right) => {
                    format!("({} <> {})", nested(left), nested(right))
                }
                Expr::IsNotDistinctFrom(left, right) => {
                    format!("({} == {})", nested(left), nested(right))
                }
                Expr::UnaryOp { op, expr } => format!("({op} {})", nested(expr)),
                Expr::Nested(inner) => format!("[{}]", nested(inner)),
                other => other.to_string(),
            }
        }
        let source = SourceFile {
            path: "sql/a/a.sql".into(),
            text: format!("select 1 from t where {condition}").into(),
        };
        let file = SqlFile::parse(source, &IndexMap::new());
        match file.query().unwrap().body.as_ref() {
            SetExpr::Select(select) => nested(select.selection.as_ref().unwrap()),
            _ => String::new(),
        }
    }

    #[test]
    fn is_distinct_from_ends_before_and_and_or() {
        for (condition, meant) in [
            ("a is distinct from b", "(a <> b)"),
            ("a is distinct from b and c", "((a <> b) AND c)"),
            ("a is distinct from b or c", "((a <> b) OR c)"),
            ("x and a is distinct from b or c", "((x AND (a <> b)) OR c)"),
            ("x or a is distinct from b and c", "(x OR ((a <> b) AND c))"),
            ("not a is distinct from b and c", "((NOT (a <> b)) AND c)"),
            (
                "a is not distinct from b and c is distinct from d or e",
                "(((a == b) AND (c <> d)) OR e)",
            ),
            ("a is distinct from (b and c)", "(a <> [(b AND c)])"),
            ("a is distinct from b + 1 and c", "((a <> (b + 1)) AND c)"),
            (
                "(a is distinct from b or c) and d",
                "([((a <> b) OR c)] AND d)",
            ),
            ("a and not b or c", "((a AND (NOT b)) OR c)"),
        ] {
            assert_eq!(tree(condition), meant, "{condition}");
        }
        assert_eq!(
            tree("case when a is distinct from b and c then 1 end = 1"),
            "(CASE WHEN a IS DISTINCT FROM b AND c THEN 1 END = 1)"
        );
    }
}
