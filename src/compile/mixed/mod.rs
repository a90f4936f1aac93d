//! Values of different kinds side by side: a text compared with a number, a list handed to
//! a function of texts.
//!
//! In come a plan as the planner made it, before types are coerced, and its file; out
//! comes a finding for each pair whose kinds differ. DataFusion would cast one side in
//! silence: `'0123' = 123` would hold, and with other data the cast would fail at run
//! time. A literal beside a value is taken where it is a value of the other's type.

mod calls;
mod family;
mod literals;

use datafusion::{
    common::{
        DFSchema, JoinType, NullEquality, Result,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Between, BinaryExpr, Case, Expr, Join, LogicalPlan, Operator,
        expr::{InList, InSubquery},
        utils::merge_schema,
    },
};

use self::family::{Side, clash};
use super::places;
use crate::{
    diagnostics::{Code, Finding},
    pipeline::SqlFile,
};

/// Finds what is of different kinds in a file's own plan.
pub(super) fn findings(plan: &LogicalPlan, file: &SqlFile) -> Vec<Finding> {
    let mut mixed = Mixed {
        file,
        findings: Vec::new(),
    };
    // The walk itself cannot fail: what has no type yet is left to the planner.
    let _ = plan.apply_with_subqueries(|node| {
        mixed.node(node)?;
        Ok(TreeNodeRecursion::Continue)
    });
    let in_rows = file.query().map(|query| literals::findings(query, file));
    let mut findings: Vec<Finding> = Vec::new();
    for finding in mixed
        .findings
        .into_iter()
        .chain(in_rows.into_iter().flatten())
    {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// Collects what is found.
struct Mixed<'f> {
    file: &'f SqlFile,
    findings: Vec<Finding>,
}

impl Mixed<'_> {
    fn node(&mut self, node: &LogicalPlan) -> Result<()> {
        let schema = merge_schema(&node.inputs());
        match node {
            LogicalPlan::Union(union) => self.union(&union.inputs),
            LogicalPlan::Join(join) => {
                for on in &join.on {
                    self.join(join, on);
                }
            }
            _ => {}
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                self.expr(expr, &schema);
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(())
    }

    /// Compares what a join compares. INTERSECT and EXCEPT are joins of all columns, in
    /// which null is null.
    fn join(&mut self, join: &Join, (left, right): &(Expr, Expr)) {
        let is_set = join.null_equality == NullEquality::NullEqualsNull;
        let what = match join.join_type {
            JoinType::LeftSemi if is_set => "INTERSECT",
            JoinType::LeftAnti if is_set => "EXCEPT",
            _ => "`=`",
        };
        let column = |expr: &Expr, plan: &LogicalPlan| match expr {
            Expr::Column(column) if is_set => plan.schema().maybe_index_of_column(column),
            _ => None,
        };
        let left = match column(left, &join.left) {
            Some(index) => Side::of_column(&join.left, index),
            None => Side::of(left, join.left.schema()),
        };
        let right = match column(right, &join.right) {
            Some(index) => Side::of_column(&join.right, index),
            None => Side::of(right, join.right.schema()),
        };
        self.pair(what, left, right);
    }

    /// Compares the columns of each branch with those of the first.
    fn union(&mut self, inputs: &[std::sync::Arc<LogicalPlan>]) {
        let Some((first, others)) = inputs.split_first() else {
            return;
        };
        for other in others {
            let columns = first.schema().fields().len();
            for index in 0..columns.min(other.schema().fields().len()) {
                let sides = [first, other].map(|plan| Side::of_column(plan, index));
                let [left, right] = sides;
                self.pair("UNION", left, right);
            }
        }
    }

    fn expr(&mut self, expr: &Expr, schema: &DFSchema) {
        let side = |expr| Side::of(expr, schema);
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                self.binary(left, *op, right, schema)
            }
            Expr::Between(Between {
                expr, low, high, ..
            }) => {
                // One bound says it for both.
                let _ = [low, high]
                    .into_iter()
                    .any(|bound| self.pair("BETWEEN", side(expr), side(bound)));
            }
            Expr::InList(InList { expr, list, .. }) => {
                // One item says it for all.
                let _ = list
                    .iter()
                    .any(|item| self.pair("IN", side(expr), side(item)));
            }
            Expr::InSubquery(InSubquery { expr, subquery, .. }) => {
                let right = Side::of_column(&subquery.subquery, 0);
                self.pair("IN", side(expr), right);
            }
            Expr::Case(case) => self.case(case, schema),
            Expr::ScalarFunction(call) => self.scalar(call, schema),
            Expr::AggregateFunction(call) => {
                self.arguments(call.func.as_ref(), &call.params.args, schema);
            }
            Expr::WindowFunction(call) => self.window(call, schema),
            _ => {}
        }
    }

    fn binary(&mut self, left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) {
        let sides = (Side::of(left, schema), Side::of(right, schema));
        let (left, right) = sides;
        match op {
            op if compares(op) => {
                self.pair(&format!("`{}`", op.to_string().to_lowercase()), left, right);
            }
            // Dates and intervals are added to each other, and the planner knows how.
            op if op.is_numerical_operators() && left.counts() && right.counts() => {
                self.pair(&format!("`{op}`"), left, right);
            }
            _ => {}
        }
    }

    fn case(&mut self, case: &Case, schema: &DFSchema) {
        if let Some(operand) = &case.expr {
            for (when, _) in &case.when_then_expr {
                let (operand, when) = (Side::of(operand, schema), Side::of(when, schema));
                self.pair("`case`", operand, when);
            }
        }
        let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
        let results = results.chain(case.else_expr.as_deref());
        self.alike("CASE", results, schema);
    }

    /// Compares each of some expressions with the first that is not null.
    fn alike<'e>(&mut self, what: &str, exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchema) {
        let sides = exprs.map(|expr| Side::of(expr, schema));
        let mut sides = sides.filter(|side| side.is_known());
        let Some(first) = sides.next() else { return };
        for other in sides {
            self.pair(what, first.clone(), other);
        }
    }

    /// Compares two values; says whether their kinds differ.
    fn pair(&mut self, what: &str, left: Side<'_>, right: Side<'_>) -> bool {
        // Of these a column is made: a literal text would make it one of texts.
        let is_made = matches!(what, "UNION" | "CASE");
        let is_text_made = is_made && family::makes_text(&left, &right);
        if !clash(&left, &right) && !is_text_made {
            return false;
        }
        let (one, other) = (left.type_name(), right.type_name());
        let message = match what {
            "UNION" | "INTERSECT" | "EXCEPT" | "CASE" | "`coalesce`" => {
                format!("{what} has {} and {}", a(&one), a(&other))
            }
            _ => format!("{what} is between {} and {}", a(&one), a(&other)),
        };
        let of = |side: &Side<'_>| side.expr.and_then(|expr| places::of(expr, self.file));
        let (here, there) = (of(&left), of(&right));
        let finding = Finding::new(Code::MixedTypes, message);
        let finding = match (here, there) {
            (Some(here), Some(there)) if here != there => finding
                .at(self.file.place(here), one)
                .see(self.file.place(there), other),
            (Some(here), _) => finding.at(self.file.place(here), one),
            (None, Some(there)) => finding.at(self.file.place(there), other),
            (None, None) => finding.at(self.file.place(self.file.first_token()), "in this SELECT"),
        };
        self.findings
            .push(finding.help(family::remedy(&left, &right)));
        true
    }
}

fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

/// Returns a type with its article.
pub(super) fn a(type_name: &str) -> String {
    format!("a {type_name}")
}
