//! Whether what a model makes is what its contract says.

use datafusion::arrow::datatypes::{DataType, Schema};

use crate::{
    dataset::{Column, ColumnType},
    diagnostics::{Code, Finding, Place},
    pipeline::Pipeline,
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

/// Returns where the contract declares the column, or begins.
pub(crate) fn in_manifest(pipeline: &Pipeline, name: &str) -> Place {
    let places = &pipeline.places;
    let declared = places.columns.get(name).unwrap_or(&places.contract);
    pipeline.manifest.place(declared.clone())
}

/// Returns where the output's outermost SELECT names the column.
fn in_model(pipeline: &Pipeline, name: &str) -> Option<Place> {
    let file = pipeline.models.get(&pipeline.output)?;
    let selected = file.selected(name).into_iter().next_back();
    Some(file.place(selected.unwrap_or_else(|| file.first_token())))
}

fn lacking(pipeline: &Pipeline, column: &Column, made: &[&str]) -> Finding {
    let what = format!(
        "the model `{}` has no column `{}`",
        pipeline.output, column.name
    );
    let mut finding = Finding::new(Code::MissingColumn, what)
        .at(in_manifest(pipeline, &column.name), "declared here");
    if let Some(place) = in_model(pipeline, &column.name) {
        finding = finding.see(place, format!("has no `{}`", column.name));
    }
    let otherwise = format!("its columns are {}", made.join(", "));
    finding.suggest(&column.name, made, otherwise)
}

fn undeclared(pipeline: &Pipeline, name: &str) -> Finding {
    let what = format!("the model selects `{name}`, which the contract does not declare");
    let contract = in_manifest(pipeline, "");
    let mut finding = Finding::new(Code::UndeclaredColumn, what)
        .see(contract, format!("does not declare `{name}`"));
    if let Some(place) = in_model(pipeline, name) {
        finding = finding.at(place, "not in the contract");
    }
    finding.help(format!("declare `{name}`, or do not select it"))
}

fn wrong_order(pipeline: &Pipeline, declared: &[&str], made: &[&str]) -> Finding {
    let first = declared.iter().zip(made).find(|(a, b)| a != b);
    let name = first.map_or("", |(name, _)| name);
    let what = format!("the model's columns are in the order {}", made.join(", "));
    let mut finding = Finding::new(Code::ColumnOrder, what)
        .at(in_manifest(pipeline, name), "declared in this order");
    if let Some(place) = in_model(pipeline, name) {
        finding = finding.see(place, "selected in a different order");
    }
    finding.help(format!("select them in the order {}", declared.join(", ")))
}

fn wrong_type(pipeline: &Pipeline, column: &Column, actual: &DataType) -> Option<Finding> {
    if fits(&column.data_type, actual) {
        return None;
    }
    let made = ColumnType::from_arrow(actual).map_or_else(|| actual.to_string(), |t| t.to_string());
    let what = format!("`{}` is a {made}, not a {}", column.name, column.data_type);
    let declared = format!("declared as {}", column.data_type);
    let mut finding =
        Finding::new(Code::ColumnType, what).see(in_manifest(pipeline, &column.name), declared);
    if let Some(place) = in_model(pipeline, &column.name) {
        finding = finding.at(place, format!("this is a {made}"));
    }
    Some(finding.help(format!(
        "write `cast(… as {}) as {}`, or declare `{made}`",
        column.data_type, column.name
    )))
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
