//! `avg(x)`: DataFusion's, except that the mean of decimals is rounded and not cut off.
//!
//! DataFusion computes one more digit, and the last is rounded half away from zero. Null of
//! no rows. Memory: DataFusion's.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, BooleanArray},
        compute::cast,
        datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef},
    },
    common::{Result, ScalarValue},
    functions_aggregate::average::avg_udaf,
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator,
        ReversedUDAF, Signature,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};

/// Returns `avg`.
pub(super) fn avg() -> AggregateUDF {
    Avg { given: avg_udaf() }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Avg {
    given: Arc<AggregateUDF>,
}

/// Returns a mean's type with one digit more, where there is one more.
fn finer(mean: &DataType) -> Option<DataType> {
    match *mean {
        DataType::Decimal128(precision, scale) if precision < DECIMAL128_MAX_PRECISION => {
            Some(DataType::Decimal128(precision + 1, scale + 1))
        }
        _ => None,
    }
}

/// Returns the arguments of a mean with one digit more.
fn with_one_more<'a>(arguments: AccumulatorArgs<'a>, finer: DataType) -> AccumulatorArgs<'a> {
    AccumulatorArgs {
        return_field: Arc::new(Field::new("mean", finer, true)),
        ..arguments
    }
}

impl AggregateUDFImpl for Avg {
    fn name(&self) -> &str {
        self.given.name()
    }

    fn aliases(&self) -> &[String] {
        self.given.aliases()
    }

    fn signature(&self) -> &Signature {
        self.given.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.given.return_type(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let mean = arguments.return_type().clone();
        let Some(finer) = finer(&mean) else {
            return self.given.accumulator(arguments);
        };
        let given = self.given.accumulator(with_one_more(arguments, finer))?;
        Ok(Box::new(Rounded { given, mean }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.given.state_fields(arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.given.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let mean = arguments.return_type().clone();
        let Some(finer) = finer(&mean) else {
            return self.given.create_groups_accumulator(arguments);
        };
        let arguments = with_one_more(arguments, finer);
        let given = self.given.create_groups_accumulator(arguments)?;
        Ok(Box::new(Rounded { given, mean }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.given.documentation()
    }
}

/// An accumulator of means with one digit more than `mean` has.
#[derive(Debug)]
struct Rounded<A: ?Sized> {
    mean: DataType,
    given: Box<A>,
}

impl Accumulator for Rounded<dyn Accumulator> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.given.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.given.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.given.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.given.evaluate()?.cast_to(&self.mean)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.given.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.given.merge_batch(states)
    }

    fn size(&self) -> usize {
        self.given.size()
    }
}

impl GroupsAccumulator for Rounded<dyn GroupsAccumulator> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.given.update_batch(values, groups, filter, count)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(cast(&self.given.evaluate(emit_to)?, &self.mean)?)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.given.state(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.given.merge_batch(states, groups, count)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.given.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.given.size()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::display::array_value_to_string;

    use crate::{config::EngineConfig, engine::session};

    async fn first(sql: &str) -> String {
        let context = session(&EngineConfig::default()).unwrap();
        let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
        array_value_to_string(batch.column(0), 0).unwrap()
    }

    #[tokio::test]
    async fn the_mean_of_decimals_is_rounded_in_every_form() {
        let prices = "(values (1, 1.99), (1, 2.49), (1, 2.29), (1, null)) t(k, x)";
        for (sql, mean) in [
            ("select avg(x)", "2.256667"),
            ("select mean(x)", "2.256667"),
            ("select avg(-x)", "-2.256667"),
            ("select avg(distinct x)", "2.256667"),
            ("select avg(x) filter (where x > 2)", "2.390000"),
            ("select avg(x) filter (where x > 5)", ""),
            ("select avg(x) over ()", "2.256667"),
            (
                "select avg(x) over (order by x rows between 1 preceding and current row)",
                "1.990000",
            ),
            ("select avg(cast(x as double))", "2.256666666666667"),
        ] {
            let sql = format!("{sql} from {prices}");
            assert_eq!(first(&sql).await, mean, "{sql}");
        }
        let grouped = format!("select avg(x) from {prices} group by k");
        assert_eq!(first(&grouped).await, "2.256667");
    }
}
