//! Where in the SQL an error of a run comes from, as far as its words show it.
//!
//! A plan that runs holds no places, and holds the models that it reads inline. In come
//! what the error says and the files of these models; out comes the one operation that
//! can have failed so, or nothing if there are several.

use std::ops::{ControlFlow, Range};

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Query, Spanned, Visitor};

use crate::pipeline::{SqlFile, walk};

/// Returns the file and the bytes of the operation that failed.
pub(crate) fn place<'f>(
    says: &str,
    files: impl IntoIterator<Item = &'f SqlFile>,
) -> Option<(&'f SqlFile, Range<usize>)> {
    let wanted = Operation::of(says)?;
    let mut found = Vec::new();
    for file in files {
        let Some(query) = file.query() else { continue };
        let places = places(query, &wanted, file);
        found.extend(places.into_iter().map(|at| (file, at)));
    }
    match found.as_slice() {
        [_] => found.pop(),
        _ => None,
    }
}

/// What fails at run time.
enum Operation {
    /// A cast to a type whose name begins so.
    Cast(Vec<&'static str>),
    Binary(Vec<BinaryOperator>),
}

impl Operation {
    /// Reads what failed out of an error's words.
    fn of(says: &str) -> Option<Operation> {
        if says.contains("is divided by zero") {
            let divides = vec![BinaryOperator::Divide, BinaryOperator::Modulo];
            return Some(Operation::Binary(divides));
        }
        if let Some((_, sign)) = says.split_once("; cast to a decimal before `") {
            let op = match sign.chars().next()? {
                '+' => BinaryOperator::Plus,
                '-' => BinaryOperator::Minus,
                '*' => BinaryOperator::Multiply,
                _ => return None,
            };
            return Some(Operation::Binary(vec![op]));
        }
        let casts = ["` is not a ", " is beyond the range of "];
        let (_, name) = casts.iter().find_map(|before| says.split_once(before))?;
        Some(Operation::Cast(
            match name.split(['(', ' ', ':']).next()? {
                "bigint" => vec!["bigint", "int8", "int64"],
                "integer" => vec!["int", "integer", "smallint", "tinyint"],
                "double" => vec!["double", "float"],
                "real" => vec!["real", "float"],
                "decimal" => vec!["decimal", "numeric"],
                "date" => vec!["date"],
                "timestamp" => vec!["timestamp"],
                "boolean" => vec!["bool"],
                _ => return None,
            },
        ))
    }

    fn is(&self, expr: &Expr) -> bool {
        match (self, expr) {
            (Operation::Cast(names), Expr::Cast { data_type, .. }) => {
                let written = data_type.to_string().to_lowercase();
                names.iter().any(|name| match *name {
                    "int" => written == "int",
                    name => written.starts_with(name),
                })
            }
            (Operation::Binary(ops), Expr::BinaryOp { op, right, .. }) => {
                let by_literal = matches!(right.as_ref(), Expr::Value(_));
                let divides = matches!(op, BinaryOperator::Divide | BinaryOperator::Modulo);
                ops.contains(op) && !(divides && by_literal)
            }
            _ => false,
        }
    }
}

fn places(query: &Query, wanted: &Operation, file: &SqlFile) -> Vec<Range<usize>> {
    struct Found<'a> {
        wanted: &'a Operation,
        file: &'a SqlFile,
        places: Vec<Range<usize>>,
    }
    impl Visitor for Found<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if self.wanted.is(expr) {
                self.places.push(self.file.bytes(expr.span()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut found = Found {
        wanted,
        file,
        places: Vec::new(),
    };
    // The walk never stops early.
    let _ = walk(query, &mut found);
    found.places
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::pipeline::SourceFile;

    fn file(text: &str) -> SqlFile {
        let source = SourceFile {
            path: "sql/a/a.sql".into(),
            text: text.into(),
        };
        SqlFile::parse(source, &IndexMap::new())
    }

    #[test]
    fn the_one_operation_that_can_fail_so_is_found() {
        let file = file(
            "select a / b as x,\n  cast(c as bigint) as y,\n  d::date as z,\n  d + 1 as w,\n  a / 7 as v\nfrom t",
        );
        let line = |says: &str| {
            let (_, at) = place(says, [&file])?;
            Some(file.place(at).line_column().0)
        };
        assert_eq!(
            line("a number is divided by zero: write `nullif(divisor, 0)`"),
            Some(1)
        );
        assert_eq!(line("`C0007919` is not a bigint"), Some(2));
        assert_eq!(line("`x` is not a date"), Some(3));
        let beyond = "9 + 1 is beyond the range of its type; cast to a decimal before `+`";
        assert_eq!(line(beyond), Some(4));
        assert_eq!(line("`x` is not a double"), None);
        assert_eq!(line("the disk is full"), None);
    }

    #[test]
    fn of_two_that_can_fail_so_none_is_blamed() {
        let file = file("select a / b as x, b % a as y from t");
        assert!(place("a number is divided by zero", [&file]).is_none());
    }
}
