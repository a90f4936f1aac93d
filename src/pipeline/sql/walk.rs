//! Walks over the tree of SQL, for all who look at it or change it.
//!
//! The parser's walk is code for every type of its tree, made once for each visitor that
//! it is given: half a megabyte each. Here every visitor is behind one pointer, so there
//! is one such walk, and one that changes.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, ValueWithSpan, Visit, VisitMut,
    Visitor, VisitorMut,
};

/// Shows a visitor each part of the tree, until it breaks.
pub(crate) fn walk(node: &impl Visit, visitor: &mut dyn Visitor<Break = ()>) -> ControlFlow<()> {
    node.visit(&mut Look(visitor))
}

/// Lets a visitor change each part of the tree, until it breaks.
pub(crate) fn walk_mut(
    node: &mut impl VisitMut,
    visitor: &mut dyn VisitorMut<Break = ()>,
) -> ControlFlow<()> {
    node.visit(&mut Change(visitor))
}

struct Look<'a>(&'a mut dyn Visitor<Break = ()>);

impl Visitor for Look<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.0.pre_visit_query(query)
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.0.post_visit_query(query)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.0.pre_visit_select(select)
    }

    fn post_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.0.post_visit_select(select)
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.0.pre_visit_relation(name)
    }

    fn post_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.0.post_visit_relation(name)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0.pre_visit_table_factor(factor)
    }

    fn post_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0.post_visit_table_factor(factor)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.0.pre_visit_expr(expr)
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.0.post_visit_expr(expr)
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.0.pre_visit_statement(statement)
    }

    fn post_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        self.0.post_visit_statement(statement)
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        self.0.pre_visit_value(value)
    }

    fn post_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        self.0.post_visit_value(value)
    }
}

struct Change<'a>(&'a mut dyn VisitorMut<Break = ()>);

impl VisitorMut for Change<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.0.pre_visit_query(query)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.0.post_visit_query(query)
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.0.pre_visit_select(select)
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.0.post_visit_select(select)
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        self.0.pre_visit_relation(name)
    }

    fn post_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        self.0.post_visit_relation(name)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.0.pre_visit_table_factor(factor)
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.0.post_visit_table_factor(factor)
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0.pre_visit_expr(expr)
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0.post_visit_expr(expr)
    }

    fn pre_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        self.0.pre_visit_statement(statement)
    }

    fn post_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        self.0.post_visit_statement(statement)
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        self.0.pre_visit_value(value)
    }

    fn post_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        self.0.post_visit_value(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::sql::sqlparser::{dialect::GenericDialect, parser::Parser};

    /// Notes every hook that is called.
    #[derive(Default)]
    struct Hooks(Vec<&'static str>);

    impl Visitor for Hooks {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0.push("pre query");
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.0.push("post query");
            ControlFlow::Continue(())
        }

        fn pre_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
            self.0.push("pre select");
            ControlFlow::Continue(())
        }

        fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
            self.0.push("post select");
            ControlFlow::Continue(())
        }

        fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<()> {
            self.0.push("pre relation");
            ControlFlow::Continue(())
        }

        fn post_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<()> {
            self.0.push("post relation");
            ControlFlow::Continue(())
        }

        fn pre_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
            self.0.push("pre table_factor");
            ControlFlow::Continue(())
        }

        fn post_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
            self.0.push("post table_factor");
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
            self.0.push("pre expr");
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
            self.0.push("post expr");
            ControlFlow::Continue(())
        }

        fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
            self.0.push("pre statement");
            ControlFlow::Continue(())
        }

        fn post_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
            self.0.push("post statement");
            ControlFlow::Continue(())
        }

        fn pre_visit_value(&mut self, _: &ValueWithSpan) -> ControlFlow<()> {
            self.0.push("pre value");
            ControlFlow::Continue(())
        }

        fn post_visit_value(&mut self, _: &ValueWithSpan) -> ControlFlow<()> {
            self.0.push("post value");
            ControlFlow::Continue(())
        }
    }

    fn parsed(sql: &str) -> Statement {
        let mut statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
        statements.remove(0)
    }

    #[test]
    fn a_visitor_sees_the_whole_tree() {
        let mut hooks = Hooks::default();
        let ended = walk(&parsed("select a from t where a > 1"), &mut hooks);
        assert_eq!(ended, ControlFlow::Continue(()));
        for pre in [
            "query",
            "select",
            "relation",
            "table_factor",
            "expr",
            "statement",
            "value",
        ] {
            for hook in [format!("pre {pre}"), format!("post {pre}")] {
                assert!(hooks.0.contains(&&*hook), "{hook}");
            }
        }
    }
}
