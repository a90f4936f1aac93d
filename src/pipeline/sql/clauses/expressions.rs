//! What of an expression is understood.

use datafusion::sql::sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Interval, Spanned, TypedString, WindowFrame, WindowSpec, WindowType,
};

use super::Refused;

impl Refused<'_> {
    /// Kinds of expressions without fields to ignore, and those that the planner does not
    /// know, have no line of their own.
    pub(super) fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Cast {
                kind: _,
                expr: value,
                data_type,
                // Refused by the planner.
                array: _,
                format: _,
            } => self.data_type(value.as_ref(), data_type),
            Expr::TypedString(TypedString {
                data_type,
                value: _,
                uses_odbc_syntax: _,
            }) => self.data_type(expr, data_type),
            Expr::SimilarTo {
                negated: _,
                expr: value,
                pattern: _,
                escape_char: _,
            } => {
                let help = "write `~ '^(…)$'`, a regular expression, or `like`";
                self.refuse(true, value.as_ref(), "similar to", help);
            }
            Expr::AnyOp {
                left,
                compare_op: _,
                right,
                is_some,
            } => {
                let keyword = if *is_some { "some" } else { "any" };
                self.quantified(left, right, keyword);
            }
            Expr::AllOp {
                left,
                compare_op: _,
                right,
            } => self.quantified(left, right, "all"),
            Expr::InSubquery {
                expr: _,
                subquery: _,
                negated: _,
            }
            | Expr::Exists {
                subquery: _,
                negated: _,
            } => self.subquery(expr),
            Expr::InList {
                expr: _,
                list: _,
                negated: _,
            }
            | Expr::Between {
                expr: _,
                negated: _,
                low: _,
                high: _,
            }
            | Expr::Like {
                negated: _,
                any: _,
                expr: _,
                pattern: _,
                escape_char: _,
            }
            | Expr::ILike {
                negated: _,
                any: _,
                expr: _,
                pattern: _,
                escape_char: _,
            }
            | Expr::Extract {
                field: _,
                syntax: _,
                expr: _,
            }
            | Expr::Ceil { expr: _, field: _ }
            | Expr::Floor { expr: _, field: _ }
            | Expr::Position { expr: _, r#in: _ }
            | Expr::Substring {
                expr: _,
                substring_from: _,
                substring_for: _,
                special: _,
                shorthand: _,
            }
            | Expr::Trim {
                trim_where: _,
                trim_what: _,
                expr: _,
                trim_characters: _,
            }
            | Expr::Overlay {
                expr: _,
                overlay_what: _,
                overlay_from: _,
                overlay_for: _,
            }
            | Expr::Struct {
                values: _,
                fields: _,
            }
            | Expr::CompoundFieldAccess {
                root: _,
                access_chain: _,
            }
            | Expr::AtTimeZone {
                timestamp: _,
                time_zone: _,
            }
            // Its precisions are refused by the planner.
            | Expr::Interval(Interval {
                value: _,
                leading_field: _,
                leading_precision: _,
                last_field: _,
                fractional_seconds_precision: _,
            }) => {}
            Expr::Case {
                case_token: _,
                end_token: _,
                operand: _,
                conditions,
                else_result: _,
            } => {
                for CaseWhen {
                    condition: _,
                    result: _,
                } in conditions
                {}
            }
            _ => {}
        }
    }

    /// A comparison with all or any rows of a SELECT: nulls among them give other
    /// answers than SQL's.
    fn quantified(&mut self, left: &Expr, right: &Expr, keyword: &str) {
        let is_query = match right {
            Expr::Subquery(_) => true,
            Expr::Nested(inner) => matches!(inner.as_ref(), Expr::Subquery(_)),
            _ => false,
        };
        let help = "write `in`, `exists`, or compare with its min() or max()";
        self.refuse(is_query, left, keyword, help);
    }

    fn function(&mut self, function: &Function) {
        let Function {
            name,
            uses_odbc_syntax: _,
            parameters,
            args,
            filter: _,
            null_treatment: _,
            over,
            within_group,
        } = function;
        let no_parameters = matches!(parameters, FunctionArguments::None);
        let word = name.to_string().to_lowercase();
        if !no_parameters {
            let what = format!("{word} takes its parameters among its arguments");
            self.add(
                name.span(),
                &word,
                what,
                "write all in one pair of parentheses",
            );
        }
        match args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => {
                let what = format!("{word} of a SELECT is not supported");
                let help = "write `(select array_agg(x order by x) from …)`";
                self.add(name.span(), &word, what, help);
            }
            FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: _,
                args,
                // Those that are not known are refused by the planner.
                clauses: _,
            }) => args.iter().for_each(|arg| self.argument(function, arg)),
        }
        within_group.iter().for_each(|order| self.order(order));
        match over {
            Some(WindowType::WindowSpec(window)) => self.window(window),
            Some(WindowType::NamedWindow(_)) | None => {}
        }
    }

    fn argument(&mut self, function: &Function, argument: &FunctionArg) {
        let value = match argument {
            FunctionArg::Named {
                name: _,
                arg,
                operator: _,
            }
            | FunctionArg::ExprNamed {
                name: _,
                arg,
                operator: _,
            } => arg,
            FunctionArg::Unnamed(arg) => arg,
        };
        match value {
            FunctionArgExpr::WildcardWithOptions(options) => self.wildcard(&function.name, options),
            FunctionArgExpr::Expr(_)
            | FunctionArgExpr::QualifiedWildcard(_)
            | FunctionArgExpr::Wildcard => {}
        }
    }

    pub(super) fn window(&mut self, window: &WindowSpec) {
        let WindowSpec {
            window_name,
            partition_by: _,
            order_by,
            window_frame,
        } = window;
        if let Some(name) = window_name {
            let what = format!("a window that extends `{name}` is not supported");
            let word = name.value.clone();
            self.add(name.span, &word, what, "write out the whole window");
        }
        order_by.iter().for_each(|order| self.order(order));
        if let Some(WindowFrame {
            units: _,
            start_bound: _,
            end_bound: _,
        }) = window_frame
        {}
    }
}
