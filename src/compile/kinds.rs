//! Functions that are called as what they are not: `abs(distinct x)`, `upper(x) over ()`.
//!
//! The planner takes a scalar function for what it is and drops the clauses of an
//! aggregate; a window takes its order from OVER, and drops the one among the arguments.

use std::ops::ControlFlow;

use datafusion::{
    execution::SessionState,
    sql::sqlparser::ast::{
        DuplicateTreatment, Expr, Function, FunctionArgumentClause, FunctionArgumentList,
        FunctionArguments, Query, Spanned, Visitor,
    },
};

use crate::{
    diagnostics::{Code, Finding},
    pipeline::{SqlFile, walk},
};

/// Finds the calls whose clauses would be dropped.
pub(super) fn findings(state: &SessionState, file: &SqlFile) -> Vec<Finding> {
    let mut calls = Calls {
        state,
        file,
        findings: Vec::new(),
    };
    if let Some(query) = file.query() {
        calls.of(query);
    }
    calls.findings
}

struct Calls<'a> {
    state: &'a SessionState,
    file: &'a SqlFile,
    findings: Vec<Finding>,
}

impl Visitor for Calls<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expr {
            self.call(call);
        }
        ControlFlow::Continue(())
    }
}

impl Calls<'_> {
    fn of(&mut self, query: &Query) {
        // The walk never stops early.
        let _ = walk(query, self);
    }

    fn call(&mut self, call: &Function) {
        let name = call.name.to_string().to_ascii_lowercase();
        let dropped = match self.is_scalar(&name) {
            true => of_aggregates(call),
            false => of_windows(call),
        };
        let Some(clause) = dropped else { return };
        let (what, help) = match self.is_scalar(&name) {
            true => (
                format!("`{name}` is computed row by row: it takes no {clause}"),
                "leave it out, or aggregate around it",
            ),
            false => (
                format!("`{name}` in a window takes its order from OVER"),
                "write `over (… order by …)`",
            ),
        };
        let at = self.file.place(self.file.bytes(call.name.span()));
        let finding = Finding::new(Code::UnsupportedClause, what).at(at, "here");
        self.findings.push(finding.help(help));
    }

    fn is_scalar(&self, name: &str) -> bool {
        self.state.scalar_functions().contains_key(name)
            || self.state.higher_order_functions().contains_key(name)
    }
}

/// Returns the first clause of a call that only aggregates and windows have.
fn of_aggregates(call: &Function) -> Option<&'static str> {
    if let Some(clause) = arguments(call).and_then(of_arguments) {
        return Some(clause);
    }
    [
        (call.filter.is_some(), "FILTER"),
        (call.over.is_some(), "OVER"),
        (call.null_treatment.is_some(), "treatment of nulls"),
        (!call.within_group.is_empty(), "WITHIN GROUP"),
    ]
    .into_iter()
    .find_map(|(is_there, clause)| is_there.then_some(clause))
}

fn of_arguments(arguments: &FunctionArgumentList) -> Option<&'static str> {
    if arguments.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
        return Some("DISTINCT");
    }
    arguments.clauses.iter().find_map(|clause| match clause {
        FunctionArgumentClause::OrderBy(_) => Some("ORDER BY"),
        FunctionArgumentClause::IgnoreOrRespectNulls(_) => Some("treatment of nulls"),
        _ => None,
    })
}

/// Returns the order among the arguments of a window's function.
fn of_windows(call: &Function) -> Option<&'static str> {
    call.over.as_ref()?;
    let mut clauses = arguments(call)?.clauses.iter();
    let ordered = clauses.any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    ordered.then_some("ORDER BY")
}

fn arguments(call: &Function) -> Option<&FunctionArgumentList> {
    match &call.args {
        FunctionArguments::List(list) => Some(list),
        FunctionArguments::None | FunctionArguments::Subquery(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::{config::EngineConfig, engine::session, pipeline::SourceFile};

    fn found(text: &str) -> Vec<String> {
        let source = SourceFile {
            path: "sql/a/a.sql".into(),
            text: text.into(),
        };
        let file = SqlFile::parse(source, &IndexMap::new());
        assert!(file.findings().is_empty(), "{text}");
        let context = session(&EngineConfig::default()).unwrap();
        let found = findings(&context.state(), &file);
        found.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_clause_that_the_function_cannot_have_is_refused() {
        for (call, clause) in [
            ("abs(distinct x)", "DISTINCT"),
            ("abs(x) filter (where x > 1)", "FILTER"),
            ("ABS(x) over (order by x)", "OVER"),
            ("upper(x order by x)", "ORDER BY"),
            ("upper(x) ignore nulls", "treatment of nulls"),
            ("slug(x) over ()", "OVER"),
        ] {
            let found = found(&format!("select {call} as y from t"));
            assert_eq!(found.len(), 1, "{call}");
            assert!(
                found[0].ends_with(&format!("takes no {clause}")),
                "{}",
                found[0]
            );
        }
        let window = found("select first_value(x order by y) over (partition by k) from t");
        assert_eq!(
            window,
            ["`first_value` in a window takes its order from OVER"]
        );
    }

    #[test]
    fn aggregates_and_windows_have_their_clauses() {
        for call in [
            "count(distinct x)",
            "sum(x) filter (where x > 1)",
            "array_agg(x order by x)",
            "first_value(x order by y)",
            "row_number() over (order by x)",
            "lag(x) ignore nulls over (order by x)",
            "arg_min(x, y)",
            "abs(x)",
            "percentile_cont(0.5) within group (order by x)",
        ] {
            assert!(
                found(&format!("select {call} as y from t")).is_empty(),
                "{call}"
            );
        }
    }
}
