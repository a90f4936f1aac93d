//! What of a FROM is understood.

use datafusion::sql::sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, Spanned, TableFactor, TableFunctionArgs,
    TableVersion, TableWithJoins,
};

use super::{Refused, subqueries::has_column};
use crate::{
    diagnostics::{Code, Finding},
    pipeline::sql::places::span_bytes,
};

impl Refused<'_> {
    pub(super) fn joins(&mut self, table: &TableWithJoins) {
        let TableWithJoins { relation: _, joins } = table;
        for join in joins {
            let Join {
                relation,
                global,
                join_operator,
            } = join;
            self.refuse(*global, table, "global", "leave it out");
            self.operator(table, relation, join_operator);
        }
    }

    fn operator(
        &mut self,
        table: &TableWithJoins,
        relation: &TableFactor,
        operator: &JoinOperator,
    ) {
        use JoinOperator as Op;
        let (constraint, keeps_right) = match operator {
            Op::Right(constraint) | Op::RightOuter(constraint) | Op::FullOuter(constraint) => {
                (constraint, true)
            }
            Op::Join(constraint)
            | Op::Inner(constraint)
            | Op::Left(constraint)
            | Op::LeftOuter(constraint)
            | Op::CrossJoin(constraint)
            | Op::Semi(constraint)
            | Op::LeftSemi(constraint)
            | Op::RightSemi(constraint)
            | Op::Anti(constraint)
            | Op::LeftAnti(constraint)
            | Op::RightAnti(constraint)
            | Op::StraightJoin(constraint) => (constraint, false),
            // Refused by the planner.
            Op::CrossApply
            | Op::OuterApply
            | Op::ArrayJoin
            | Op::LeftArrayJoin
            | Op::InnerArrayJoin
            | Op::AsOf {
                match_condition: _,
                constraint: _,
            } => return,
        };
        // The joined column would be the left one, which is null where only the right
        // side has a row.
        let help = "write `on a.k = b.k`, and select `coalesce(a.k, b.k) as k`";
        match constraint {
            JoinConstraint::Using(_) if keeps_right => {
                let what = "USING in a right or full join is not supported".to_owned();
                self.add(relation.span(), "using", what, help);
            }
            JoinConstraint::Natural if keeps_right => {
                let what = "a natural right or full join is not supported".to_owned();
                self.add(table.span(), "natural", what, help);
            }
            JoinConstraint::On(_)
            | JoinConstraint::Using(_)
            | JoinConstraint::Natural
            | JoinConstraint::None => {}
        }
    }

    pub(super) fn factor(&mut self, factor: &TableFactor) {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                self.alias(alias.as_ref());
                if let Some(TableFunctionArgs { args: _, settings }) = args {
                    self.refuse(settings.is_some(), name, "settings", "");
                }
                self.refuse(!with_hints.is_empty(), name, "with", "leave it out");
                if let Some(version) = version {
                    self.refuse(true, name, keyword(version), "read `history` or `previous`");
                }
                self.ordinality(*with_ordinality, name);
                self.refuse(!partitions.is_empty(), name, "partition", "write `where`");
                self.refuse(json_path.is_some(), name, "[", "");
                self.sample(sample.is_some(), name);
                self.refuse(!index_hints.is_empty(), name, "index", "leave it out");
            }
            TableFactor::Derived {
                lateral: _,
                subquery,
                alias,
                sample,
            } => {
                self.alias(alias.as_ref());
                self.sample(sample.is_some(), subquery.as_ref());
            }
            TableFactor::Function {
                lateral: _,
                name,
                args: _,
                with_ordinality,
                alias,
            } => {
                self.alias(alias.as_ref());
                self.ordinality(*with_ordinality, name);
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                // Refused by the planner.
                with_offset: _,
                with_offset_alias: _,
                with_ordinality: _,
            } => {
                self.alias(alias.as_ref());
                array_exprs.iter().for_each(|list| self.unnested(list));
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                self.alias(alias.as_ref());
                self.joins(table_with_joins);
            }
            // Refused by the planner.
            TableFactor::TableFunction { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::Pivot { .. }
            | TableFactor::Unpivot { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => {}
        }
    }

    /// A list in FROM is one of literals: the rows of another relation are not in scope.
    fn unnested(&mut self, list: &Expr) {
        if !has_column(list) {
            return;
        }
        let what = format!("UNNEST in FROM cannot read `{list}` of another relation");
        let place = self.before(list.span(), "unnest");
        let place = self.source.place(span_bytes(&self.source.text, place));
        let finding = Finding::new(Code::UnsupportedClause, what).at(place, "here");
        self.findings.push(finding.help(format!(
            "name its column next to its relation, `from t cross join unnest(t.{}) as u(item)`, or select it: `select *, unnest({list}) as item from …`",
            list.to_string().rsplit('.').next().unwrap_or_default()
        )));
    }

    fn sample(&mut self, is_there: bool, within: &impl Spanned) {
        let help = "every row counts here: filter by a column, or `order by … limit …`";
        let keyword = ["tablesample", "sample"];
        let found = keyword
            .into_iter()
            .find(|word| self.keyword(within.span(), word).is_some());
        self.refuse(is_there, within, found.unwrap_or("tablesample"), help);
    }

    fn ordinality(&mut self, is_there: bool, within: &impl Spanned) {
        self.refuse(
            is_there,
            within,
            "with ordinality",
            "write `row_number() over (…)`",
        );
    }
}

fn keyword(version: &TableVersion) -> &'static str {
    match version {
        TableVersion::ForSystemTimeAsOf(_) => "for system_time",
        TableVersion::TimestampAsOf(_) => "timestamp",
        TableVersion::VersionAsOf(_) => "version",
        TableVersion::Function(_) => "at",
        TableVersion::Changes {
            changes: _,
            at: _,
            end: _,
        } => "changes",
    }
}
