//! Where `in (select …)` and `exists (select …)` are understood.
//!
//! The engine joins their rows. That answers true or not true, where SQL has a third
//! answer, unknown: it does no harm where a condition keeps only what is true, and is
//! wrong under NOT. `not in` is exact as a condition of its own, on a column. Elsewhere a
//! subquery is a value, which is written out as counts.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, JoinOperator, Query, Select, SelectItem, Spanned,
    UnaryOperator, Visitor,
};

use super::Refused;
use crate::pipeline::{
    sql::memberships::{is_a_value, is_anti_join, is_correlated},
    walk,
};

impl Refused<'_> {
    /// Allows the subqueries of a SELECT that are in places where they are understood.
    pub(super) fn allow_subqueries(&mut self, select: &Select) {
        for condition in select.selection.iter().chain(&select.having) {
            self.condition(condition, true);
            self.exists_within(condition);
            self.values_within(condition);
        }
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.values_within(expr);
            }
        }
        for join in select.from.iter().flat_map(|table| &table.joins) {
            if let JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on)) = &join.join_operator
            {
                self.condition(on, true);
            }
        }
    }

    /// Allows a NOT IN that reads the row around it, if it can be written as an anti join.
    fn anti_join(&mut self, expr: &Expr) {
        if is_anti_join(expr) {
            self.written_out.insert(expr);
            self.allow(expr);
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
            Expr::InSubquery { negated: true, .. } if alone && is_correlated(expr) => {
                self.anti_join(expr);
            }
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
            } if has_column(value) && !is_correlated(expr) => self.allow(expr),
            _ => {}
        }
    }

    /// Remembers the subqueries that can be written out as values: not those in calls, which
    /// may be aggregates.
    fn values_within(&mut self, expr: &Expr) {
        #[derive(Default)]
        struct Values {
            around: usize,
            found: Vec<*const Expr>,
        }
        impl Visitor for Values {
            type Break = ();

            fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
                self.around += 1;
                ControlFlow::Continue(())
            }

            fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
                self.around -= 1;
                ControlFlow::Continue(())
            }

            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                if self.around == 0 && is_a_value(expr) {
                    self.found.push(expr);
                }
                self.around += usize::from(matches!(expr, Expr::Function(_)));
                ControlFlow::Continue(())
            }

            fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                self.around -= usize::from(matches!(expr, Expr::Function(_)));
                ControlFlow::Continue(())
            }
        }
        let mut values = Values::default();
        // The walk never stops early.
        let _ = walk(expr, &mut values);
        self.values.extend(values.found);
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
        if self.values.contains(&std::ptr::from_ref(expr)) {
            self.written_out.insert(expr);
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
                "write `not exists (select 1 from … where … = …)`; nulls never match in it",
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
            "not in" => "NOT IN (SELECT …) is not supported here",
            "in" => "IN (SELECT …) is not supported here",
            _ => "EXISTS is not supported here",
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
