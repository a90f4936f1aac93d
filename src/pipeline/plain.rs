//! Whether a SELECT is a filter: columns of one relation, with or without a WHERE.
//!
//! Such a model is cheaper to read again than to write, and a reader's own conditions and
//! the order of the rows pass through it. A call of a function or a subquery may cost
//! anything, so a SELECT with one is no filter. Nothing here plans.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SetExpr, TableFactor, Visitor,
};

use super::walk;

/// Says whether a query is a filter of one relation.
pub(super) fn is_filter(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return false;
    };
    let is_whole = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.pipe_operators.is_empty();
    is_whole && keeps_rows(select) && walk(query, &mut Calls::default()).is_continue()
}

/// Says whether a SELECT reads one relation, and makes at most one row of each of its rows.
fn keeps_rows(select: &Select) -> bool {
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(columns, _) => !columns.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let [from] = select.from.as_slice() else {
        return false;
    };
    let is_table = matches!(&from.relation, TableFactor::Table { args: None, .. });
    is_table
        && from.joins.is_empty()
        && !is_grouped
        && select.distinct.is_none()
        && select.top.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
}

/// Breaks off at the first call of a function, and at a query within the query.
#[derive(Default)]
struct Calls {
    queries: usize,
}

impl Visitor for Calls {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.queries += 1;
        match self.queries {
            1 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(_) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::pipeline::{SourceFile, SqlFile};

    fn is(sql: &str) -> bool {
        let source = SourceFile {
            path: "sql/staging/a.sql".into(),
            text: sql.into(),
        };
        let file = SqlFile::parse(source, &IndexMap::new());
        is_filter(file.query().unwrap())
    }

    #[test]
    fn columns_of_one_relation_are_a_filter() {
        for sql in [
            "select * from a",
            "select id as store_id, 2 * price as twice from a where price > 0 and not (x = 0)",
            "select x from export.a as b where x between -90 and 90 and y is not null",
        ] {
            assert!(is(sql), "{sql}");
        }
    }

    #[test]
    fn what_joins_groups_calls_or_orders_is_none() {
        for sql in [
            "select * from a, b",
            "select * from a join b on true",
            "select distinct x from a",
            "select x from a group by x",
            "select count(*) from a",
            "select min(x) over (partition by y) from a",
            "select x from a where embed(y) is not null",
            "select x from a where x in (select x from b)",
            "select x from (select x from a)",
            "select x from a order by x",
            "select x from a limit 1",
            "select x from a union all select x from a",
            "with b as (select 1 as x) select x from b",
            "select * from generate_series(1, 2)",
            "select 1 as x",
        ] {
            assert!(!is(sql), "{sql}");
        }
    }
}
