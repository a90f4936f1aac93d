//! Choices among rows that have no order: another run may choose others.
//!
//! In come a file and what is known of the keys of the relations that it reads; out comes
//! a finding at each choice, with what to write. A choice among equal values is none:
//! `first_value(k) … group by k`.

use std::{collections::BTreeMap, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, GroupByExpr, NamedWindowExpr, OrderByKind, Query, Select, SelectItem,
    SetExpr, Spanned, Value, Visitor, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec,
    WindowType,
};

use super::{
    limits,
    rows::{Keys, column},
};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::{SqlFile, walk},
};

/// Aggregates whose value depends on the order of the rows.
const AGGREGATES: &[&str] = &[
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "first",
    "last",
    "array_agg",
    "string_agg",
    "group_concat",
    "listagg",
];

/// Functions of windows whose value depends on the order of the rows.
const WINDOWS: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
    "any_value",
    "array_agg",
    "string_agg",
];

/// Finds the choices of a query.
pub(super) fn findings(query: &Query, file: &SqlFile, keys: &Keys) -> Vec<Finding> {
    let mut choices = Choices {
        file,
        keys,
        selects: Vec::new(),
        findings: Vec::new(),
    };
    // The walk never stops early.
    let _ = walk(query, &mut choices);
    choices.findings
}

struct Choices<'a> {
    file: &'a SqlFile,
    keys: &'a Keys,
    /// The SELECTs around, the innermost last.
    selects: Vec<Around>,
    findings: Vec<Finding>,
}

/// What a SELECT says of the calls in it.
struct Around {
    /// What it groups by.
    groups: Vec<Expr>,
    windows: BTreeMap<String, WindowSpec>,
}

impl Visitor for Choices<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.findings
            .extend(limits::findings(query, self.file, self.keys));
        if let SetExpr::Select(select) = query.body.as_ref() {
            self.distinct_on(query, select);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.selects.push(Around::of(select));
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.selects.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expr {
            self.call(call);
        }
        ControlFlow::Continue(())
    }
}

impl Around {
    fn of(select: &Select) -> Around {
        let groups = match &select.group_by {
            GroupByExpr::Expressions(groups, _) => groups.as_slice(),
            GroupByExpr::All(_) => &[],
        };
        let groups = groups.iter().map(|group| meant(group, select));
        let windows = select
            .named_window
            .iter()
            .filter_map(|named| match &named.1 {
                NamedWindowExpr::WindowSpec(window) => {
                    Some((named.0.value.to_lowercase(), window.clone()))
                }
                NamedWindowExpr::NamedWindow(_) => None,
            });
        Around {
            groups: groups.collect(),
            windows: windows.collect(),
        }
    }
}

/// Returns what GROUP BY means by `1`, the first column.
fn meant(group: &Expr, select: &Select) -> Expr {
    let Expr::Value(value) = group else {
        return group.clone();
    };
    let number: Option<usize> = match &value.value {
        Value::Number(number, _) => number.parse().ok(),
        _ => None,
    };
    let item = number.and_then(|number| select.projection.get(number.checked_sub(1)?));
    match item {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => {
            expr.clone()
        }
        _ => group.clone(),
    }
}

impl Choices<'_> {
    fn call(&mut self, call: &Function) {
        let name = call.name.to_string().to_ascii_lowercase();
        match &call.over {
            Some(window) => self.window(call, &name, window),
            None if AGGREGATES.contains(&name.as_str()) && !has_order(call) => {
                self.aggregate(call, &name);
            }
            None => {}
        }
    }

    fn aggregate(&mut self, call: &Function, name: &str) {
        if first_argument(call).is_none_or(|argument| self.is_constant(argument)) {
            return;
        }
        let (code, what) = match name {
            "array_agg" => (
                Code::UnorderedArray,
                "array_agg without ORDER BY may return a different list each time".to_owned(),
            ),
            "string_agg" | "group_concat" | "listagg" => (
                Code::UnorderedArray,
                format!("{name} without ORDER BY may return a different text each time"),
            ),
            _ => (
                Code::UnorderedChoice,
                format!("{name} without ORDER BY may choose a different row each time"),
            ),
        };
        let help = match name {
            "array_agg" => "write `array_agg(x order by x)`".to_owned(),
            "string_agg" | "group_concat" | "listagg" => {
                format!("write `{name}(x, ', ' order by x)`")
            }
            "nth_value" => "write `nth_value(x, n order by <a unique key>)`".to_owned(),
            "any_value" => "write `min(x)`, or `arg_min(x, <a unique key>)`".to_owned(),
            _ => {
                format!("write `{name}(x order by <a unique key>)`, `arg_min(x, key)`, or `min(x)`")
            }
        };
        self.add(code, call, what, &help);
    }

    fn window(&mut self, call: &Function, name: &str, window: &WindowType) {
        let named = |name: &str| {
            let around = self.selects.last()?;
            around.windows.get(&name.to_lowercase())
        };
        let spec = match window {
            WindowType::WindowSpec(spec) => Some(spec),
            WindowType::NamedWindow(name) => named(&name.value),
        };
        let Some(spec) = spec.filter(|spec| spec.order_by.is_empty()) else {
            return;
        };
        let is_framed = spec.window_frame.as_ref().is_some_and(is_partial);
        if !WINDOWS.contains(&name) && !is_framed {
            return;
        }
        let is_constant = |value: &Expr| {
            let literal = matches!(value, Expr::Value(_));
            literal || spec.partition_by.contains(value)
        };
        let picks = !matches!(name, "ntile" | "lag" | "lead");
        if picks && first_argument(call).is_some_and(is_constant) {
            return;
        }
        let what = format!("{name} over a window without ORDER BY may differ each time");
        let help = match name {
            "array_agg" | "string_agg" => "write it without OVER, and join the result",
            _ => "write `over (… order by <a unique key>)`",
        };
        self.add(Code::UnorderedChoice, call, what, help);
    }

    /// Says whether an expression has one value in each group.
    fn is_constant(&self, expr: &Expr) -> bool {
        let groups = self.selects.last().map(|around| around.groups.as_slice());
        match expr {
            Expr::Value(_) => true,
            expr => groups.is_some_and(|groups| groups.iter().any(|group| same(group, expr))),
        }
    }

    fn distinct_on(&mut self, query: &Query, select: &Select) {
        let Some(Distinct::On(on)) = &select.distinct else {
            return;
        };
        let beyond = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(order)) => order
                .iter()
                .any(|order| !on.iter().any(|on| same(on, &order.expr))),
            Some(OrderByKind::All(_)) => true,
            None => false,
        };
        if beyond {
            return;
        }
        let first = on.first().map(Spanned::span);
        let at = first.and_then(|first| self.file.keywords_before(first, &["distinct", "on"]));
        let at = self
            .file
            .place(at.unwrap_or_else(|| self.file.first_token()));
        let what = "DISTINCT ON without ORDER BY may keep a different row each time";
        let keys: Vec<String> = on.iter().map(ToString::to_string).collect();
        let finding = Finding::new(Code::UnorderedChoice, what).at(at, "keeps any row");
        self.findings.push(finding.help(format!(
            "add `order by {}, <what decides>`",
            keys.join(", ")
        )));
    }

    fn add(&mut self, code: Code, call: &Function, what: String, help: &str) {
        let at = self.file.place(self.file.bytes(call.name.span()));
        let finding = Finding::new(code, what).at(at, "unordered").help(help);
        self.findings.push(finding);
    }
}

/// Says whether two expressions are the same column: `t.k` is `k`.
pub(super) fn same(one: &Expr, other: &Expr) -> bool {
    one == other || column(one).is_some_and(|name| column(other) == Some(name))
}

fn has_order(call: &Function) -> bool {
    let FunctionArguments::List(arguments) = &call.args else {
        return false;
    };
    let mut clauses = arguments.clauses.iter();
    !call.within_group.is_empty()
        || clauses.any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)))
}

fn first_argument(call: &Function) -> Option<&Expr> {
    let FunctionArguments::List(arguments) = &call.args else {
        return None;
    };
    match arguments.args.first()? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// Says whether a frame depends on the order of rows: it does not hold all of them.
fn is_partial(frame: &WindowFrame) -> bool {
    let whole = matches!(frame.start_bound, WindowFrameBound::Preceding(None))
        && matches!(frame.end_bound, Some(WindowFrameBound::Following(None)));
    !whole && frame.units != WindowFrameUnits::Range
}
