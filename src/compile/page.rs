//! A model that fills a page: its columns become one, the page.
//!
//! In come a model's plan and its template; out comes a plan with the columns of the
//! model's grain and the page, named `html` or `svg`. A slot without a column and a
//! column without a slot are found here, each in its own file. Nothing here reads a row.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, AsArray, StringArray, StringBuilder},
        compute::{can_cast_types, cast},
        datatypes::{DataType, Field, FieldRef},
    },
    common::{Column, Result as Planned, TableReference, exec_err},
    logical_expr::{
        ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ReturnFieldArgs, ScalarFunctionArgs,
        ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
    },
};

use crate::{
    diagnostics::{Code, Finding},
    engine::{Error, Result},
    functions::escaped_html,
    pipeline::{Part, Slot, SqlFile, Template},
};

/// Returns the plan of a model's page; of a model that is none, its own.
///
/// # Errors
///
/// Finds slots that no column fills, and columns that fill no slot.
pub(super) fn filled(plan: LogicalPlan, file: &SqlFile) -> Result<LogicalPlan> {
    let Some(template) = file.template() else {
        return Ok(plan);
    };
    let columns: Vec<(Column, DataType)> = plan.schema().iter().map(of_field).collect();
    let grain = file.grain();
    let kept = grain.as_ref().map_or(Vec::new(), |grain| grain.names());
    let mut findings = empty_slots(template, &columns);
    findings.extend(lost_columns(template, file, &columns, &kept));
    if !findings.is_empty() {
        return Err(Error::invalid(findings));
    }
    let column = |name: &str| {
        let found = columns.iter().find(|(column, _)| column.name == name);
        found.map(|(column, _)| Expr::Column(column.clone()))
    };
    let names = slot_names(template);
    let page = ScalarUDF::from(Fill::new(template, names.clone()));
    let page = page.call(names.iter().filter_map(|name| column(name)).collect());
    let page = page.alias(template.column());
    let kept = kept.iter().filter_map(|name| column(name));
    let plan = LogicalPlanBuilder::from(plan).project(kept.chain([page]));
    let plan = plan.and_then(LogicalPlanBuilder::build);
    plan.map_err(|error| Error::run(&template.source().path.to_string_lossy(), error))
}

fn of_field((qualifier, field): (Option<&TableReference>, &FieldRef)) -> (Column, DataType) {
    let column = Column::new(qualifier.cloned(), field.name());
    (column, field.data_type().clone())
}

/// Returns the names of the slots, each once.
fn slot_names(template: &Template) -> Vec<String> {
    let mut names: Vec<String> = template.slots().map(|slot| slot.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Finds the slots that no column fills, and those whose column is no text.
fn empty_slots(template: &Template, columns: &[(Column, DataType)]) -> Vec<Finding> {
    let names: Vec<&str> = columns.iter().map(|(column, _)| column.name()).collect();
    let finding = |slot: &Slot| {
        let at = template.source().place(slot.span.clone());
        let mut columns = columns.iter();
        let Some((_, data_type)) = columns.find(|(column, _)| column.name == slot.name) else {
            let what = format!("the model has no column `{}`", slot.name);
            let otherwise = format!("its columns are {}", names.join(", "));
            let finding = Finding::new(Code::BadTemplate, what).at(at, "nothing fills it");
            return Some(finding.suggest(&slot.name, &names, otherwise));
        };
        if can_cast_types(data_type, &DataType::Utf8) && !data_type.is_nested() {
            return None;
        }
        let what = format!("`{}` is a list or a struct, and no text", slot.name);
        let finding = Finding::new(Code::BadTemplate, what).at(at, "cannot be written");
        Some(finding.help("make it a text in the model"))
    };
    template.slots().filter_map(finding).collect()
}

/// Finds the columns that fill no slot and are not of the grain.
fn lost_columns(
    template: &Template,
    file: &SqlFile,
    columns: &[(Column, DataType)],
    kept: &[&str],
) -> Vec<Finding> {
    let page = template.source().path.display();
    let names = columns.iter().map(|(column, _)| column.name());
    let is_used = |name: &str| template.slots().any(|slot| slot.name == name);
    let lost = names.filter(|name| !is_used(name) && !kept.contains(name));
    lost.map(|name| {
        let at = file.selected(name).into_iter().next_back();
        let at = file.place(at.unwrap_or_else(|| file.first_token()));
        let what = format!("{page} has no slot `{name}`");
        let otherwise = format!("write `{{{{ {name} }}}}` in the template, or drop the column");
        let slots = template.slots().map(|slot| slot.name.as_str());
        Finding::new(Code::BadTemplate, what)
            .at(at, "goes nowhere")
            .suggest(name, slots, otherwise)
    })
    .collect()
}

/// The function that fills a page with a row's values, in the order of `names`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Fill {
    template: Arc<Template>,
    names: Vec<String>,
    signature: Signature,
}

impl Fill {
    fn new(template: &Arc<Template>, names: Vec<String>) -> Fill {
        let types = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        Fill {
            template: Arc::clone(template),
            names,
            signature: Signature::one_of(types, Volatility::Immutable),
        }
    }

    /// Appends a row's page.
    fn row(&self, values: &[StringArray], row: usize, page: &mut String) -> Planned<()> {
        for part in self.template.parts() {
            let slot = match part {
                Part::Text(span) => {
                    page.push_str(&self.template.source().text[span.clone()]);
                    continue;
                }
                Part::Slot(slot) => slot,
            };
            let column = self.names.iter().position(|name| *name == slot.name);
            let Some(values) = column.and_then(|column| values.get(column)) else {
                return exec_err!("nothing fills the slot {}", slot.name);
            };
            match values.is_valid(row).then(|| values.value(row)) {
                Some(value) if slot.is_safe => page.push_str(value),
                Some(value) => page.push_str(&escaped_html(value)),
                None => {}
            }
        }
        Ok(())
    }
}

impl ScalarUDFImpl for Fill {
    fn name(&self) -> &str {
        "fill_page"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Planned<DataType> {
        Ok(DataType::Utf8)
    }

    /// A page is never null: a value that is null leaves its slot empty.
    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Planned<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), DataType::Utf8, false)))
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Planned<ColumnarValue> {
        let mut values = Vec::with_capacity(given.args.len());
        for value in &given.args {
            let text = cast(&value.to_array(given.number_rows)?, &DataType::Utf8)?;
            values.push(text.as_string::<i32>().clone());
        }
        let mut pages = StringBuilder::new();
        let mut page = String::new();
        for row in 0..given.number_rows {
            page.clear();
            self.row(&values, row, &mut page)?;
            pages.append_value(&page);
        }
        Ok(ColumnarValue::Array(Arc::new(pages.finish())))
    }
}
