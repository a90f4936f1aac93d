//! The relations that a query reads, and where it names them.

use std::{collections::BTreeMap, ops::ControlFlow};

use datafusion::{
    common::TableReference,
    sql::{
        planner::object_name_to_table_reference,
        sqlparser::{
            ast::{self, ObjectName, Query, Spanned, TableFactor, Visitor},
            tokenizer::Span,
        },
    },
};

use super::{Name, places::span_bytes, walk::walk};
use crate::pipeline::SourceFile;

/// Returns the relations that a query reads, each once, in the order of their names.
pub(super) fn names(source: &SourceFile, query: &Query) -> Vec<Name> {
    let mut names = Names::default();
    // The walk never stops early.
    let _ = walk(query, &mut names);
    let found = names.found.into_iter().map(|(reference, span)| Name {
        reference,
        span: span_bytes(&source.text, span),
    });
    found.collect()
}

/// Collects the names of relations. A CTE hides a relation of its name where it is in
/// scope, which its own SELECT is not.
#[derive(Default)]
struct Names {
    found: BTreeMap<TableReference, Span>,
    hidden: Vec<TableReference>,
    functions: Vec<Span>,
}

impl Names {
    fn reference(name: &ObjectName) -> Option<TableReference> {
        object_name_to_table_reference(name.clone(), true).ok()
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            self.functions.push(name.span());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let span = name.span();
        let Some(reference) = Names::reference(name) else {
            return ControlFlow::Continue(());
        };
        if self.functions.contains(&span) || self.hidden.contains(&reference) {
            return ControlFlow::Continue(());
        }
        let first = self.found.entry(reference).or_insert(span);
        if span.start < first.start {
            *first = span;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for (with, cte) in ctes(query) {
            if !with.recursive {
                walk(cte, self)?;
            }
            let name = ObjectName::from(vec![cte.alias.name.clone()]);
            self.hidden.extend(Names::reference(&name));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let kept = self.hidden.len().saturating_sub(ctes(query).count());
        self.hidden.truncate(kept);
        ControlFlow::Continue(())
    }
}

fn ctes(query: &Query) -> impl Iterator<Item = (&ast::With, &ast::Cte)> {
    let with = query.with.iter();
    with.flat_map(|with| with.cte_tables.iter().map(move |cte| (with, cte)))
}
