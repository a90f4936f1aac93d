//! Where `in (select …)` and `exists (select …)` are understood.
//!
//! The engine joins their rows. That answers true or not true, where SQL has a third
//! answer, unknown: it does no harm where a condition keeps only what is true, and is
//! wrong under NOT. `not in` is exact as a condition of its own, on a column.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Select, Spanned, UnaryOperator, Visitor,
};

use super::Refused;
use crate::pipeline::walk;

impl Refused<'_> {
    /// Allows the subqueries of a SELECT that are in places where they are understood.
    pub(super) fn allow_subqueries(&mut self, select: &Select) {
        for condition in select.selection.iter().chain(&select.having) {
            self.condition(condition, true);
            self.exists_within(condition);
        }
        for join in select.from.iter().flat_map(|table| &table.joins) {
            if let JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on)) = &join.join_operator
            {
                self.condition(on, true);
            }
        }
    }

    /// Allows what is understood in a condition; `alone` if nothing but AND is around it.
    fn condition(&mut self, expr: &Expr, alone: bool) {
        match expr {
            Expr::Nested(inner) => self.condition(inner, alone),
            Expr::BinaryOp {
                left,
                op: op @ (BinaryOperator::And | BinaryOperator::Or),
                right,
            } => {
                let alone = alone && *op == BinaryOperator::And;
                self.condition(left, alone);
                self.condition(right, alone);
            }
            Expr::InSubquery { negated: false, .. } => self.allow(expr),
            Expr::InSubquery {
                negated: true,
                expr: value,
                ..
            } if alone && has_column(value) => self.allow(expr),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: inner,
            } if alone => self.negated(inner),
            Expr::Case {
                operand: None,
                conditions,
                ..
            } => {
                for case in conditions {
                    self.condition(&case.condition, false);
                }
            }
            _ => {}
        }
    }

    /// `not (k in (select …))` is `k not in (select …)`.
    fn negated(&mut self, expr: &Expr) {
        match expr {
            Expr::Nested(inner) => self.negated(inner),
            Expr::InSubquery {
                negated: false,
                expr: value,
                ..
            } if has_column(value) => self.allow(expr),
            _ => {}
        }
    }

    /// EXISTS is never unknown.
    fn exists_within(&mut self, condition: &Expr) {
        struct Exists(Vec<*const Expr>);
        impl Visitor for Exists {
            type Break = ();

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                if matches!(expr, Expr::Exists { .. }) {
                    self.0.push(expr);
                }
                ControlFlow::Continue(())
            }
        }
        let mut found = Exists(Vec::new());
        // The walk never stops early.
        let _ = walk(condition, &mut found);
        self.allowed.extend(found.0);
    }

    fn allow(&mut self, subquery: &Expr) {
        self.allowed.insert(subquery);
    }

    /// Refuses a subquery in a place where it was not allowed.
    pub(super) fn subquery(&mut self, expr: &Expr) {
        if self.allowed.contains(&std::ptr::from_ref(expr)) {
            return;
        }
        let (value, keyword, help) = match expr {
            Expr::InSubquery {
                expr: value,
                negated: true,
                ..
            } => (
                value.as_ref(),
                "not in",
                "write `not exists (select 1 from … where … = …)`",
            ),
            Expr::InSubquery {
                expr: value,
                negated: false,
                ..
            } => (
                value.as_ref(),
                "in",
                "join the rows, or write it as a condition of WHERE",
            ),
            _ => (
                expr,
                "exists",
                "count the rows of a left join, or write it in WHERE",
            ),
        };
        let what = match keyword {
            "not in" => {
                "NOT IN (SELECT …) is only supported as a condition of its own, on a column"
            }
            "in" => "IN (SELECT …) is only supported as a condition of WHERE or HAVING",
            _ => "EXISTS is only supported in WHERE and HAVING",
        };
        let within = match keyword {
            "exists" => self.before(value.span(), keyword),
            _ => value.span(),
        };
        self.add(within, keyword, what.to_owned(), help);
    }
}

/// Returns whether an expression depends on a row.
pub(super) fn has_column(expr: &Expr) -> bool {
    struct Columns(bool);
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            self.0 |= matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns(false);
    // The walk never stops early.
    let _ = walk(expr, &mut columns);
    columns.0
}
