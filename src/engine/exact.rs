//! Arithmetic that is right, or an error: what SQL means by `+` and `<`, where DataFusion
//! wraps around and rounds.
//!
//! - [`Doubles`] compares a double with a decimal as doubles. DataFusion would round the
//!   double to the decimal's digits, so that 0.7500000000000001 were not above 0.75.
//! - [`Checked`] makes `+`, `-` and `*` of whole numbers an error where the result is
//!   beyond their range, and `%` of decimals a remainder also by one; `/` of decimals
//!   rounds its last digit half away from zero, and does not cut it off.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{Array, ArrayRef, AsArray, Datum, Decimal128Array},
        compute::kernels::numeric::{add, div, mul, rem, sub},
        datatypes::{DataType, Decimal128Type, Field, FieldRef},
        error::ArrowError,
    },
    common::{
        DFSchema, Result, ScalarValue,
        config::ConfigOptions,
        exec_err, internal_err,
        tree_node::{Transformed, TreeNode},
    },
    logical_expr::type_coercion::binary::BinaryTypeCoercer,
    logical_expr::{
        Between, BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator,
        ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
        expr::InList, expr_rewriter::NamePreserver, utils::merge_schema,
    },
    optimizer::analyzer::AnalyzerRule,
};

/// Comparisons and arithmetic of doubles with decimals, before types are coerced.
#[derive(Debug)]
pub(super) struct Doubles;

impl AnalyzerRule for Doubles {
    fn name(&self) -> &str {
        "doubles"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewritten(plan, &|expr, schema| match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                let mut sides = [*left, *right];
                let changed = as_doubles(&mut sides, schema);
                let [left, right] = sides;
                let binary = BinaryExpr::new(Box::new(left), op, Box::new(right));
                (Expr::BinaryExpr(binary), changed)
            }
            Expr::Between(Between {
                expr,
                negated,
                low,
                high,
            }) => {
                let mut sides = [*expr, *low, *high];
                let changed = as_doubles(&mut sides, schema);
                let [expr, low, high] = sides.map(Box::new);
                (
                    Expr::Between(Between::new(expr, negated, low, high)),
                    changed,
                )
            }
            Expr::InList(InList {
                expr,
                list,
                negated,
            }) => {
                let mut sides = vec![*expr];
                sides.extend(list);
                let changed = as_doubles(&mut sides, schema);
                let list = sides.split_off(1);
                let expr = sides.into_iter().next().map(Box::new);
                let expr = expr.unwrap_or_else(|| Box::new(Expr::default()));
                (Expr::InList(InList::new(expr, list, negated)), changed)
            }
            other => (other, false),
        })
    }
}

/// Casts the decimals among some expressions to double, if a double is among them.
fn as_doubles(sides: &mut [Expr], schema: &DFSchema) -> bool {
    // What has no type yet the coercion finds.
    let types: Vec<_> = sides
        .iter()
        .map(|side| side.get_type(schema).ok())
        .collect();
    let is_double = |data_type: &Option<DataType>| {
        matches!(data_type, Some(DataType::Float32 | DataType::Float64))
    };
    if !types.iter().any(is_double) {
        return false;
    }
    let mut changed = false;
    for (side, data_type) in sides.iter_mut().zip(types) {
        if matches!(data_type, Some(data_type) if data_type.is_decimal()) {
            let decimal = std::mem::take(side);
            *side = Expr::Cast(Cast::new(Box::new(decimal), DataType::Float64));
            changed = true;
        }
    }
    changed
}

/// Arithmetic of whole numbers, after types are coerced.
#[derive(Debug)]
pub(super) struct Checked;

impl AnalyzerRule for Checked {
    fn name(&self) -> &str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        rewritten(plan, &|expr, schema| match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                match operation(&left, op, &right, schema) {
                    Some(operation) => (operation.of(*left, *right), true),
                    None => (Expr::BinaryExpr(BinaryExpr { left, op, right }), false),
                }
            }
            Expr::Negative(inner) => match inner.get_type(schema) {
                Ok(DataType::Int64) if !matches!(*inner, Expr::Literal(..)) => {
                    let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
                    (Operation::Subtract.of(zero, *inner), true)
                }
                _ => (Expr::Negative(inner), false),
            },
            other => (other, false),
        })
    }
}

fn operation(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Option<Operation> {
    let operation = match op {
        Operator::Plus => Operation::Add,
        Operator::Minus => Operation::Subtract,
        Operator::Multiply => Operation::Multiply,
        Operator::Modulo => Operation::Remainder,
        Operator::Divide => Operation::Divide,
        _ => return None,
    };
    let (left, right) = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
    let suits = match operation {
        // The optimiser takes any remainder by one for zero.
        Operation::Remainder => left.is_decimal() || left.is_floating(),
        Operation::Divide => is_divided(&left) && is_divided(&right),
        _ => left.is_integer(),
    };
    let may_differ = matches!(operation, Operation::Remainder | Operation::Divide);
    let same = left == right || (may_differ && right.is_decimal());
    (suits && same).then_some(operation)
}

fn is_divided(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(_, _))
}

/// Rewrites each expression of a plan bottom-up, and keeps the names of its columns.
fn rewritten(
    plan: LogicalPlan,
    rewrite: &dyn Fn(Expr, &DFSchema) -> (Expr, bool),
) -> Result<LogicalPlan> {
    let of_plan = |plan: LogicalPlan| {
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            let of_source = scan.source.schema();
            let own = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &of_source)?;
            schema.merge(&own);
        }
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| {
                let (expr, changed) = rewrite(expr, &schema);
                Ok(match changed {
                    true => Transformed::yes(expr),
                    false => Transformed::no(expr),
                })
            })?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?;
        match plan.transformed {
            true => plan.map_data(LogicalPlan::recompute_schema),
            false => Ok(plan),
        }
    };
    Ok(plan.transform_up_with_subqueries(of_plan)?.data)
}

/// An operation whose result may be out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Remainder,
    Divide,
}

impl Operation {
    fn of(self, left: Expr, right: Expr) -> Expr {
        let signature = Signature::any(2, Volatility::Immutable);
        let function = ScalarUDF::from(Arithmetic {
            operation: self,
            signature,
        });
        Arc::new(function).call(vec![left, right])
    }

    fn sign(self) -> char {
        match self {
            Operation::Add => '+',
            Operation::Subtract => '-',
            Operation::Multiply => '*',
            Operation::Remainder => '%',
            Operation::Divide => '/',
        }
    }
}

/// `left op right` on arrays of one type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
            Operation::Remainder => "remainder",
            Operation::Divide => "divide",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match (arguments, self.operation) {
            ([left, right], Operation::Remainder) => {
                BinaryTypeCoercer::new(left, &Operator::Modulo, right).get_result_type()
            }
            ([left, right], Operation::Divide) => {
                BinaryTypeCoercer::new(left, &Operator::Divide, right).get_result_type()
            }
            ([left, right], _) if left == right => Ok(left.clone()),
            _ => internal_err!("{} of {arguments:?}", self.name()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields = arguments.arg_fields;
        let types: Vec<DataType> = fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let nullable = fields.iter().any(|field| field.is_nullable());
        let field = Field::new(self.name(), self.return_type(&types)?, nullable);
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let kernel = match self.operation {
            Operation::Add => add,
            Operation::Subtract => sub,
            Operation::Multiply => mul,
            Operation::Remainder => rem,
            Operation::Divide => quotient,
        };
        let result = match given.args.as_slice() {
            [ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)] => {
                let result = kernel(&left.to_scalar()?, &right.to_scalar()?);
                let result = result.map_err(|error| self.out_of_range(error))?;
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                    &result, 0,
                )?));
            }
            [ColumnarValue::Array(left), ColumnarValue::Array(right)] => kernel(left, right),
            [ColumnarValue::Array(left), ColumnarValue::Scalar(right)] => {
                kernel(left, &right.to_scalar()?)
            }
            [ColumnarValue::Scalar(left), ColumnarValue::Array(right)] => {
                kernel(&left.to_scalar()?, right)
            }
            _ => return exec_err!("{} takes two values", self.name()),
        };
        let result = result.map_err(|error| self.out_of_range(error))?;
        Ok(ColumnarValue::Array(result))
    }
}

impl Arithmetic {
    fn out_of_range(&self, error: ArrowError) -> datafusion::error::DataFusionError {
        match error {
            ArrowError::ArithmeticOverflow(what) => {
                // `Overflow happened on: 9223372036854775807 + 1`
                let what = what
                    .rsplit_once(": ")
                    .map_or(what.as_str(), |(_, what)| what);
                datafusion::common::exec_datafusion_err!(
                    "{what} is beyond the range of its type; cast to a decimal before `{}`",
                    self.operation.sign()
                )
            }
            other => other.into(),
        }
    }
}

/// Divides decimals as Arrow does, which cuts the last digit off, and rounds that digit half
/// away from zero by what is left of each division.
fn quotient(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let cut_off = div(left, right)?;
    let ((left, one_left), (right, one_right)) = (left.get(), right.get());
    let (
        &DataType::Decimal128(_, left_scale),
        &DataType::Decimal128(_, right_scale),
        &DataType::Decimal128(_, scale),
    ) = (left.data_type(), right.data_type(), cut_off.data_type())
    else {
        return Ok(cut_off);
    };
    let power = i32::from(scale) - i32::from(left_scale) + i32::from(right_scale);
    let by = |power: i32| 10i128.pow(power.max(0).unsigned_abs());
    let (raised_left, raised_right) = (by(power), by(-power));
    let lefts = left.as_primitive::<Decimal128Type>();
    let rights = right.as_primitive::<Decimal128Type>();
    let quotients = cut_off.as_primitive::<Decimal128Type>();
    let rounded = quotients.iter().enumerate().map(|(row, quotient)| {
        let dividend = lefts.value(if one_left { 0 } else { row });
        let divisor = rights.value(if one_right { 0 } else { row });
        // Neither product is beyond its range: Arrow has checked both.
        quotient.map(|it| it + away(dividend * raised_left, divisor * raised_right))
    });
    let rounded: Decimal128Array = rounded.collect();
    Ok(Arc::new(
        rounded.with_data_type(cut_off.data_type().clone()),
    ))
}

/// Returns what rounding adds to a quotient that was cut off: 1, -1 or 0.
fn away(dividend: i128, divisor: i128) -> i128 {
    let (left, whole) = ((dividend % divisor).unsigned_abs(), divisor.unsigned_abs());
    match left >= whole - left {
        true => dividend.signum() * divisor.signum(),
        false => 0,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::display::array_value_to_string;

    use crate::{config::EngineConfig, engine::session};

    async fn first(sql: &str) -> Result<String, String> {
        let context = session(&EngineConfig::default()).unwrap();
        let frame = context.sql(sql).await.map_err(|error| error.to_string())?;
        let batches = frame.collect().await.map_err(|error| error.to_string())?;
        let batch = batches.iter().find(|batch| batch.num_rows() > 0);
        Ok(batch.map_or_else(String::new, |batch| {
            array_value_to_string(batch.column(0), 0).unwrap()
        }))
    }

    #[tokio::test]
    async fn a_whole_number_beyond_its_range_is_an_error() {
        let max = "(values (9223372036854775807)) t(x)";
        for expression in [
            "x + 1",
            "1 + x",
            "x - (-1)",
            "x * 2",
            "(x - 1) * x",
            "9223372036854775807 + 1",
            "-(-x - 1)",
            "x + cast(1 as int)",
        ] {
            let error = first(&format!("select {expression} from {max}"))
                .await
                .unwrap_err();
            assert!(error.contains("beyond the range"), "{expression}: {error}");
            let filtered = format!("select x from {max} where {expression} > 0");
            assert!(first(&filtered).await.is_err(), "{expression}");
        }
    }

    #[tokio::test]
    async fn what_is_in_range_is_computed_as_before() {
        for (sql, value) in [
            ("select x + 1 from (values (1)) t(x)", "2"),
            ("select x - y from (values (1, 3)) t(x, y)", "-2"),
            ("select -x from (values (5)) t(x)", "-5"),
            ("select x * x from (values (3)) t(x)", "9"),
            ("select x + null from (values (3)) t(x)", ""),
            ("select x + 1 from (values (1.5)) t(x)", "2.5"),
            ("select sum(x * 2) from (values (1), (2)) t(x)", "6"),
            ("select count(*) + 1 from (values (1), (2)) t(x)", "3"),
            (
                "select row_number() over (order by x) + 1 from (values (1)) t(x)",
                "2",
            ),
            ("select x from (values (1), (2)) t(x) order by x * -1", "2"),
            ("select x % 1 from (values (1.5)) t(x)", "0.5"),
            (
                "select x % 1.0 from (values (cast(1.5 as double))) t(x)",
                "0.5",
            ),
            ("select x % 2 from (values (7)) t(x)", "1"),
            ("select x / 2 from (values (7)) t(x)", "3"),
        ] {
            assert_eq!(first(sql).await.unwrap(), value, "{sql}");
        }
    }

    #[tokio::test]
    async fn a_quotient_of_decimals_is_rounded() {
        let rows = "(values (2.00, 3.00), (-2.00, 3.00), (1.00, 8.00), (null, 3.00)) t(x, y)";
        for (expression, value) in [
            ("max(x / y)", "0.666667"),
            ("min(x / y)", "-0.666667"),
            ("max(x / 3)", "0.666667"),
            ("max(2.00 / y)", "0.666667"),
            ("max(x / y * 3.00)", "2.00000100"),
            ("min(abs(x) / 8.00)", "0.125000"),
            ("2.0 / 3", "0.66667"),
            ("cast(x as double) / 3", "0.6666666666666666"),
        ] {
            let sql = format!("select {expression} from {rows} limit 1");
            assert_eq!(first(&sql).await.unwrap(), value, "{sql}");
        }
        let wide = "select cast(2 as decimal(38,2)) / cast(3 as decimal(10,2))";
        assert_eq!(first(wide).await.unwrap(), "0.666667");
        let halves = "select x / y from (values (1.000, 16000.00)) t(x, y)";
        assert_eq!(first(halves).await.unwrap(), "0.0000625");
        for (dividend, divisor, added) in [
            (1, 2, 1),
            (-1, 2, -1),
            (1, -2, -1),
            (1, 3, 0),
            (2, 3, 1),
            (4, 2, 0),
            (i128::MAX, i128::MAX - 1, 0),
        ] {
            assert_eq!(
                super::away(dividend, divisor),
                added,
                "{dividend}/{divisor}"
            );
        }
        assert!(first("select 2.00 / 0.00").await.is_err());
    }

    #[tokio::test]
    async fn a_double_is_compared_with_a_decimal_as_it_is() {
        let above = "(values (cast('0.7500000000000001' as double))) t(x)";
        for (condition, holds) in [
            ("x > 0.75", true),
            ("0.75 < x", true),
            ("x = 0.75", false),
            ("x <> 0.75", true),
            ("x between 0.70 and 0.75", false),
            ("x in (0.75, 0.8)", false),
            ("x < 1e20", true),
            ("x < 100000000000000000000000000000000000000.0", true),
            ("x * 1.0 > 0.75", true),
        ] {
            let sql = format!("select {condition} from {above}");
            assert_eq!(first(&sql).await.unwrap(), holds.to_string(), "{condition}");
        }
        let not_a_number = "select x > 1.5 from (values (cast('nan' as double))) t(x)";
        assert_eq!(first(not_a_number).await.unwrap(), "true");
    }

    #[tokio::test]
    async fn names_of_columns_stay() {
        let context = session(&EngineConfig::default()).unwrap();
        let sql = "select x + 1, sum(x * 2) from (values (1)) t(x) group by x + 1";
        let frame = context.sql(sql).await.unwrap();
        let batches = frame.collect().await.unwrap();
        let schema = batches[0].schema();
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, ["t.x + Int64(1)", "sum(t.x * Int64(2))"]);
    }
}
