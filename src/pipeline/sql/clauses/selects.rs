//! What of a query and of a SELECT is understood.

use datafusion::sql::sqlparser::ast::{
    Cte, Distinct, GroupByExpr, LimitClause, NamedWindowDefinition, NamedWindowExpr, Offset,
    OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, Select, SelectFlavor, SelectItem,
    SetExpr, SetOperator, SetQuantifier, Spanned, TableAlias, TableAliasColumnDef, Values,
    WildcardAdditionalOptions, With,
};

use super::Refused;

impl Refused<'_> {
    pub(super) fn query(&mut self, query: &Query) {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            // Planned one by one; those that are not known are refused there.
            pipe_operators: _,
        } = query;
        self.refuse(fetch.is_some(), query, "fetch", "write `limit`");
        let lock = locks
            .first()
            .map(|lock| format!("for {}", lock.lock_type).to_lowercase());
        if let Some(lock) = lock {
            self.refuse(true, query, &lock, "a query locks nothing: leave it out");
        }
        self.refuse(for_clause.is_some(), query, "for", "");
        self.refuse(settings.is_some(), query, "settings", "");
        self.refuse(format_clause.is_some(), query, "format", "");
        if let Some(With {
            with_token: _,
            recursive: _,
            cte_tables,
        }) = with
        {
            cte_tables.iter().for_each(|cte| self.cte(cte));
        }
        self.body(body);
        if let Some(order_by) = order_by {
            self.order_by(query, order_by);
        }
        if let Some(limit) = limit_clause {
            self.limit(query, limit);
        }
    }

    fn cte(&mut self, cte: &Cte) {
        let Cte {
            alias,
            query: _,
            from,
            // It says how to compute, not what.
            materialized: _,
            closing_paren_token: _,
        } = cte;
        self.refuse(from.is_some(), cte, "from", "");
        self.alias(Some(alias));
    }

    pub(super) fn alias(&mut self, alias: Option<&TableAlias>) {
        let Some(alias) = alias else { return };
        let TableAlias {
            explicit: _,
            name,
            columns,
            at,
        } = alias;
        if at.is_some() {
            self.add(name.span, "at", "AT is not supported".to_owned(), "");
        }
        for TableAliasColumnDef { name, data_type } in columns {
            if let Some(data_type) = data_type {
                let keyword = data_type.to_string().to_lowercase();
                let what = "a type in a list of columns is not supported".to_owned();
                self.add(name.span, &keyword, what, "cast the column in the SELECT");
            }
        }
    }

    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } => {
                self.set_operation(right, *op, *set_quantifier);
                self.body(left);
                self.body(right);
            }
            SetExpr::Values(Values {
                explicit_row: _,
                value_keyword: _,
                rows: _,
            }) => {}
            // Visited as what they are, or refused as no SELECT.
            SetExpr::Select(_)
            | SetExpr::Query(_)
            | SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => {}
        }
    }

    /// The engine keeps or drops all copies of a row, where SQL counts them.
    fn set_operation(&mut self, right: &SetExpr, op: SetOperator, quantifier: SetQuantifier) {
        let counts = matches!(quantifier, SetQuantifier::All | SetQuantifier::AllByName);
        let keyword = match op {
            SetOperator::Intersect if counts => "intersect all",
            SetOperator::Except if counts => "except all",
            SetOperator::Minus if counts => "minus all",
            _ => return,
        };
        let what = format!("{} is not supported", keyword.to_uppercase());
        let help = "number the copies first: row_number() over (partition by all columns)";
        let end = right.span().start;
        let before = self.tokens.partition_point(|token| token.span.start < end);
        let from = self.tokens[..before].iter().rev().nth(1);
        let within = from.map_or_else(|| right.span(), |token| token.span);
        self.add(within, keyword, what, help);
    }

    fn order_by(&mut self, query: &Query, order_by: &OrderBy) {
        let OrderBy { kind, interpolate } = order_by;
        self.refuse(interpolate.is_some(), query, "interpolate", "");
        match kind {
            OrderByKind::Expressions(list) => list.iter().for_each(|order| self.order(order)),
            OrderByKind::All(OrderByOptions {
                asc: _,
                nulls_first: _,
            }) => {}
        }
    }

    pub(super) fn order(&mut self, order: &OrderByExpr) {
        let OrderByExpr {
            expr,
            options:
                OrderByOptions {
                    asc: _,
                    nulls_first: _,
                },
            with_fill,
        } = order;
        self.refuse(with_fill.is_some(), expr, "with fill", "");
    }

    fn limit(&mut self, query: &Query, limit: &LimitClause) {
        match limit {
            LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            } => {
                if let Some(Offset { value: _, rows: _ }) = offset {}
                if !limit_by.is_empty() {
                    let within = limit.as_ref().map_or_else(|| query.span(), Spanned::span);
                    let help = "number the rows: row_number() over (partition by … order by …)";
                    self.add(within, "by", "LIMIT BY is not supported".to_owned(), help);
                }
            }
            LimitClause::OffsetCommaLimit {
                offset: _,
                limit: _,
            } => {}
        }
    }

    pub(super) fn select(&mut self, select: &Select) {
        let Select {
            select_token,
            // Comments for another engine.
            optimizer_hints: _,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            // Refused as no SELECT.
            into: _,
            from,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window,
            qualify: _,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        match distinct {
            None | Some(Distinct::All | Distinct::Distinct | Distinct::On(_)) => {}
        }
        if let Some(modifiers) = select_modifiers.as_ref().filter(|some| some.is_any_set()) {
            let keyword = modifiers.to_string().trim().to_lowercase();
            self.refuse(true, select, &keyword, "leave it out");
        }
        self.refuse(top.is_some(), select, "top", "write `limit` at the end");
        self.refuse(
            exclude.is_some(),
            select,
            "exclude",
            "write `* exclude (…)`",
        );
        self.refuse(
            !lateral_views.is_empty(),
            select,
            "lateral view",
            "write `unnest`",
        );
        self.refuse(prewhere.is_some(), select, "prewhere", "write `where`");
        self.refuse(
            !connect_by.is_empty(),
            select,
            "connect by",
            "write `with recursive`",
        );
        self.refuse(!cluster_by.is_empty(), select, "cluster by", "leave it out");
        self.refuse(
            !distribute_by.is_empty(),
            select,
            "distribute by",
            "leave it out",
        );
        self.refuse(!sort_by.is_empty(), select, "sort by", "write `order by`");
        self.refuse(value_table_mode.is_some(), select, "as", "");
        match flavor {
            SelectFlavor::Standard | SelectFlavor::FromFirst => {}
            SelectFlavor::FromFirstNoSelect => {
                let what = "FROM without SELECT is not supported".to_owned();
                self.add(select_token.0.span, "from", what, "write `select * from …`");
            }
        }
        match group_by {
            // A modifier, such as `with rollup`, the planner refuses.
            GroupByExpr::All(_) | GroupByExpr::Expressions(_, _) => {}
        }
        projection.iter().for_each(|item| self.item(select, item));
        for NamedWindowDefinition(_, window) in named_window {
            match window {
                NamedWindowExpr::NamedWindow(_) => {}
                NamedWindowExpr::WindowSpec(window) => self.window(window),
            }
        }
        from.iter().for_each(|table| self.joins(table));
    }

    fn item(&mut self, select: &Select, item: &SelectItem) {
        match item {
            SelectItem::UnnamedExpr(_)
            | SelectItem::ExprWithAlias { expr: _, alias: _ }
            // Refused by the planner.
            | SelectItem::ExprWithAliases { expr: _, aliases: _ } => {}
            SelectItem::QualifiedWildcard(_, options) | SelectItem::Wildcard(options) => {
                self.wildcard(select, options);
            }
        }
    }

    pub(super) fn wildcard(&mut self, within: &impl Spanned, options: &WildcardAdditionalOptions) {
        let WildcardAdditionalOptions {
            wildcard_token: _,
            opt_ilike,
            opt_exclude: _,
            opt_except: _,
            opt_replace: _,
            opt_rename,
            opt_alias,
        } = options;
        self.refuse(opt_ilike.is_some(), within, "ilike", "name the columns");
        self.refuse(opt_rename.is_some(), within, "rename", "name the columns");
        self.refuse(opt_alias.is_some(), within, "as", "name the columns");
    }
}
