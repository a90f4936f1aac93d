//! Choices among rows that have no order: another run may choose others.
//!
//! In come a file and what is known of the keys of the relations that it reads; out comes
//! a finding at each choice, with what to write. A choice among equal values is none:
//! `first_value(k) … group by k`.

use std::{collections::BTreeMap, ops::ControlFlow};

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, NamedWindowExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Spanned,
    Visitor, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};

use super::{
    derived, limits,
    rows::Keys,
    ties::{self, Source, same},
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
    rows: Source,
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
        self.selects.push(Around::of(select, self.keys));
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
    fn of(select: &Select, keys: &Keys) -> Around {
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
            groups: derived::grouped_by(select),
            rows: derived::before_distinct(select, keys),
            windows: windows.collect(),
        }
    }
}

impl Choices<'_> {
    fn call(&mut self, call: &Function) {
        let name = call.name.to_string().to_ascii_lowercase();
        match &call.over {
            Some(window) => self.window(call, &name, window),
            None if !AGGREGATES.contains(&name.as_str()) => {}
            None => match order_of(call) {
                order if order.is_empty() => self.aggregate(call, &name),
                order => self.tied_aggregate(call, &name, order),
            },
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
            WindowType::WindowSpec(spec) => Some(spec.clone()),
            WindowType::NamedWindow(name) => named(&name.value).cloned(),
        };
        let Some(spec) = spec else { return };
        if !spec.order_by.is_empty() {
            self.tied_window(call, name, &spec);
            return;
        }
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

    /// Reports an aggregate whose order leaves open which of several values it takes.
    fn tied_aggregate(&mut self, call: &Function, name: &str, order: Vec<&Expr>) {
        let (Some(around), Some(value)) = (self.selects.last(), first_argument(call)) else {
            return;
        };
        let by: Vec<Expr> = around.groups.iter().chain(order).cloned().collect();
        if around.rows.decides(&by, value) || around.rows.open(&by).is_none_or(|it| it.is_empty()) {
            return;
        }
        let (code, what) = match name {
            "array_agg" => (Code::UnorderedArray, "return a different list"),
            "string_agg" | "group_concat" | "listagg" => {
                (Code::UnorderedArray, "return a different text")
            }
            _ => (Code::UnorderedChoice, "choose a different row"),
        };
        let what = format!("{name} after an ORDER BY with ties may {what} each time");
        let help = format!("add `{value}` to its `order by`");
        self.add(code, call, what, &help);
    }

    /// Reports a window whose order leaves rows open, where that makes a difference.
    fn tied_window(&mut self, call: &Function, name: &str, spec: &WindowSpec) {
        let Some(around) = self.selects.last() else {
            return;
        };
        let order = spec.order_by.iter().map(|order| &order.expr);
        let by: Vec<Expr> = spec.partition_by.iter().chain(order).cloned().collect();
        let Some(lacking) = around.rows.lacking(&by).filter(|it| !it.is_empty()) else {
            return;
        };
        let counts_rows = spec
            .window_frame
            .as_ref()
            .is_some_and(|frame| is_partial(frame) && frame.units == WindowFrameUnits::Rows);
        let numbers = matches!(name, "row_number" | "ntile" | "lag" | "lead");
        let value = first_argument(call);
        let picks =
            !numbers && !matches!(name, "rank" | "dense_rank" | "percent_rank" | "cume_dist");
        let picks = picks && WINDOWS.contains(&name);
        let is_open = picks && value.is_some_and(|value| !around.rows.decides(&by, value));
        let add = match value {
            _ if numbers || counts_rows => lacking.join(", "),
            Some(value) if is_open => value.to_string(),
            _ => return,
        };
        let what = format!("{name} over an ORDER BY with ties may differ each time");
        let help = format!("add `{add}` to its `order by`");
        self.add(Code::UnorderedChoice, call, what, &help);
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
        let order: Vec<Expr> = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(order)) => {
                let order = order.iter().map(|order| ties::meant(&order.expr, select));
                order.collect()
            }
            Some(OrderByKind::All(_)) => return,
            None => Vec::new(),
        };
        let on: Vec<Expr> = on.iter().map(|on| ties::meant(on, select)).collect();
        let keys: Vec<String> = on.iter().map(ToString::to_string).collect();
        let beyond = order.iter().any(|it| !on.iter().any(|on| same(on, it)));
        let (what, help) = match beyond {
            false => (
                "DISTINCT ON without ORDER BY may keep a different row each time",
                format!("add `order by {}, <what decides>`", keys.join(", ")),
            ),
            true => match self.kept_open(select, &[on.as_slice(), &order].concat()) {
                Some(lacking) => (
                    "DISTINCT ON after an ORDER BY with ties may keep a different row each time",
                    format!("add `{}` to the `order by`", lacking.join(", ")),
                ),
                None => return,
            },
        };
        let first = on.first().map(Spanned::span);
        let at = first.and_then(|first| self.file.keywords_before(first, &["distinct", "on"]));
        let at = self
            .file
            .place(at.unwrap_or_else(|| self.file.first_token()));
        let finding = Finding::new(Code::UnorderedChoice, what).at(at, "keeps any row");
        self.findings.push(finding.help(help));
    }

    /// Returns what an order lacks to decide which row DISTINCT ON keeps, where its columns
    /// show the difference.
    fn kept_open(&self, select: &Select, by: &[Expr]) -> Option<Vec<String>> {
        let rows = derived::before_distinct(select, self.keys);
        let mut items = select.projection.iter();
        let is_decided = items.all(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                rows.decides(by, expr)
            }
            _ => false,
        });
        let lacking = rows.lacking(by).filter(|it| !it.is_empty());
        lacking.filter(|_| !is_decided)
    }

    fn add(&mut self, code: Code, call: &Function, what: String, help: &str) {
        let at = self.file.place(self.file.bytes(call.name.span()));
        let finding = Finding::new(code, what).at(at, "unordered").help(help);
        self.findings.push(finding);
    }
}

/// Returns the order that a call gives its rows.
fn order_of(call: &Function) -> Vec<&Expr> {
    let clauses = match &call.args {
        FunctionArguments::List(arguments) => arguments.clauses.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    let within = clauses.iter().flat_map(|clause| match clause {
        FunctionArgumentClause::OrderBy(order) => order.as_slice(),
        _ => &[],
    });
    within
        .chain(&call.within_group)
        .map(|order| &order.expr)
        .collect()
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
