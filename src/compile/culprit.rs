//! Which row an error of a run comes from, and where the operation is written that failed.
//!
//! In come a plan that failed and its error; out comes the first row for which the same
//! operation says the same, by the values of its key, and the operation's place. To find
//! it, what the operation reads is computed once more: only what has failed pays for it.

use std::{ops::Range, sync::Arc};

use datafusion::{
    arrow::record_batch::RecordBatch,
    common::{
        DFSchema,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    error::DataFusionError,
    logical_expr::{Expr, LogicalPlan, Operator},
    physical_plan::PhysicalExpr,
};
use futures::StreamExt;

use super::{blame, places, planner::Planner, row, rows::Keys};
use crate::{
    chain::chain,
    diagnostics::Place,
    engine::Error,
    pipeline::{SqlFile, byte_at},
};

/// A plan that failed, and the SQL that it was made of.
pub(crate) struct Failed<'a> {
    pub(crate) planner: &'a Planner,
    pub(crate) plan: &'a LogicalPlan,
    /// The files whose SQL is part of the plan.
    pub(crate) files: Vec<&'a SqlFile>,
    /// What tells the rows of the relations apart.
    pub(crate) keys: &'a Keys,
}

/// What is at fault, as far as it can be found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Culprit {
    pub(crate) place: Option<Place>,
    /// The values of the row: `store_id = 12, product_id = 7, sku = 'C7'`.
    pub(crate) row: Option<String>,
}

/// An operation and the row for which it fails.
struct Found {
    expr: Expr,
    row: String,
}

/// Expressions with what they are computed from.
struct Operations<'p> {
    input: &'p LogicalPlan,
    exprs: Vec<Expr>,
}

impl Failed<'_> {
    /// Finds the row and the place of an error.
    pub(crate) async fn culprit(&self, error: &DataFusionError) -> Culprit {
        let says = chain(error);
        let options = self.planner.state().config_options();
        let analyzer = self.planner.state().analyzer();
        let plan = analyzer.execute_and_check(self.plan.clone(), options, |_, _| {});
        let found = match plan {
            Ok(plan) => Box::pin(self.within(&plan, &says)).await,
            Err(_) => None,
        };
        let place = match &found {
            Some(found) => self.written(&found.expr),
            None => None,
        };
        let blamed = || blame::place(&says, self.files.iter().copied());
        Culprit {
            place: place.or_else(blamed).map(|(file, at)| file.place(at)),
            row: found.map(|found| found.row),
        }
    }

    /// Returns the error with the place and the row, of which `what` says nothing.
    pub(crate) async fn run_error(&self, what: &str, error: DataFusionError) -> Error {
        let culprit = self.culprit(&error).await;
        let mut what = match culprit.place {
            Some(place) => {
                let (line, column) = place.line_column();
                format!("{}:{line}:{column}", place.file.display())
            }
            None => what.to_owned(),
        };
        if let Some(row) = culprit.row {
            what = format!("{what}, in the row {row}");
        }
        Error::run(&what, error)
    }

    /// Looks for the operation from the leaves of the plan up.
    async fn within(&self, plan: &LogicalPlan, says: &str) -> Option<Found> {
        for input in plan.inputs() {
            if let Some(found) = Box::pin(self.within(input, says)).await {
                return Some(found);
            }
        }
        for operations in operations(plan) {
            if let Some(found) = self.row(&operations, says).await {
                return Some(found);
            }
        }
        None
    }

    /// Computes what the operations read, and then these row by row.
    async fn row(&self, operations: &Operations<'_>, says: &str) -> Option<Found> {
        let schema = operations.input.schema();
        let exprs = operations.exprs.iter();
        let exprs = exprs.filter_map(|expr| Some((expr, self.physical(expr, schema)?)));
        let exprs: Vec<_> = exprs.collect();
        if exprs.is_empty() {
            return None;
        }
        let mut stream = self.planner.run(operations.input).await.ok()?;
        while let Some(batch) = stream.next().await {
            let batch = batch.ok()?;
            for (expr, physical) in &exprs {
                if let Some(row) = failing(physical.as_ref(), &batch, says) {
                    let expr = self.innermost(expr, schema, &row, says);
                    let row = row::shown(&row, operations.input, &expr, self.keys);
                    return Some(Found { expr, row });
                }
            }
        }
        None
    }

    fn physical(&self, expr: &Expr, schema: &DFSchema) -> Option<Arc<dyn PhysicalExpr>> {
        let state = self.planner.state();
        state.create_physical_expr(expr.clone(), schema).ok()
    }

    /// Returns the smallest part of an expression that fails so.
    fn innermost(&self, expr: &Expr, schema: &DFSchema, row: &RecordBatch, says: &str) -> Expr {
        let mut found = expr.clone();
        // The walk itself cannot fail: its steps never do.
        let _ = expr.apply(|part| {
            let fails = self
                .physical(part, schema)
                .is_some_and(|part| failing(part.as_ref(), row, says).is_some());
            if !fails {
                return Ok(TreeNodeRecursion::Jump);
            }
            found = part.clone();
            Ok(TreeNodeRecursion::Continue)
        });
        found
    }

    /// Returns where an expression is written, in the one file whose text has its columns
    /// at their places.
    fn written(&self, expr: &Expr) -> Option<(&SqlFile, Range<usize>)> {
        let mut fitting = self.files.iter().filter(|file| fits(expr, file));
        match (fitting.next(), fitting.next()) {
            (Some(file), None) => Some((file, places::of(expr, file)?)),
            _ => None,
        }
    }
}

/// Returns the first row for which an expression fails so.
fn failing(expr: &dyn PhysicalExpr, batch: &RecordBatch, says: &str) -> Option<RecordBatch> {
    expr.evaluate(batch).err()?;
    let mut rows = (0..batch.num_rows()).map(|row| batch.slice(row, 1));
    rows.find(|row| match expr.evaluate(row) {
        Err(error) => says.contains(&chain(&error)),
        Ok(_) => false,
    })
}

/// Returns the operations of a node that can fail for a row.
fn operations(plan: &LogicalPlan) -> Vec<Operations<'_>> {
    let sides: Vec<(&LogicalPlan, Vec<Expr>)> = match plan {
        LogicalPlan::Join(join) => {
            let (left, right) = join.on.iter().cloned().unzip();
            vec![(&join.left, left), (&join.right, right)]
        }
        plan => match plan.inputs().as_slice() {
            [input] => vec![(*input, plan.expressions())],
            _ => Vec::new(),
        },
    };
    let of_rows = sides.into_iter().map(|(input, exprs)| Operations {
        input,
        exprs: exprs
            .into_iter()
            .flat_map(of_row)
            .filter(can_fail)
            .collect(),
    });
    of_rows.filter(|it| !it.exprs.is_empty()).collect()
}

/// Returns what of an expression is computed row by row.
fn of_row(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Alias(alias) => of_row(*alias.expr),
        Expr::Unnest(unnest) => of_row(*unnest.expr),
        Expr::AggregateFunction(call) => {
            let order = call.params.order_by.into_iter().map(|sort| sort.expr);
            let filter = call.params.filter.map(|filter| *filter);
            let args = call.params.args.into_iter();
            args.chain(order).chain(filter).collect()
        }
        Expr::WindowFunction(call) => {
            let params = call.params;
            let order = params.order_by.into_iter().map(|sort| sort.expr);
            let args = params.args.into_iter();
            args.chain(params.partition_by).chain(order).collect()
        }
        other => vec![other],
    }
}

fn can_fail(expr: &Expr) -> bool {
    let has = |is: fn(&Expr) -> bool| expr.exists(|part| Ok(is(part))).unwrap_or(false);
    let is_alone = has(|part| {
        matches!(
            part,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::OuterReferenceColumn(..)
        )
    });
    let fails: fn(&Expr) -> bool = |part| match part {
        Expr::Cast(_) | Expr::ScalarFunction(_) | Expr::Negative(_) => true,
        Expr::BinaryExpr(binary) => matches!(
            binary.op,
            Operator::Divide
                | Operator::Modulo
                | Operator::Plus
                | Operator::Minus
                | Operator::Multiply
        ),
        _ => false,
    };
    // What reads no column fails for no row of its own.
    !is_alone && has(fails) && has(|part| matches!(part, Expr::Column(_)))
}

/// Says whether a file has the columns of an expression where the planner saw them.
fn fits(expr: &Expr, file: &SqlFile) -> bool {
    let mut fits = Vec::new();
    // The walk itself cannot fail: its steps never do.
    let _ = expr.apply(|part| {
        if let Expr::Column(column) = part
            && let Some(span) = column.spans().first()
        {
            let start = byte_at(&file.text, span.start.line, span.start.column);
            let end = byte_at(&file.text, span.end.line, span.end.column);
            let written = file.text.get(start..end).unwrap_or_default().to_lowercase();
            let written = written.trim_matches('"');
            fits.push(written.ends_with(&column.name.to_lowercase()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    !fits.is_empty() && fits.into_iter().all(|fits| fits)
}
