//! `from t cross join unnest(t.list) as u(x)`: in FROM the engine reads lists of literals alone.
//!
//! In comes a tree; out comes the same with the list unnested where it is selected,
//! `from (select *, unnest(t.list) as x from t) as t`, and `u.x` as `t.x`. What does not fit
//! this form stays, and is refused.

use std::ops::ControlFlow;

use crate::pipeline::{walk, walk_mut};
use datafusion::sql::sqlparser::{
    ast::{
        Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem,
        SelectItemQualifiedWildcardKind, Spanned, TableAlias, TableFactor, TableWithJoins, Visitor,
        VisitorMut,
    },
    dialect::GenericDialect,
    parser::Parser,
    tokenizer::{Span, Tokenizer},
};

/// The relation that has the list.
const RELATION: &str = "the relation";

/// The list itself.
const LIST: &str = "the list";

/// Selects the lists that FROM unnests.
pub(super) fn selected(query: &mut Query) {
    struct Unnested;
    impl VisitorMut for Unnested {
        type Break = ();

        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            if let Some((from, renamed)) = rewritten(select) {
                select.from = from;
                // The walk never stops early.
                let _ = walk_mut(select, &mut Renamed(renamed));
            }
            ControlFlow::Continue(())
        }
    }
    // The walk never stops early.
    let _ = walk_mut(query, &mut Unnested);
}

/// What `u.x` is called afterwards: the names `u` and `t`.
type Names = (String, Ident);

fn rewritten(select: &Select) -> Option<(Vec<TableWithJoins>, Names)> {
    let (relation, unnest, rest) = parts(&select.from)?;
    let name = name_of(relation)?;
    let TableFactor::UNNEST {
        alias: Some(alias),
        array_exprs,
        with_offset: false,
        with_ordinality: false,
        ..
    } = unnest
    else {
        return None;
    };
    let ([list], [column]) = (array_exprs.as_slice(), alias.columns.as_slice()) else {
        return None;
    };
    let stars = select.projection.iter().any(|item| match item {
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
            let of = of.to_string();
            of.eq_ignore_ascii_case(&name.value) || of.eq_ignore_ascii_case(&alias.name.value)
        }
        _ => false,
    });
    if stars || !reads_only(list, &name) {
        return None;
    }
    let derived = derived(relation, list, &column.name, &name, unnest.span())?;
    let from = TableWithJoins {
        relation: derived,
        joins: rest,
    };
    Some((vec![from], (alias.name.value.to_lowercase(), name)))
}

type Parts<'a> = (
    &'a TableFactor,
    &'a TableFactor,
    Vec<datafusion::sql::sqlparser::ast::Join>,
);

/// Returns the relation, what is unnested next to it, and the joins that follow.
fn parts(from: &[TableWithJoins]) -> Option<Parts<'_>> {
    match from {
        [one] => {
            let (first, rest) = one.joins.split_first()?;
            let is_cross = matches!(
                first.join_operator,
                JoinOperator::CrossJoin(JoinConstraint::None)
                    | JoinOperator::Join(JoinConstraint::None)
                    | JoinOperator::Inner(JoinConstraint::None)
            );
            is_cross.then(|| (&one.relation, &first.relation, rest.to_vec()))
        }
        [one, other] if one.joins.is_empty() => {
            Some((&one.relation, &other.relation, other.joins.clone()))
        }
        _ => None,
    }
}

fn name_of(relation: &TableFactor) -> Option<Ident> {
    match relation {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } => Some(alias.name.clone()),
        TableFactor::Table {
            name, args: None, ..
        } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

/// Says whether an expression reads columns, and of one relation alone.
fn reads_only(list: &Expr, relation: &Ident) -> bool {
    struct Columns<'a> {
        relation: &'a str,
        own: bool,
        other: bool,
    }
    impl Visitor for Columns<'_> {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.other = true;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) => self.own = true,
                Expr::CompoundIdentifier(parts) => {
                    let of = parts.len().checked_sub(2).map(|at| &parts[at].value);
                    let is_own = of.is_some_and(|of| of.eq_ignore_ascii_case(self.relation));
                    self.own |= is_own;
                    self.other |= !is_own;
                }
                _ => {}
            }
            ControlFlow::Continue(())
        }
    }
    let mut columns = Columns {
        relation: &relation.value,
        own: false,
        other: false,
    };
    // The walk never stops early.
    let _ = walk(list, &mut columns);
    columns.own && !columns.other
}

/// Returns `(select *, unnest(list) as x from t) as t`.
fn derived(
    relation: &TableFactor,
    list: &Expr,
    column: &Ident,
    name: &Ident,
    at: Span,
) -> Option<TableFactor> {
    struct Filled<'a> {
        relation: &'a TableFactor,
        list: &'a Expr,
    }
    impl VisitorMut for Filled<'_> {
        type Break = ();

        fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
            *factor = self.relation.clone();
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if matches!(expr, Expr::Identifier(name) if name.value == LIST) {
                *expr = self.list.clone();
            }
            ControlFlow::Continue(())
        }
    }
    let text = format!("select *, unnest(\"{LIST}\") as x from \"{RELATION}\"");
    let dialect = GenericDialect {};
    let mut tokens = Tokenizer::new(&dialect, &text)
        .tokenize_with_location()
        .ok()?;
    tokens.iter_mut().for_each(|token| token.span = at);
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let mut subquery = parser.parse_query().ok()?;
    if let datafusion::sql::sqlparser::ast::SetExpr::Select(select) = subquery.body.as_mut()
        && let Some(SelectItem::ExprWithAlias { alias, .. }) = select.projection.last_mut()
    {
        *alias = column.clone();
    }
    // The walk never stops early.
    let _ = walk_mut(&mut subquery, &mut Filled { relation, list });
    Some(TableFactor::Derived {
        lateral: false,
        subquery,
        alias: Some(TableAlias {
            explicit: true,
            name: name.clone(),
            columns: Vec::new(),
            at: None,
        }),
        sample: None,
    })
}

/// Calls `u.x` as the relation has it.
struct Renamed(Names);

impl VisitorMut for Renamed {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let (unnested, relation) = &self.0;
        if let Expr::CompoundIdentifier(parts) = expr
            && let [of, _] = parts.as_mut_slice()
            && of.value.to_lowercase() == *unnested
        {
            of.value.clone_from(&relation.value);
            of.quote_style = relation.quote_style;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use crate::pipeline::{SourceFile, SqlFile};

    fn read(sql: &str) -> Option<String> {
        let source = SourceFile {
            path: "sql/a/a.sql".into(),
            text: sql.into(),
        };
        let file = SqlFile::parse(source, &IndexMap::new());
        file.query().map(ToString::to_string)
    }

    #[test]
    fn a_list_of_the_relation_before_is_selected_in_it() {
        for (sql, meant) in [
            (
                "select t.a, u.x from t cross join unnest(t.l) as u(x) where u.x > 1",
                "SELECT t.a, t.x FROM (SELECT *, unnest(t.l) AS x FROM t) AS t WHERE t.x > 1",
            ),
            (
                "select a, x from s.t as v, unnest(l) as u(x)",
                "SELECT a, x FROM (SELECT *, unnest(l) AS x FROM s.t AS v) AS v",
            ),
        ] {
            assert_eq!(read(sql).as_deref(), Some(meant), "{sql}");
        }
        for refused in [
            "select t.* from t cross join unnest(t.l) as u(x)",
            "select x from t cross join s cross join unnest(s.l) as u(x)",
            "select a from t cross join unnest(t.l)",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
        let literals = read("select x from t cross join unnest([1, 2]) as u(x)");
        assert!(literals.unwrap().contains("CROSS JOIN UNNEST"));
    }
}
