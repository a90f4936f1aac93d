//! SQL that is valid and rarely meant: `= null`, relations without a condition between
//! them, whole numbers divided, values of the clock.
//!
//! In come a file and its plan; out comes a finding at each. What is written out, such as
//! `cross join` or `floor(a / b)`, is taken as meant.

use std::{collections::BTreeSet, ops::ControlFlow};

use datafusion::{
    common::{
        DFSchema, Result,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        BinaryExpr, Expr as Planned, ExprSchemable, LogicalPlan, Operator, utils::merge_schema,
    },
    sql::sqlparser::ast::{
        BinaryOperator, Expr, Function, JoinConstraint, JoinOperator, Query, Select, SetExpr,
        Spanned, TableFactor, TableWithJoins, Value, Visitor,
    },
};

use super::{
    places,
    rows::{Keys, is_one_row},
};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::{SqlFile, walk},
};

/// Functions whose value is the time.
const CLOCKS: &[&str] = &[
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "today",
    "localtime",
    "localtimestamp",
];

/// Finds what is rarely meant.
pub(super) fn findings(
    query: &Query,
    plan: &LogicalPlan,
    file: &SqlFile,
    keys: &Keys,
) -> Vec<Finding> {
    let mut names = file.names().iter();
    let mut suspects = Suspects {
        file,
        keys,
        // The age of an earlier snapshot is what the time of this one is for.
        compares_snapshots: names.any(|name| name.reference.schema() == Some(super::HISTORY)),
        findings: Vec::new(),
    };
    // The walk never stops early.
    let _ = walk(query, &mut suspects);
    suspects.findings.extend(divisions(plan, file));
    suspects.findings
}

struct Suspects<'a> {
    file: &'a SqlFile,
    keys: &'a Keys,
    compares_snapshots: bool,
    findings: Vec<Finding>,
}

impl Visitor for Suspects<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.cross(select);
        self.bare_join(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } => self.comparison(left, op, right),
            Expr::Function(call) => self.clock(call),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Suspects<'_> {
    fn comparison(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) {
        let compares = matches!(
            op,
            BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
        );
        let is_null = |expr: &Expr| match expr {
            Expr::Value(value) => value.value == Value::Null,
            _ => false,
        };
        let (null, other) = match (is_null(left), is_null(right)) {
            _ if !compares => return,
            (_, true) => (right, left),
            (true, _) => (left, right),
            _ => return,
        };
        let at = self.file.place(self.file.bytes(null.span()));
        let what = format!("`{op} null` never holds, not even for null");
        let not = if *op == BinaryOperator::NotEq {
            " not"
        } else {
            ""
        };
        let finding = Finding::new(Code::NullComparison, what).at(at, "never holds");
        self.findings
            .push(finding.help(format!("write `{other} is{not} null`")));
    }

    fn clock(&mut self, call: &Function) {
        let name = call.name.to_string().to_ascii_lowercase();
        if !CLOCKS.contains(&name.as_str()) || self.compares_snapshots {
            return;
        }
        let at = self.file.place(self.file.bytes(call.name.span()));
        let what = format!("`{name}` is the time of the snapshot: each gives other rows");
        let finding = Finding::new(Code::TimeDependent, what).at(at, "depends on the snapshot");
        let help =
            "derive the time from the rows, such as `(select max(scraped_date) from prices)`";
        self.findings.push(finding.help(help));
    }

    /// Reports a JOIN that has no condition, and none in WHERE either.
    fn bare_join(&mut self, select: &Select) {
        for from in &select.from {
            let mut before = names_of_factor(&from.relation);
            for join in &from.joins {
                let own = names_of_factor(&join.relation);
                let is_bare = matches!(
                    join.join_operator,
                    JoinOperator::Join(JoinConstraint::None)
                        | JoinOperator::Inner(JoinConstraint::None)
                );
                let names = [before.clone(), own.clone()];
                let meets = select.selection.as_ref();
                let meets = meets.is_some_and(|condition| connects(condition, &names));
                if is_bare && !meets && !is_one(&join.relation, self.keys) {
                    self.unjoined(&join.relation);
                }
                before.extend(own);
            }
        }
    }

    fn unjoined(&mut self, relation: &TableFactor) {
        let at = self.file.place(self.file.bytes(relation.span()));
        let what = "no condition joins these relations: each row meets every row of the other";
        let finding = Finding::new(Code::CrossJoin, what).at(at, "joined with all rows");
        self.findings
            .push(finding.help("write `join … on …`, or `cross join` if that is meant"));
    }

    /// Reports relations between which there is a comma and no condition.
    fn cross(&mut self, select: &Select) {
        let [_, .., last] = select.from.as_slice() else {
            return;
        };
        let loose = select
            .from
            .iter()
            .filter(|from| !is_one(&from.relation, self.keys));
        let names: Option<Vec<_>> = loose.map(names_of).collect();
        // Of what has no name nothing is known.
        let Some(names) = names else { return };
        let alone = match &select.selection {
            None => names.len() > 1,
            Some(condition) => !connects(condition, &names),
        };
        if !alone || names.len() < 2 {
            return;
        }
        self.unjoined(&last.relation);
    }
}

/// Says whether a relation of a FROM has one row, or comes of those before it.
fn is_one(factor: &TableFactor, keys: &Keys) -> bool {
    match factor {
        TableFactor::Table { args: Some(_), .. }
        | TableFactor::Function { .. }
        | TableFactor::UNNEST { .. } => true,
        TableFactor::Table { name, .. } => {
            let key = keys.get(&name.to_string().to_lowercase());
            key.is_some_and(Vec::is_empty)
        }
        TableFactor::Derived {
            lateral, subquery, ..
        } => {
            *lateral
                || match subquery.body.as_ref() {
                    SetExpr::Select(select) => is_one_row(select),
                    SetExpr::Values(values) => values.rows.len() == 1,
                    _ => false,
                }
        }
        _ => true,
    }
}

/// Returns the names by which the columns of a FROM are known.
fn names_of(from: &TableWithJoins) -> Option<BTreeSet<String>> {
    let factors =
        std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation));
    let names = factors.map(|factor| {
        let names = names_of_factor(factor);
        (!names.is_empty()).then_some(names)
    });
    let names: Option<Vec<_>> = names.collect();
    Some(names?.into_iter().flatten().collect())
}

/// Returns the name by which the columns of one relation are known, if it has one.
fn names_of_factor(factor: &TableFactor) -> BTreeSet<String> {
    let name = match factor {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(alias.name.value.to_lowercase()),
        TableFactor::Table { name, .. } => {
            let last = name.0.last().and_then(|last| last.as_ident());
            last.map(|last| last.value.to_lowercase())
        }
        _ => None,
    };
    name.into_iter().collect()
}

/// Says whether a condition may join all of these: enough of its parts compare columns of
/// two of them, or columns whose relation is not said.
fn connects(condition: &Expr, names: &[BTreeSet<String>]) -> bool {
    let joins = parts(condition).into_iter().filter(|part| {
        let mut columns = Columns::default();
        // The walk never stops early.
        let _ = walk(*part, &mut columns);
        let of =
            |names: &&BTreeSet<String>| columns.0.iter().flatten().any(|it| names.contains(it));
        let met = names.iter().filter(of).count();
        met > 1 || (columns.0.len() > 1 && columns.0.contains(&None))
    });
    joins.count() + 1 >= names.len()
}

/// The columns of a condition: the relation of each, where it is said.
#[derive(Default)]
struct Columns(Vec<Option<String>>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(_) => self.0.push(None),
            Expr::CompoundIdentifier(parts) => {
                let relation = parts.len().checked_sub(2).map(|at| &parts[at]);
                self.0.push(relation.map(|name| name.value.to_lowercase()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Returns what AND joins.
fn parts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::Nested(inner) => parts(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => [parts(left), parts(right)].concat(),
        other => vec![other],
    }
}

/// Finds divisions of whole numbers whose fraction is dropped.
fn divisions(plan: &LogicalPlan, file: &SqlFile) -> Vec<Finding> {
    let mut found = Vec::new();
    // The walk itself cannot fail: its steps never do.
    let _ = plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| division(expr, &schema, file, &mut found))?;
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn division(
    expr: &Planned,
    schema: &DFSchema,
    file: &SqlFile,
    found: &mut Vec<Finding>,
) -> Result<TreeNodeRecursion> {
    expr.apply(|expr| {
        if is_meant(expr, schema) {
            return Ok(TreeNodeRecursion::Jump);
        }
        if let Planned::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Divide,
            right,
        }) = expr
            && is_whole(left, schema)
            && is_whole(right, schema)
        {
            let at = places::of(expr, file).unwrap_or_else(|| file.first_token());
            let what = "a division of whole numbers drops the fraction";
            let finding = Finding::new(Code::IntegerDivision, what).at(file.place(at), "dropped");
            found.push(finding.help(
                "write `1.0 * a / b` for the fraction, or `floor(a / b)` if it is to be dropped",
            ));
        }
        Ok(TreeNodeRecursion::Continue)
    })
}

fn is_division(expr: &Planned) -> bool {
    matches!(
        expr,
        Planned::BinaryExpr(BinaryExpr {
            op: Operator::Divide,
            ..
        })
    )
}

fn is_whole(expr: &Planned, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|it| it.is_integer())
}

/// Says whether the fraction is dropped on purpose, `floor(a / b)`, `cast(a / b as bigint)`,
/// `a / b * b`, or does not matter: a whole number is at most `a / b` with it or without.
fn is_meant(expr: &Planned, schema: &DFSchema) -> bool {
    match expr {
        Planned::BinaryExpr(BinaryExpr {
            left,
            op: Operator::LtEq | Operator::Gt,
            right,
        }) => is_division(right) && !is_division(left) && is_whole(left, schema),
        Planned::BinaryExpr(BinaryExpr {
            left,
            op: Operator::GtEq | Operator::Lt,
            right,
        }) => is_division(left) && !is_division(right) && is_whole(right, schema),
        Planned::ScalarFunction(call) => {
            matches!(call.func.name(), "floor" | "trunc" | "ceil" | "make_date" | "to_hex" | "chr")
        }
        Planned::Cast(cast) => cast.field.data_type().is_integer() && is_whole(&cast.expr, schema),
        Planned::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Multiply,
            right,
        }) => [(left, right), (right, left)].into_iter().any(|(one, other)| {
            matches!(one.as_ref(), Planned::BinaryExpr(BinaryExpr { op: Operator::Divide, right, .. }) if right == other)
        }),
        _ => false,
    }
}
