//! The arguments of functions: what they are turned into, and which must be alike.

use std::sync::Arc;

use datafusion::{
    arrow::datatypes::Field,
    common::DFSchema,
    logical_expr::{
        Expr, ExprSchemable,
        expr::{ScalarFunction, WindowFunction, WindowFunctionDefinition},
        type_coercion::functions::{UDFCoercionExt, fields_with_udf},
    },
};

use super::{
    Mixed, a,
    family::{Family, Side},
};
use crate::{
    compile::places,
    diagnostics::{Code, Finding},
};

/// Functions whose value is one of their arguments, which must be of one kind.
const CHOICES: &[&str] = &[
    "coalesce",
    "nvl",
    "ifnull",
    "nullif",
    "greatest",
    "least",
    "make_array",
];

/// Functions that look for their second argument among the items of the first.
const SEARCHES: &[&str] = &[
    "array_has",
    "array_position",
    "array_positions",
    "array_remove",
    "array_remove_all",
    "array_append",
];

impl Mixed<'_> {
    pub(super) fn scalar(&mut self, call: &ScalarFunction, schema: &DFSchema) {
        let name = call.func.name();
        if CHOICES.contains(&name) {
            self.alike(&format!("`{name}`"), call.args.iter(), schema);
        } else if name == "nvl2" {
            self.alike("`nvl2`", call.args.iter().skip(1), schema);
        } else if SEARCHES.contains(&name)
            && let [list, item, ..] = call.args.as_slice()
        {
            if let Some(items) = Side::of(list, schema).item() {
                self.pair(&format!("`{name}`"), items, Side::of(item, schema));
            }
        } else {
            self.arguments(call.func.as_ref(), &call.args, schema);
        }
    }

    pub(super) fn window(&mut self, call: &WindowFunction, schema: &DFSchema) {
        let args = &call.params.args;
        let name = call.fun.name().to_lowercase();
        if matches!(name.as_str(), "lag" | "lead")
            && let [value, _, default] = args.as_slice()
        {
            let default = Side::of(default, schema);
            self.pair(&format!("`{name}`"), Side::of(value, schema), default);
        }
        match &call.fun {
            WindowFunctionDefinition::AggregateUDF(func) => {
                self.arguments(func.as_ref(), args, schema);
            }
            WindowFunctionDefinition::WindowUDF(func) => {
                self.arguments(func.as_ref(), args, schema);
            }
        }
    }

    /// Refuses arguments that the function would turn into values of another kind.
    pub(super) fn arguments(
        &mut self,
        function: &impl UDFCoercionExt,
        args: &[Expr],
        schema: &DFSchema,
    ) {
        let types = args.iter().map(|arg| arg.get_type(schema).ok());
        let Some(types) = types.collect::<Option<Vec<_>>>() else {
            return;
        };
        let fields = types
            .into_iter()
            .map(|it| Arc::new(Field::new("", it, true)));
        // What it does not take the planner refuses.
        let Ok(taken) = fields_with_udf(&fields.collect::<Vec<_>>(), function) else {
            return;
        };
        for (arg, field) in args.iter().zip(taken) {
            let given = Side::of(arg, schema);
            let wanted = Side::typed(field.data_type().clone());
            if is_lossy(&given, wanted.family()) {
                self.argument(function.name(), &given, &wanted);
            }
        }
    }

    fn argument(&mut self, function: &str, given: &Side<'_>, wanted: &Side<'_>) {
        let (is, takes) = (given.type_name(), wanted.type_name());
        let what = format!("`{function}` takes {}, not {}", a(&takes), a(&is));
        let at = given.expr.and_then(|expr| places::of(expr, self.file));
        let at = at.or_else(|| self.file.word(function));
        let at = self
            .file
            .place(at.unwrap_or_else(|| self.file.first_token()));
        let help = match given.family() {
            Some(Family::List) => {
                "write `unnest(…)` for a row per item, or `array_to_string(…, ' ')`".to_owned()
            }
            _ => format!("write `cast(… as {takes})`"),
        };
        let finding = Finding::new(Code::MixedTypes, what).at(at, is).help(help);
        self.findings.push(finding);
    }
}

/// Says whether an argument becomes something else: a list or a struct a text, a text or a
/// boolean a number. A number as text is what is seen of it.
fn is_lossy(given: &Side<'_>, wanted: Option<Family>) -> bool {
    match (given.family(), wanted) {
        (Some(Family::List | Family::Struct), Some(Family::Text | Family::Number)) => true,
        (Some(Family::Text), Some(Family::Number | Family::Boolean)) => given.literal().is_none(),
        (Some(Family::Boolean), Some(Family::Number)) => true,
        _ => false,
    }
}
