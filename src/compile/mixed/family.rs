//! What kind of value an expression has, and which kinds go together.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::DataType,
    common::{DFSchema, ScalarValue},
    logical_expr::{Expr, ExprSchemable, LogicalPlan},
};

use crate::chain::words;

/// A kind of values: those of one kind are compared as what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Number,
    Boolean,
    Time,
    List,
    Struct,
}

impl Family {
    /// Returns the kind of a type; nulls, intervals and bytes have none.
    pub(super) fn of(data_type: &DataType) -> Option<Family> {
        Some(match data_type {
            DataType::Dictionary(_, value) => return Family::of(value),
            DataType::Boolean => Family::Boolean,
            DataType::Struct(_) => Family::Struct,
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::FixedSizeList(..)
            | DataType::ListView(_)
            | DataType::LargeListView(_) => Family::List,
            data_type if data_type.is_string() => Family::Text,
            data_type if data_type.is_numeric() => Family::Number,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Family::Time,
            _ => return None,
        })
    }
}

/// One of the values that stand side by side.
#[derive(Debug, Clone)]
pub(super) struct Side<'e> {
    /// What is written, as far as the plan has it.
    pub(super) expr: Option<&'e Expr>,
    data_type: DataType,
}

impl<'e> Side<'e> {
    /// Returns an expression with its type; one without a type yet counts as null.
    pub(super) fn of(expr: &'e Expr, schema: &DFSchema) -> Side<'e> {
        let data_type = expr.get_type(schema).unwrap_or(DataType::Null);
        Side {
            expr: Some(expr),
            data_type,
        }
    }

    /// Returns a column of a relation, with what is selected as it.
    pub(super) fn of_column(plan: &'e Arc<LogicalPlan>, index: usize) -> Side<'e> {
        let data_type = plan.schema().field(index).data_type().clone();
        Side {
            expr: selected(plan, index),
            data_type,
        }
    }

    /// Returns a value of this type, as another side expects it.
    pub(super) fn typed(data_type: DataType) -> Side<'static> {
        Side {
            expr: None,
            data_type,
        }
    }

    /// Returns the value with another type: the items of a list, with the type of one.
    pub(super) fn item(&self) -> Option<Side<'e>> {
        match &self.data_type {
            DataType::List(item) | DataType::LargeList(item) => Some(Side {
                expr: self.expr,
                data_type: item.data_type().clone(),
            }),
            _ => None,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        Family::of(&self.data_type).is_some()
    }

    pub(super) fn family(&self) -> Option<Family> {
        Family::of(&self.data_type)
    }

    /// Says whether arithmetic on it is arithmetic of numbers, meant or not.
    pub(super) fn counts(&self) -> bool {
        let family = self.family();
        family.is_some() && !matches!(family, Some(Family::Time))
    }

    pub(super) fn type_name(&self) -> String {
        words::plain(&self.data_type.to_string())
    }

    /// Returns the text, if it is a literal one.
    pub(super) fn literal(&self) -> Option<&str> {
        match unaliased(self.expr?) {
            Expr::Literal(
                ScalarValue::Utf8(text)
                | ScalarValue::LargeUtf8(text)
                | ScalarValue::Utf8View(text),
                _,
            ) => text.as_deref(),
            _ => None,
        }
    }

    /// Returns what can be written for it, if it is a column.
    fn written(&self) -> Option<String> {
        match unaliased(self.expr?) {
            Expr::Column(column) if column.name.contains('(') => None,
            Expr::Column(column) => Some(column.flat_name()),
            _ => None,
        }
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// Returns what a relation selects as a column.
fn selected(plan: &LogicalPlan, index: usize) -> Option<&Expr> {
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.get(index),
        LogicalPlan::Filter(filter) => selected(&filter.input, index),
        LogicalPlan::Sort(sort) => selected(&sort.input, index),
        LogicalPlan::Limit(limit) => selected(&limit.input, index),
        LogicalPlan::SubqueryAlias(alias) => selected(&alias.input, index),
        LogicalPlan::Distinct(distinct) => selected(distinct.input(), index),
        _ => None,
    }
}

/// Says whether two values are of different kinds. A literal text beside another kind is
/// taken where it is a value of that type: `scraped_date > '2026-01-01'`.
pub(super) fn clash(left: &Side<'_>, right: &Side<'_>) -> bool {
    match (left.family(), right.family()) {
        (Some(Family::List), Some(Family::List)) => match (left.item(), right.item()) {
            (Some(left), Some(right)) => clash(&left, &right),
            _ => false,
        },
        (Some(one), Some(other)) if one != other => {
            !is_of_type(left, right) && !is_of_type(right, left)
        }
        _ => false,
    }
}

/// Says whether a literal text stands beside a number or a boolean.
pub(super) fn makes_text(left: &Side<'_>, right: &Side<'_>) -> bool {
    let counts = |side: &Side<'_>| matches!(side.family(), Some(Family::Number | Family::Boolean));
    let is_literal = |side: &Side<'_>| side.literal().is_some();
    (counts(left) && is_literal(right)) || (counts(right) && is_literal(left))
}

/// Says whether a side is a literal text that is a value of the other's type.
fn is_of_type(side: &Side<'_>, other: &Side<'_>) -> bool {
    let family = other.family();
    if matches!(family, None | Some(Family::List | Family::Struct)) {
        return false;
    }
    side.literal()
        .is_some_and(|text| ScalarValue::try_from_string(text.to_owned(), &other.data_type).is_ok())
}

/// Says what to write instead.
pub(super) fn remedy(left: &Side<'_>, right: &Side<'_>) -> String {
    let sides = [(left, right), (right, left)];
    let quoted = sides.iter().find_map(|(side, other)| {
        let literal = matches!(side.expr.map(unaliased), Some(Expr::Literal(..)));
        let text = side
            .expr
            .filter(|_| literal && other.family() == Some(Family::Text));
        text.map(|text| words::plain(&unaliased(text).human_display().to_string()))
    });
    if let Some(number) = quoted {
        return format!("write a text, `'{number}'`");
    }
    if sides
        .iter()
        .any(|(side, _)| side.family() == Some(Family::List))
    {
        let help =
            "write `unnest(…)` for a row per item, `array_has(…, …)`, or `array_to_string(…, ' ')`";
        return help.to_owned();
    }
    let to_text = sides
        .iter()
        .find(|(_, other)| other.family() == Some(Family::Text));
    match to_text {
        Some((side, text)) => {
            let value = side.written().unwrap_or_else(|| "…".to_owned());
            let other = text.written().unwrap_or_else(|| "…".to_owned());
            format!(
                "compare texts, `cast({value} as text)`, or values, `cast({other} as {})`",
                side.type_name()
            )
        }
        None => "cast one of them to the other's type".to_owned(),
    }
}
