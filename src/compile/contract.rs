//! Whether what a model makes is what its contract says.

use std::ops::Range;

use datafusion::{
    arrow::datatypes::{DataType, Schema},
    sql::{
        parser::{DFParser, Statement},
        sqlparser::ast,
    },
};

use super::diagnose::{first_token, span_bytes};
use crate::{
    dataset::{Column, ColumnType},
    diagnostics::{Finding, Place, nearest},
    pipeline::{Pipeline, graph::word},
};

/// Finds where the output's columns differ from the contract: names, order, types.
pub(crate) fn compare(pipeline: &Pipeline, actual: &Schema) -> Vec<Finding> {
    let mut findings = Vec::new();
    let declared: Vec<&str> = pipeline.contract.names().collect();
    let made: Vec<&str> = actual
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    for column in &pipeline.contract.columns {
        match actual.column_with_name(&column.name) {
            None => findings.push(lacking(pipeline, column, &made)),
            Some((_, field)) => findings.extend(wrong_type(pipeline, column, field.data_type())),
        }
    }
    for name in made.iter().filter(|name| !declared.contains(name)) {
        findings.push(undeclared(pipeline, name));
    }
    if findings.is_empty() && declared != made {
        findings.push(wrong_order(pipeline, &declared, &made));
    }
    findings
}

pub(crate) fn in_manifest(pipeline: &Pipeline, name: &str) -> Place {
    let text = &pipeline.manifest.text;
    let start = text.find("[contract]").unwrap_or(0);
    let span = word(&text[start..], name);
    pipeline
        .manifest
        .place(start + span.start..start + span.end)
}

/// Returns where the output's outermost SELECT names the column.
fn in_model(pipeline: &Pipeline, name: &str) -> Option<Place> {
    let file = pipeline.models.get(&pipeline.output)?;
    let span = selected(&file.text, name).unwrap_or_else(|| first_token(&file.text));
    Some(file.place(span))
}

fn selected(text: &str, name: &str) -> Option<Range<usize>> {
    let statement = DFParser::parse_sql(text).ok()?.pop_front()?;
    let Statement::Statement(statement) = statement else {
        return None;
    };
    let ast::Statement::Query(query) = *statement else {
        return None;
    };
    let ast::SetExpr::Select(select) = *query.body else {
        return None;
    };
    let named = select.projection.iter().filter_map(|item| match item {
        ast::SelectItem::ExprWithAlias { alias, .. } => Some(alias),
        ast::SelectItem::UnnamedExpr(ast::Expr::Identifier(column)) => Some(column),
        ast::SelectItem::UnnamedExpr(ast::Expr::CompoundIdentifier(parts)) => parts.last(),
        _ => None,
    });
    let mut found = named.filter(|ident| ident.value.eq_ignore_ascii_case(name));
    found.next().map(|ident| span_bytes(text, ident.span))
}

fn lacking(pipeline: &Pipeline, column: &Column, made: &[&str]) -> Finding {
    let what = format!(
        "the model `{}` makes no column `{}`",
        pipeline.output, column.name
    );
    let finding =
        Finding::error("contract", what).at(in_manifest(pipeline, &column.name), "declared here");
    match nearest(&column.name, made.iter().copied()) {
        Some(near) => finding.help(format!("it makes `{near}`: rename one of them")),
        None => finding.help(format!("it makes {}", made.join(", "))),
    }
}

fn undeclared(pipeline: &Pipeline, name: &str) -> Finding {
    let what = format!("the contract does not declare `{name}`, which the model makes");
    let mut finding = Finding::error("contract", what).help(format!(
        "add `{name}` to [contract] in {}",
        pipeline.manifest.path.display()
    ));
    finding.place = in_model(pipeline, name);
    finding.label = "not in the contract".to_owned();
    finding
}

fn wrong_order(pipeline: &Pipeline, declared: &[&str], made: &[&str]) -> Finding {
    let first = declared.iter().zip(made).find(|(a, b)| a != b);
    let name = first.map_or("", |(name, _)| name);
    let what = format!("the model makes the columns as {}", made.join(", "));
    Finding::error("contract", what)
        .at(in_manifest(pipeline, name), "another order")
        .help(format!("select them as {}", declared.join(", ")))
}

fn wrong_type(pipeline: &Pipeline, column: &Column, actual: &DataType) -> Option<Finding> {
    if fits(&column.data_type, actual) {
        return None;
    }
    let made = ColumnType::from_arrow(actual).map_or_else(|| actual.to_string(), |t| t.to_string());
    let what = format!("`{}` is a {made}, not a {}", column.name, column.data_type);
    let mut finding = Finding::error("contract", what);
    finding.place = in_model(pipeline, &column.name);
    finding.label = format!("this is a {made}");
    let place = in_manifest(pipeline, &column.name);
    let (line, _) = place.line_column();
    finding.help.push(format!(
        "write `cast(… as {}) as {}`, or declare `{made}` at {}:{line}",
        column.data_type,
        column.name,
        place.file.display()
    ));
    Some(finding)
}

/// Says whether values of an Arrow type are values of a declared type, of its
/// family and exactly: no digit can get lost, though a number may be too large.
pub(crate) fn fits(declared: &ColumnType, actual: &DataType) -> bool {
    if actual == &DataType::Null {
        return true;
    }
    match (declared, actual) {
        (ColumnType::Bigint, actual) => actual.is_integer(),
        (ColumnType::Double, actual) => actual.is_floating(),
        (ColumnType::Boolean, actual) => actual == &DataType::Boolean,
        (ColumnType::Text, DataType::Dictionary(_, value)) => fits(declared, value),
        (ColumnType::Text, actual) => actual.is_string(),
        (ColumnType::Date, actual) => matches!(actual, DataType::Date32 | DataType::Date64),
        (ColumnType::Timestamp, actual) => matches!(actual, DataType::Timestamp(..)),
        (ColumnType::Decimal { scale, .. }, actual) => {
            decimal_scale(actual).is_some_and(|s| s <= *scale)
        }
        (ColumnType::List(item), DataType::List(field) | DataType::LargeList(field)) => {
            fits(item, field.data_type())
        }
        (ColumnType::Struct(columns), DataType::Struct(fields)) => {
            columns.len() == fields.len()
                && columns.iter().zip(fields).all(|(column, field)| {
                    &column.name == field.name() && fits(&column.data_type, field.data_type())
                })
        }
        _ => false,
    }
}

fn decimal_scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_fits_its_family_and_loses_no_digit() {
        let money: ColumnType = "decimal(10,2)".parse().unwrap();
        assert!(fits(&money, &DataType::Decimal128(31, 2)));
        assert!(!fits(&money, &DataType::Decimal128(31, 3)));
        assert!(!fits(&money, &DataType::Float64));
        assert!(!fits(&money, &DataType::Int64));
        assert!(fits(&ColumnType::Bigint, &DataType::UInt64));
        assert!(!fits(&ColumnType::Bigint, &DataType::Float64));
        assert!(!fits(&ColumnType::Double, &DataType::Int64));
        assert!(fits(&ColumnType::Text, &DataType::Utf8View));
    }
}
