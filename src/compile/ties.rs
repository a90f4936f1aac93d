//! Rows that are equal in what orders them, as far as keys show it: another run may put
//! another one first.
//!
//! In come a SELECT and the keys of the relations that it reads; out comes what an order
//! lacks to tell its rows apart. What fixes a key fixes the rest of its row, a condition
//! `a.k = b.k` carries over from one side to the other, and a relation whose key is not
//! known decides nothing: it is left alone.

use std::{collections::BTreeSet, ops::ControlFlow};

use crate::pipeline::walk;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, JoinConstraint, JoinOperator, Query, Select, SelectItem,
    TableFactor, TableWithJoins, UnaryOperator, Value, Visitor,
};

use super::rows::{Keys, is_one_row, unnests};

/// A column with its relation, where that is said.
type Column = (Option<String>, String);

/// What is known of the relations of a FROM.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    /// The keys of those that have a name.
    pub(super) keys: &'k Keys,
    /// Returns the key of a query among them.
    pub(super) of_query: fn(&Query, &Keys) -> Option<Vec<String>>,
}

/// The rows of a SELECT, and what tells them apart.
#[derive(Default)]
pub(super) struct Source {
    /// The relations of FROM by the names of their columns, with their keys.
    relations: Vec<(String, Option<Vec<String>>)>,
    /// Whether all relations of FROM have names.
    is_known: bool,
    /// Columns that are equal: the first fixes the second.
    equal: Vec<(Column, Column)>,
    /// What WHERE fixes to one value.
    constants: Vec<Column>,
    /// What the rows are grouped by, if they are.
    groups: Option<Vec<Expr>>,
}

/// What is fixed once some columns are.
struct Fixed {
    columns: BTreeSet<Column>,
    /// The relations whose key is fixed, and with it the row.
    whole: BTreeSet<String>,
}

impl Source {
    /// Reads the rows of a SELECT before its DISTINCT, `groups` being what it groups by.
    pub(super) fn of(select: &Select, groups: Vec<Expr>, known: Known<'_>) -> Source {
        let mut source = Source {
            is_known: !unnests(select) && is_simply_grouped(select),
            ..Source::default()
        };
        for from in &select.from {
            source.from(from, known);
        }
        if let Some(condition) = &select.selection {
            source.condition(condition, true, true);
        }
        source.groups = match groups.is_empty() {
            _ if is_one_row(select) => Some(Vec::new()),
            true => None,
            false => Some(groups),
        };
        source
    }

    fn from(&mut self, from: &TableWithJoins, known: Known<'_>) {
        self.relation(&from.relation, known);
        for join in &from.joins {
            use JoinOperator as Op;
            let (constraint, to_left, to_right) = match &join.join_operator {
                Op::Join(on) | Op::Inner(on) | Op::CrossJoin(on) | Op::StraightJoin(on) => {
                    (on, true, true)
                }
                Op::Left(on) | Op::LeftOuter(on) => (on, false, true),
                Op::Right(on) | Op::RightOuter(on) => (on, true, false),
                Op::FullOuter(on) => (on, false, false),
                // Only rows of the left remain.
                Op::Semi(_) | Op::LeftSemi(_) | Op::Anti(_) | Op::LeftAnti(_) => continue,
                _ => {
                    self.is_known = false;
                    continue;
                }
            };
            let before = self.relations.len();
            self.relation(&join.relation, known);
            match constraint {
                JoinConstraint::On(on) => {
                    let start = self.equal.len();
                    self.condition(on, to_left, to_right);
                    self.towards(start, before, to_left, to_right);
                }
                JoinConstraint::Using(_) | JoinConstraint::Natural | JoinConstraint::None => {}
            }
        }
    }

    /// Keeps of the equalities of an outer join those that fix its optional side.
    fn towards(&mut self, start: usize, before: usize, to_left: bool, to_right: bool) {
        let right: BTreeSet<&String> = self.relations[before..].iter().map(|it| &it.0).collect();
        let is_right = |column: &Column| column.0.as_ref().is_some_and(|it| right.contains(it));
        let mut at = 0;
        self.equal.retain(|(_, fixed)| {
            at += 1;
            at <= start || if is_right(fixed) { to_right } else { to_left }
        });
    }

    fn relation(&mut self, factor: &TableFactor, known: Known<'_>) {
        let found = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let written = name.to_string().to_lowercase();
                let last = written.rsplit('.').next().unwrap_or(&written).to_owned();
                let renamed = alias.as_ref().is_some_and(|it| !it.columns.is_empty());
                let alias = alias.as_ref().map(|it| it.name.value.to_lowercase());
                let key = known.keys.get(&written).filter(|_| !renamed).cloned();
                Some((alias.unwrap_or(last), key))
            }
            TableFactor::Derived {
                subquery,
                alias: Some(alias),
                ..
            } => {
                let renamed = !alias.columns.is_empty();
                let key = (known.of_query)(subquery, known.keys).filter(|_| !renamed);
                Some((alias.name.value.to_lowercase(), key))
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                self.from(table_with_joins, known);
                return;
            }
            _ => None,
        };
        match found {
            Some(found) => self.relations.push(found),
            None => self.is_known = false,
        }
    }

    /// Reads the equalities that AND joins; constants only where all rows satisfy them.
    fn condition(&mut self, condition: &Expr, to_left: bool, to_right: bool) {
        match condition {
            Expr::Nested(inner) => self.condition(inner, to_left, to_right),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => {
                self.condition(left, to_left, to_right);
                self.condition(right, to_left, to_right);
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } => match (column(left), column(right)) {
                (Some(left), Some(right)) => {
                    self.equal.push((left.clone(), right.clone()));
                    self.equal.push((right, left));
                }
                (Some(one), None) if is_literal(right) && to_left && to_right => {
                    self.constants.push(one);
                }
                (None, Some(one)) if is_literal(left) && to_left && to_right => {
                    self.constants.push(one);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Returns what `by` lacks to tell all rows apart, as it can be written; nothing where
    /// too little is known.
    pub(super) fn lacking(&self, by: &[Expr]) -> Option<Vec<String>> {
        if let Some(groups) = &self.groups {
            let open = groups.iter().filter(|group| !self.decides(by, group));
            let open = open.map(ToString::to_string).collect();
            return (self.is_known || groups.is_empty()).then_some(open);
        }
        let columns = self.open(by)?;
        let is_one = self.relations.len() == 1;
        let written = columns.into_iter().map(|(relation, name)| match relation {
            Some(relation) if !is_one => format!("{relation}.{name}"),
            _ => name,
        });
        Some(written.collect())
    }

    /// Returns the columns that tell the rows of FROM apart beyond those of `by`.
    pub(super) fn open(&self, by: &[Expr]) -> Option<Vec<Column>> {
        if !self.is_known || self.relations.is_empty() {
            return None;
        }
        let mut fixed = self.fixed(by);
        let mut open = Vec::new();
        for (relation, key) in &self.relations {
            for name in key.as_ref()? {
                let column = (Some(relation.clone()), name.clone());
                if !self.has(&fixed, &column) {
                    fixed.columns.insert(column.clone());
                    self.close(&mut fixed);
                    open.push(column);
                }
            }
        }
        Some(open)
    }

    /// Says whether rows that are equal in `by` have one value of `value`.
    pub(super) fn decides(&self, by: &[Expr], value: &Expr) -> bool {
        by.iter().any(|it| same(it, value)) || self.fixes(&self.fixed(by), value)
    }

    /// Says whether two columns are equal in every row.
    pub(super) fn equals(&self, one: &Expr, other: &Column) -> bool {
        let Some(one) = column(one) else { return false };
        let mut fixed = Fixed {
            columns: BTreeSet::from([one]),
            whole: BTreeSet::new(),
        };
        self.close_equal(&mut fixed);
        fixed.columns.contains(other)
    }

    /// Returns what the rows are grouped by, if they are.
    pub(super) fn groups(&self) -> Option<&[Expr]> {
        self.groups.as_deref()
    }

    fn fixes(&self, fixed: &Fixed, value: &Expr) -> bool {
        let mut columns = Columns::default();
        // Stops at a subquery, which may choose anything.
        let whole = walk(value, &mut columns).is_continue();
        whole && columns.0.iter().all(|it| self.has(fixed, it))
    }

    fn fixed(&self, by: &[Expr]) -> Fixed {
        // An expression of a column may tell it apart: `stores[1]`, `lower(name)`.
        let columns = by.iter().flat_map(|it| {
            let mut columns = Columns::default();
            // Stops at a subquery.
            let _ = walk(it, &mut columns);
            columns.0
        });
        let mut fixed = Fixed {
            columns: columns.chain(self.constants.iter().cloned()).collect(),
            whole: BTreeSet::new(),
        };
        self.close(&mut fixed);
        fixed
    }

    /// Adds what follows from what is fixed.
    fn close(&self, fixed: &mut Fixed) {
        loop {
            let before = (fixed.columns.len(), fixed.whole.len());
            self.close_equal(fixed);
            for (relation, key) in &self.relations {
                let Some(key) = key else { continue };
                let mut columns = key.iter();
                let is_whole = columns.all(|name| {
                    let column = (Some(relation.clone()), name.clone());
                    self.has(fixed, &column)
                });
                if is_whole {
                    fixed.whole.insert(relation.clone());
                }
            }
            if before == (fixed.columns.len(), fixed.whole.len()) {
                return;
            }
        }
    }

    fn close_equal(&self, fixed: &mut Fixed) {
        for _ in 0..=self.equal.len() {
            let new = self.equal.iter().filter(|(one, _)| self.has(fixed, one));
            let new: Vec<Column> = new.map(|(_, other)| other.clone()).collect();
            fixed.columns.extend(new);
        }
    }

    /// A column whose relation is not said may be that of any that is fixed.
    fn has(&self, fixed: &Fixed, column: &Column) -> bool {
        let (relation, name) = column;
        match relation {
            Some(relation) => {
                fixed.columns.contains(column)
                    || fixed.columns.contains(&(None, name.clone()))
                    || fixed.whole.contains(relation)
            }
            None => !fixed.whole.is_empty() || fixed.columns.iter().any(|(_, it)| it == name),
        }
    }
}

/// Says whether two expressions are the same column: `t.k` is `k`, and not `u.k`.
pub(super) fn same(one: &Expr, other: &Expr) -> bool {
    one == other
        || match (column(one), column(other)) {
            (Some((first, one)), Some((second, other))) => {
                one == other && (first.is_none() || second.is_none() || first == second)
            }
            _ => false,
        }
}

/// Says whether each row is one of one group: no ROLLUP, no GROUPING SETS.
fn is_simply_grouped(select: &Select) -> bool {
    match &select.group_by {
        GroupByExpr::Expressions(groups, modifiers) => {
            let several =
                |it: &Expr| matches!(it, Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_));
            modifiers.is_empty() && !groups.iter().any(several)
        }
        GroupByExpr::All(_) => false,
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(_) | Expr::TypedString(_))
}

/// Returns the column that an expression is; `-x` orders as `x` does.
fn column(expr: &Expr) -> Option<Column> {
    match expr {
        Expr::Identifier(name) => Some((None, name.value.to_lowercase())),
        Expr::CompoundIdentifier(parts) => {
            let (name, before) = parts.split_last()?;
            let relation = before.last()?.value.to_lowercase();
            Some((Some(relation), name.value.to_lowercase()))
        }
        Expr::Nested(inner)
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr: inner,
        } => column(inner),
        _ => None,
    }
}

/// The columns of an expression.
#[derive(Default)]
struct Columns(Vec<Column>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) {
            self.0.extend(column(expr));
        }
        ControlFlow::Continue(())
    }
}

/// Returns what an expression of ORDER BY or GROUP BY means: the column of its number, what
/// its name is given to, or itself.
pub(super) fn meant(expr: &Expr, select: &Select) -> Expr {
    let number: Option<usize> = match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let item = number.and_then(|number| select.projection.get(number.checked_sub(1)?));
    let named = select.projection.iter().find(|item| match (item, expr) {
        (SelectItem::ExprWithAlias { alias, .. }, Expr::Identifier(name)) => {
            alias.value.eq_ignore_ascii_case(&name.value)
        }
        _ => false,
    });
    match item.or(named) {
        Some(SelectItem::UnnamedExpr(meant) | SelectItem::ExprWithAlias { expr: meant, .. }) => {
            meant.clone()
        }
        _ => expr.clone(),
    }
}
