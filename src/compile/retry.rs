//! `max(price)` beside `max(cast(price as bigint))`: DataFusion gives both columns one
//! name, and refuses them.
//!
//! In come a statement and relations, as for the planner; out comes its plan, with casts
//! in calls told apart where only their names are in the way. `coalesce(cast(x as t), null)`
//! is `cast(x as t)` under a name of its own, and the optimiser takes it off again.

use std::ops::ControlFlow;

use datafusion::{
    common::SchemaError,
    error::{DataFusionError, Result},
    logical_expr::LogicalPlan,
    sql::{
        parser::Statement,
        sqlparser::ast::{
            self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
            FunctionArguments, Ident, ObjectName, Select, SelectItem, Value, VisitorMut,
        },
    },
};

use super::planner::{Planner, Relation};
use crate::pipeline::walk_mut;

/// Plans a statement; once more with its casts told apart, if their names are alike.
pub(super) async fn plan(
    planner: &mut Planner,
    statement: Statement,
    relations: Vec<Relation>,
) -> Result<LogicalPlan> {
    let first = planner.plan(statement.clone(), relations.clone()).await;
    let Err(error) = first else { return first };
    if !is_of_names(&error) {
        return Err(error);
    }
    let mut casts = Casts::default();
    let Statement::Statement(mut inner) = statement else {
        return Err(error);
    };
    // The walk never stops early.
    let _ = walk_mut(inner.as_mut(), &mut casts);
    if casts.types.is_empty() {
        return Err(error);
    }
    let second = planner.plan(Statement::Statement(inner), relations).await;
    // What is wrong apart from the names is said of what is written.
    second.map_err(|_| error)
}

fn is_of_names(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::SchemaError(error, _) => matches!(
            error.as_ref(),
            SchemaError::DuplicateQualifiedField { .. }
                | SchemaError::DuplicateUnqualifiedField { .. }
        ),
        root => root.message().contains("unique expression names"),
    }
}

/// Tells the casts in calls apart by the place of their type among all types.
#[derive(Default)]
struct Casts {
    types: Vec<ast::DataType>,
}

impl VisitorMut for Casts {
    type Break = ();

    /// A column that has no name keeps the one that it is written with.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr @ Expr::Function(_)) = item {
                let name = expr.to_string().to_lowercase();
                if name.contains("cast(") || name.contains("::") {
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias: Ident::with_quote('"', name),
                    };
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(Function {
            args: FunctionArguments::List(list),
            ..
        }) = expr
        {
            list.args.iter_mut().for_each(|arg| self.argument(arg));
        }
        ControlFlow::Continue(())
    }
}

impl Casts {
    fn argument(&mut self, arg: &mut FunctionArg) {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg else {
            return;
        };
        if let Expr::Cast { data_type, .. } = expr {
            let known = self.types.iter().position(|known| known == data_type);
            let place = known.unwrap_or_else(|| {
                self.types.push(data_type.clone());
                self.types.len() - 1
            });
            *expr = with_nulls(expr.clone(), place + 1);
        }
    }
}

/// Returns `coalesce(expr, null, …)`.
fn with_nulls(expr: Expr, nulls: usize) -> Expr {
    let null = || Expr::Value(Value::Null.into());
    let args = std::iter::once(expr).chain(std::iter::repeat_with(null).take(nulls));
    let args = args.map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
