//! Clauses that the parser takes and the planner ignores, or answers wrongly: each is
//! refused at its place.
//!
//! Every field of the parser's tree that the planner reads is named here, so one that a
//! new parser adds does not compile until somebody has decided what becomes of it. Kinds
//! of expressions and of relations that the planner does not know it refuses itself.

mod expressions;
mod relations;
mod selects;
mod subqueries;
mod types;

use std::{collections::HashSet, ops::ControlFlow};

use datafusion::sql::sqlparser::{
    ast::{Expr, Query, Select, Spanned, TableFactor, Visitor},
    tokenizer::{Span, Token, TokenWithSpan},
};

use super::{places::span_bytes, walk::walk};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::SourceFile,
};

/// Returns a finding for each clause that would be ignored, and the subqueries that are
/// understood once they are written out, by their place in the tree.
pub(super) fn refused(
    source: &SourceFile,
    tokens: &[TokenWithSpan],
    query: &Query,
) -> (Vec<Finding>, HashSet<*const Expr>) {
    let mut refused = Refused {
        source,
        tokens,
        allowed: HashSet::new(),
        values: HashSet::new(),
        written_out: HashSet::new(),
        findings: Vec::new(),
    };
    // The walk never stops early.
    let _ = walk(query, &mut refused);
    let at = |finding: &Finding| finding.place().map(|place| place.span.start);
    refused.findings.sort_by_key(at);
    (refused.findings, refused.written_out)
}

/// Collects what is refused.
struct Refused<'a> {
    source: &'a SourceFile,
    tokens: &'a [TokenWithSpan],
    /// Subqueries where they are understood, by their place in the tree.
    allowed: HashSet<*const Expr>,
    /// Those that are values, and can be written out as such.
    values: HashSet<*const Expr>,
    /// Those that are to be written out.
    written_out: HashSet<*const Expr>,
    findings: Vec<Finding>,
}

impl Visitor for Refused<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.query(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.allow_subqueries(select);
        self.select(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.factor(factor);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.expr(expr);
        ControlFlow::Continue(())
    }
}

impl Refused<'_> {
    /// Refuses a clause if it is there, at its first keyword after the start of `within`.
    fn refuse(&mut self, is_there: bool, within: &impl Spanned, keyword: &str, help: &str) {
        if is_there {
            let what = format!("{} is not supported", keyword.to_uppercase());
            self.add(within.span(), keyword, what, help);
        }
    }

    /// Adds a finding at a keyword, or at the whole of `within` where it is not found.
    fn add(&mut self, within: Span, keyword: &str, message: String, help: &str) {
        let found = self.keyword(within, keyword).unwrap_or(within);
        let place = self.source.place(span_bytes(&self.source.text, found));
        let finding = Finding::new(Code::UnsupportedClause, message).at(place, "here");
        self.findings.push(match help {
            "" => finding,
            help => finding.help(help),
        });
    }

    /// Returns the last token before `within` that is this keyword.
    fn before(&self, within: Span, keyword: &str) -> Span {
        let until = self
            .tokens
            .partition_point(|token| token.span.start < within.start);
        let mut tokens = self.tokens[..until].iter().rev();
        let found = tokens.find(|token| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(keyword),
            _ => false,
        });
        found.map_or(within, |token| token.span)
    }

    /// Returns the tokens of some keywords, one after the other, from `within` on.
    fn keyword(&self, within: Span, keywords: &str) -> Option<Span> {
        let from = self
            .tokens
            .partition_point(|token| token.span.start < within.start);
        let words: Vec<&str> = keywords.split(' ').collect();
        let is = |token: &TokenWithSpan, keyword: &str| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(keyword),
            token => token.to_string() == keyword,
        };
        let mut runs = self.tokens[from..].windows(words.len());
        let run = runs.find(|run| run.iter().zip(&words).all(|(token, word)| is(token, word)))?;
        let (first, last) = (run.first()?, run.last()?);
        Some(Span::new(first.span.start, last.span.end))
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use crate::{
        diagnostics::Code,
        pipeline::{SourceFile, SqlFile},
    };

    /// Returns what is refused, at which text.
    fn refused(text: &str) -> Vec<String> {
        let source = SourceFile {
            path: "sql/a/a.sql".into(),
            text: text.into(),
        };
        let file = SqlFile::parse(source, &IndexMap::new());
        let findings = file.findings().iter();
        findings
            .map(|finding| {
                let place = finding.place().unwrap();
                let at = place.text[place.span.clone()].to_lowercase();
                match finding.code {
                    Code::UnsupportedClause => at,
                    code => format!("{code} at {at}"),
                }
            })
            .collect()
    }

    #[test]
    fn a_clause_that_would_be_ignored_is_refused_at_its_place() {
        let cases = [
            ("select a from t tablesample bernoulli (10)", "tablesample"),
            ("select a from t TABLESAMPLE (10 rows)", "tablesample"),
            (
                "select a from (select 1 as a) tablesample (10 rows)",
                "tablesample",
            ),
            ("select a from t for update", "for update"),
            ("select a from t for share skip locked", "for share"),
            ("select a from t with (nolock)", "with"),
            ("select a from t partition (p0)", "partition"),
            (
                "select a from generate_series(1, 2) with ordinality",
                "with ordinality",
            ),
            ("select a from t settings max_threads = 1", "settings"),
            ("select a from t format csv", "format"),
            (
                "select a from t order by a fetch first 1 rows with ties",
                "fetch",
            ),
            ("select top 1 a from t", "top"),
            ("select a from t prewhere a = 1", "prewhere"),
            ("select a from t distribute by a", "distribute by"),
            ("select a from t sort by a", "sort by"),
            ("select a from t cluster by a", "cluster by"),
            ("select * ilike 'a%' from t", "ilike"),
            ("select t.* rename (a as b) from t", "rename"),
            ("from t", "from"),
            ("select a from t limit 1 by a", "by"),
            (
                "select a from t intersect all select a from t",
                "intersect all",
            ),
            ("select a from t except all select a from t", "except all"),
            ("select a from t right join u using (a)", "using"),
            ("select a from t full join u using (a)", "using"),
            ("select a from t natural full join u", "natural"),
            ("select a from t natural right outer join u", "natural"),
            ("select a from t global join u on t.a = u.a", "global"),
            ("select a from t where a similar to 'b'", "similar to"),
            ("select a from t where a = any (select a from u)", "any"),
            ("select a from t where a <> all (select a from u)", "all"),
            (
                "select a from t where a not in (select b from u where u.k = t.k)",
                "not in",
            ),
            (
                "select a from t where t.a not in (select b from u as t2 where t2.k = t.k limit 1)",
                "not in",
            ),
            (
                "select t.a in (select b from u where u.k = t.k) as x from t",
                "in",
            ),
            (
                "select sum(case when a in (select b from u) then 1 end) as x from t",
                "in",
            ),
            (
                "select a from t left join u on t.a in (select a from v)",
                "in",
            ),
            (
                "select sum(a) over (w order by b) from t window w as (partition by c)",
                "w",
            ),
            ("select quantile(0.5)(a) from t", "quantile"),
            ("select array(select a from t)", "array"),
            ("select cast(a as varchar(3)) from t", "varchar"),
            ("select cast(a as char(3)) from t", "char"),
            ("select a::varchar(3) from t", "varchar"),
            ("select cast(a as int(3)) from t", "int"),
            ("with c(a int) as (select 1) select a from c", "int"),
        ];
        let others: Vec<_> = cases
            .into_iter()
            .map(|(sql, at)| (sql, vec![at.to_owned()], refused(sql)))
            .filter(|(_, at, found)| at != found)
            .collect();
        assert!(others.is_empty(), "{others:#?}");
    }

    #[test]
    fn clauses_that_mean_what_they_say_are_taken() {
        for sql in [
            "select a from t left join u using (a)",
            "select a from t natural join u",
            "select a from t where a not in (select a from u)",
            "select a from t where 5 in (select a from u)",
            "select a from t where 5 not in (select a from u)",
            "select a from t where a not in (select a from u) or b > 1",
            "select a from t where not (a in (select a from u) and b > 1)",
            "select a from t where (a in (select a from u)) is null",
            "select a in (select a from u) as x from t",
            "select exists (select a from u) as x from t",
            "select exists (select a from u where u.k = t.k) as x from t",
            "select a from t where t.a not in (select b from u where u.k = t.k)",
            "select a from t where b > 1 and not (a in (select a from u))",
            "select a from t where a in (select a from u) or b > 1",
            "select a from t where not exists (select a from u) or b > 1",
            "select a from t group by a having a in (select a from u)",
            "select a from t join u on t.a = u.a and t.a in (select a from v)",
            "select (select max(a) from u) as x from t",
            "select * exclude (a) from t",
            "select * except (a) from t",
            "select * replace (a + 1 as a) from t",
            "from t select a",
            "select sum(a) over w from t window w as (partition by c order by b)",
            "select a from t limit 5 offset 3 rows",
            "select cast(a as decimal(10, 2)), cast(b as timestamp(3)), cast(c as varchar) from t",
            "select a from t intersect select a from u",
            "select distinct on (a) a, b from t order by a, b",
            "select a from t where c and a is distinct from b",
            "select a from t where (a is distinct from b) and c",
            "select a from t where a is distinct from b and c",
            "select a from t where a is not distinct from b or c",
            "select a from t group by all",
            "select count(distinct a) filter (where b > 1) from t",
            "select a from t, lateral (select b from u where u.a = t.a) as l",
        ] {
            assert!(refused(sql).is_empty(), "{sql}: {:?}", refused(sql));
        }
    }
}
