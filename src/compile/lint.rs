//! What SQL may do and should not: results that depend on chance, or are rarely meant.
//!
//! Choices without an order are found by `unordered`, and what is valid and rarely meant
//! by `suspect`. Here is the rest: what the text alone shows is found in the tree; what
//! depends on types is found in the plan, and placed in the tree by the columns that it
//! adds up.

use std::ops::{ControlFlow, Range};

use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    error::Result,
    logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, expr::AggregateFunction},
    sql::sqlparser::{
        ast::{self, Query, SetExpr, Spanned, Visitor},
        tokenizer::Span,
    },
};

use super::{derived, rows::Keys, suspect, unordered};
use crate::{
    diagnostics::{Code, Finding, Severity},
    pipeline::{SqlFile, byte_at, walk},
};

/// Functions whose value is another one each time.
const CHANCE: &[&str] = &["random", "uuid"];

/// Finds what would make two runs over one snapshot differ, and what is rarely meant, in a
/// file's own plan; `keys` are those of the relations that it reads, as far as known.
pub(super) fn lint(plan: &LogicalPlan, file: &SqlFile, keys: &Keys) -> Vec<Finding> {
    let Some(query) = file.query() else {
        return Vec::new();
    };
    let keys = &derived::with_ctes(query, keys);
    let mut tree = Tree {
        file,
        findings: Vec::new(),
        sums: Vec::new(),
    };
    if let Some(order) = &query.order_by
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && !keeps_first(query)
    {
        tree.findings.push(useless_order(file, order.span()));
    }
    // The walk never stops early.
    let _ = walk(query, &mut tree);
    let Tree {
        mut findings, sums, ..
    } = tree;
    findings.extend(unordered::findings(query, file, keys));
    findings.extend(suspect::findings(query, plan, file, keys));
    let mut inexact = Vec::new();
    // The walk itself cannot fail: its steps never do.
    let walked = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node {
            inexact_sums(aggregate, file, &sums, &mut inexact)?;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    if let Err(error) = walked {
        findings.push(super::diagnose::finding(&error, file, Vec::new));
    }
    findings.extend(inexact);
    let mut seen = Vec::new();
    findings.retain(|finding| {
        let place = finding.place().map(|place| place.span.clone());
        let key = (finding.message.clone(), place);
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    findings
}

/// Finds the same in a query of the moment. Its rows come all the same, so all is a warning;
/// they are shown in its order, which is of use there.
pub(super) fn of_query(plan: &LogicalPlan, file: &SqlFile, keys: &Keys) -> Vec<Finding> {
    let found = lint(plan, file, keys).into_iter();
    let found = found.filter(|finding| finding.code != Code::UselessOrder);
    let found = found.map(|finding| Finding {
        severity: Severity::Warning,
        ..finding
    });
    found.collect()
}

/// What the tree of a file shows.
struct Tree<'f> {
    file: &'f SqlFile,
    findings: Vec<Finding>,
    /// The calls of `sum` and `avg`.
    sums: Vec<Call>,
}

/// A call and its place.
struct Call {
    name: String,
    /// The bytes of the name.
    at: Range<usize>,
    /// The bytes of all of it.
    all: Range<usize>,
}

impl Visitor for Tree<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        if let ast::Expr::Function(call) = expr {
            self.call(call);
        }
        ControlFlow::Continue(())
    }
}

impl Tree<'_> {
    fn call(&mut self, call: &ast::Function) {
        let name = call.name.to_string().to_ascii_lowercase();
        let at = self.file.bytes(call.name.span());
        match name.as_str() {
            "sum" | "avg" | "mean" => {
                let all = self.file.bytes(call.span());
                self.sums.push(Call { name, at, all });
            }
            name if CHANCE.contains(&name) => self.findings.push(chance(self.file, name, at)),
            _ => {}
        }
    }
}

/// `distinct on` keeps the first row of each in the order of the query.
fn keeps_first(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => matches!(select.distinct, Some(ast::Distinct::On(_))),
        _ => false,
    }
}

fn inexact_sums(
    aggregate: &Aggregate,
    file: &SqlFile,
    sums: &[Call],
    findings: &mut Vec<Finding>,
) -> Result<()> {
    for expr in &aggregate.aggr_expr {
        expr.apply(|expr| {
            if let Expr::AggregateFunction(call) = expr
                && is_inexact(call, aggregate)?
            {
                findings.push(inexact(call, file, sums)?);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(())
}

fn is_inexact(call: &AggregateFunction, aggregate: &Aggregate) -> Result<bool> {
    let Some(argument) = call.params.args.first() else {
        return Ok(false);
    };
    let adds = matches!(call.func.name(), "sum" | "avg");
    Ok(adds && argument.get_type(aggregate.input.schema())?.is_floating())
}

fn inexact(call: &AggregateFunction, file: &SqlFile, sums: &[Call]) -> Result<Finding> {
    let name = call.func.name();
    let columns = columns(call, file)?;
    let mut named = sums.iter().filter(|sum| {
        let is_mean = sum.name == "mean" && name == "avg";
        sum.name == name || is_mean
    });
    let within = |sum: &&Call| columns.iter().any(|column| sum.all.contains(column));
    // The innermost begins last.
    let placed = named.clone().filter(within).max_by_key(|sum| sum.at.start);
    let at = placed.or_else(|| named.next()).map(|sum| sum.at.clone());
    let at = at.unwrap_or_else(|| file.first_token());
    let what = format!("{name} over a double depends on row order");
    let finding = Finding::new(Code::InexactSum, what).at(file.place(at), "not exact");
    Ok(finding.help("cast to a decimal first, or sum integers"))
}

/// Returns where the columns of a call are written, as far as the planner kept it.
fn columns(call: &AggregateFunction, file: &SqlFile) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for argument in &call.params.args {
        argument.apply(|expr| {
            if let Expr::Column(column) = expr {
                let starts = column.spans().iter().map(|span| span.start);
                found.extend(starts.map(|at| byte_at(&file.text, at.line, at.column)));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(found)
}

fn useless_order(file: &SqlFile, columns: Span) -> Finding {
    let at = file.keywords_before(columns, &["order", "by"]);
    Finding::new(
        Code::UselessOrder,
        "ORDER BY in a model has no effect: readers may see any order",
    )
    .at(
        file.place(at.unwrap_or_else(|| file.bytes(columns))),
        "has no effect",
    )
    .help("`order` in the manifest orders the rows that are written")
}

fn chance(file: &SqlFile, name: &str, at: Range<usize>) -> Finding {
    let what = format!("{name}() returns a different value each time");
    Finding::new(Code::NonDeterministic, what)
        .at(file.place(at), "not allowed here")
        .help("the same snapshot must give the same artifact: derive the value from the rows")
}
