//! `name_list(id, name)`: the names of a group in one list; what `similar_names` compares.
//!
//! A list of `struct(id bigint, name text)`, by id, then name; rows with a null do not
//! count; no rows make an empty list. Like an ordered `array_agg` of structs, in a tenth of
//! the memory: the bytes of the names and 24 a name.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringBuilder,
            StructArray,
        },
        buffer::OffsetBuffer,
        datatypes::{DataType, Field, FieldRef, Fields, Int64Type},
    },
    common::{Result, ScalarValue, exec_err},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature,
        Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

const NAME: &str = "name_list";

/// Returns `name_list`.
pub(super) fn name_list() -> AggregateUDF {
    let signature = Signature::exact(vec![DataType::Int64, DataType::Utf8], Volatility::Immutable);
    NameList { signature }.into()
}

/// Returns the type of a list of names.
pub(super) fn name_list_type() -> DataType {
    DataType::List(item())
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields()), true))
}

fn fields() -> Fields {
    let id = Field::new("id", DataType::Int64, true);
    let name = Field::new("name", DataType::Utf8, true);
    Fields::from(vec![id, name])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NameList {
    signature: Signature,
}

impl AggregateUDFImpl for NameList {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(name_list_type())
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[names]", arguments.name);
        Ok(vec![Arc::new(Field::new(name, name_list_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneList(Lists::of_groups(1))))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Lists::of_groups(0)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The names of all groups, as they come.
#[derive(Debug)]
struct Lists {
    rows: Vec<Row>,
    text: String,
    groups: usize,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    group: u32,
    id: i64,
    /// Where its name ends; it begins where that of the row before ends.
    end: usize,
}

impl Lists {
    fn of_groups(groups: usize) -> Self {
        Lists {
            rows: Vec::new(),
            text: String::new(),
            groups,
        }
    }

    fn push(&mut self, group: usize, id: i64, name: &str) {
        self.text.push_str(name);
        let (group, end) = (group as u32, self.text.len());
        self.rows.push(Row { group, id, end });
    }

    fn add(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>) {
        let names = values[1].as_string::<i32>();
        let ids = values[0].as_primitive::<Int64Type>();
        let passes =
            |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, (id, name)) in ids.iter().zip(names).enumerate() {
            if let (Some(id), Some(name), true) = (id, name, passes(row)) {
                self.push(groups[row], id, name);
            }
        }
    }

    fn merge(&mut self, state: &ArrayRef, groups: &[usize]) -> Result<()> {
        let Some(lists) = state.as_list_opt::<i32>() else {
            return exec_err!("a state of {NAME} is a list, not {}", state.data_type());
        };
        for (list, group) in lists.iter().zip(groups) {
            let Some(list) = list else { continue };
            let groups = vec![*group; list.len()];
            self.add(list.as_struct().columns(), &groups, None);
        }
        Ok(())
    }

    /// Returns the rows of groups below `groups`, and keeps the others, under numbers that
    /// begin with 0 again.
    fn take(&mut self, emit_to: EmitTo) -> Result<ListArray> {
        let all = std::mem::replace(self, Lists::of_groups(0));
        let first = match emit_to {
            EmitTo::All => all.groups,
            EmitTo::First(first) => first,
        };
        let mut taken = Lists::of_groups(first);
        self.groups = all.groups - first;
        for (row, name) in all.named() {
            match (row.group as usize).checked_sub(first) {
                None => taken.push(row.group as usize, row.id, name),
                Some(group) => self.push(group, row.id, name),
            }
        }
        taken.column()
    }

    fn named(&self) -> impl Iterator<Item = (Row, &str)> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let name = &self.text[start..row.end];
            start = row.end;
            (*row, name)
        })
    }

    /// Returns the lists, by group; of each the rows by id, then name.
    fn column(&self) -> Result<ListArray> {
        if i32::try_from(self.text.len().max(self.rows.len())).is_err() {
            return exec_err!("{NAME}: more than 2 GiB of names");
        }
        let mut rows: Vec<(Row, &str)> = self.named().collect();
        rows.sort_unstable_by_key(|(row, name)| (row.group, row.id, *name));
        let mut lengths = vec![0; self.groups];
        let mut names = StringBuilder::with_capacity(rows.len(), self.text.len());
        for (row, name) in &rows {
            lengths[row.group as usize] += 1;
            names.append_value(name);
        }
        let ids = Int64Array::from_iter_values(rows.iter().map(|(row, _)| row.id));
        let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(names.finish())];
        let rows = StructArray::try_new(fields(), columns, None)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(ListArray::try_new(item(), offsets, Arc::new(rows), None)?)
    }
}

impl GroupsAccumulator for Lists {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups = total_num_groups;
        self.add(values, group_indices, filter);
        Ok(())
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups = total_num_groups;
        self.merge(&states[0], group_indices)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.take(emit_to)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(self.take(emit_to)?)])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        // A group of its own for each row.
        let groups: Vec<usize> = (0..values[0].len()).collect();
        let mut lists = Lists::of_groups(groups.len());
        lists.add(values, &groups, filter);
        lists.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.text.capacity()
    }
}

/// The one list where nothing is grouped.
#[derive(Debug)]
struct OneList(Lists);

impl Accumulator for OneList {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.add(values, &vec![0; values[0].len()], None);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(&states[0], &vec![0; states[0].len()])
    }

    /// Keeps the names: a window evaluates again and again.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::List(Arc::new(self.0.column()?)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + GroupsAccumulator::size(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::arrow::array::StringArray;
    use proptest::prelude::*;

    use super::*;

    /// group, id, name
    type Given = (usize, Option<i64>, Option<String>);

    fn columns(rows: &[Given]) -> (Vec<ArrayRef>, Vec<usize>) {
        let ids: Int64Array = rows.iter().map(|row| row.1).collect();
        let names: StringArray = rows.iter().map(|row| row.2.as_deref()).collect();
        let groups = rows.iter().map(|row| row.0).collect();
        (vec![Arc::new(ids), Arc::new(names)], groups)
    }

    fn named(lists: &ArrayRef) -> Vec<Vec<(i64, String)>> {
        let of_list = |list: Option<ArrayRef>| {
            let list = list.unwrap();
            let rows = list.as_struct();
            let ids = rows.column(0).as_primitive::<Int64Type>().iter().flatten();
            let names = rows.column(1).as_string::<i32>().iter().flatten();
            ids.zip(names.map(str::to_owned)).collect()
        };
        lists.as_list::<i32>().iter().map(of_list).collect()
    }

    fn rows() -> impl Strategy<Value = Vec<Given>> {
        let row = (
            0usize..4,
            prop::option::weighted(0.9, -3i64..9),
            prop::option::weighted(0.9, "[ač]{0,3}"),
        );
        prop::collection::vec(row, 0..30)
    }

    proptest! {
        #[test]
        fn a_group_has_its_names_in_order_however_they_arrive(first in rows(), second in rows(), at_once in 0usize..5) {
            let mut expected: BTreeMap<usize, Vec<(i64, String)>> = (0..4).map(|group| (group, vec![])).collect();
            for (group, id, name) in first.iter().chain(&second) {
                if let (Some(id), Some(name)) = (id, name) {
                    expected.get_mut(group).unwrap().push((*id, name.clone()));
                }
            }
            expected.values_mut().for_each(|names| names.sort());
            let (mut one, mut other) = (Lists::of_groups(0), Lists::of_groups(0));
            let (values, groups) = columns(&first);
            one.update_batch(&values, &groups, None, 4).unwrap();
            let (values, groups) = columns(&second);
            other.update_batch(&values, &groups, None, 4).unwrap();
            let state = other.state(EmitTo::All).unwrap();
            one.merge_batch(&state, &[0, 1, 2, 3], 4).unwrap();
            let mut found = named(&one.evaluate(EmitTo::First(at_once.min(4))).unwrap());
            found.extend(named(&one.evaluate(EmitTo::All).unwrap()));
            prop_assert_eq!(found, expected.into_values().collect::<Vec<_>>());
        }
    }
}
