//! `connected_components(a, b)`: the components of the graph whose edges are the
//! rows.
//!
//! Returns a list of `struct(node bigint, component bigint)`, one record per
//! node, by node; a component is named by its lowest node. An edge from a node to
//! itself makes a node; a row with a null end does not count; no rows make an
//! empty list.
//!
//! Union-find: next to constant time an edge. Memory grows with the nodes, some
//! 16 to 60 bytes each, not with the edges.

use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray, Int64Array},
        datatypes::{DataType, FieldRef, Int64Type},
    },
    common::{Result, ScalarValue},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
        utils::AggregateOrderSensitivity,
    },
};

use super::{
    arguments::{bigints, flattened, list_of_bigints, list_of_records, records},
    ids::Ids,
};
use crate::algorithms::union_find::UnionFind;

const RECORD: [&str; 2] = ["node", "component"];

/// Returns `connected_components`.
pub(super) fn connected_components() -> AggregateUDF {
    let signature = Signature::exact(vec![DataType::Int64; 2], Volatility::Immutable);
    ConnectedComponents { signature }.into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ConnectedComponents {
    signature: Signature,
}

impl AggregateUDFImpl for ConnectedComponents {
    fn name(&self) -> &str {
        "connected_components"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(records(&RECORD))
    }

    fn state_fields(&self, _: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(RECORD.map(bigints).to_vec())
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Components::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The graph so far: its nodes, numbered as they come, and their components.
#[derive(Debug, Default)]
struct Components {
    nodes: Ids,
    sets: UnionFind,
}

impl Components {
    fn number(&mut self, node: i64) -> u32 {
        let number = self.nodes.number(node);
        if number as usize == self.sets.len() {
            self.sets.push();
        }
        number
    }

    fn connect(&mut self, a: &Int64Array, b: &Int64Array) {
        for edge in a.iter().zip(b) {
            if let (Some(a), Some(b)) = edge {
                let (a, b) = (self.number(a), self.number(b));
                self.sets.union(a, b);
            }
        }
    }

    /// Returns the nodes, ascending, and the lowest node of each one's component.
    fn by_node(&mut self) -> (Vec<i64>, Vec<i64>) {
        let sets: Vec<u32> = (0..self.nodes.len() as u32)
            .map(|number| self.sets.find(number))
            .collect();
        let nodes = self.nodes.ids();
        let mut lowest = nodes.to_vec();
        for (&node, &set) in nodes.iter().zip(&sets) {
            lowest[set as usize] = lowest[set as usize].min(node);
        }
        let component = |(&node, &set): (&i64, &u32)| (node, lowest[set as usize]);
        let mut rows: Vec<_> = nodes.iter().zip(&sets).map(component).collect();
        rows.sort_unstable();
        rows.into_iter().unzip()
    }
}

impl Accumulator for Components {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (a, b) = (
            values[0].as_primitive::<Int64Type>(),
            values[1].as_primitive(),
        );
        self.connect(a, b);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.connect(&flattened(&states[0])?, &flattened(&states[1])?);
        Ok(())
    }

    /// A graph with an edge from each node to its component's lowest has the
    /// same components.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (nodes, components) = self.by_node();
        Ok(vec![list_of_bigints(nodes)?, list_of_bigints(components)?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (nodes, components) = self.by_node();
        list_of_records(&RECORD, vec![nodes, components])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.nodes.size() + self.sets.size()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use proptest::prelude::*;

    use super::*;

    fn columns(edges: &[(i64, i64)]) -> Vec<ArrayRef> {
        let (a, b): (Vec<_>, Vec<_>) = edges.iter().copied().unzip();
        vec![Arc::new(Int64Array::from(a)), Arc::new(Int64Array::from(b))]
    }

    /// Lowers each node's component to its neighbours' until nothing changes.
    fn expected(edges: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let mut component: BTreeMap<i64, i64> =
            edges.iter().flat_map(|&(a, b)| [(a, a), (b, b)]).collect();
        loop {
            let before = component.clone();
            for (a, b) in edges {
                let lowest = component[a].min(component[b]);
                component.insert(*a, lowest);
                component.insert(*b, lowest);
            }
            if component == before {
                return component.into_iter().collect();
            }
        }
    }

    proptest! {
        #[test]
        fn a_component_is_named_by_its_lowest_node_however_the_edges_arrive(
            edges in prop::collection::vec((-9i64..20, -9i64..20), 0..30), split in 0usize..30,
        ) {
            let (first, second) = edges.split_at(split.min(edges.len()));
            let (mut one, mut other) = (Components::default(), Components::default());
            one.update_batch(&columns(first)).unwrap();
            other.update_batch(&columns(second)).unwrap();
            let state = other.state().unwrap();
            let state: Vec<_> = state.iter().map(|list| list.to_array().unwrap()).collect();
            one.merge_batch(&state).unwrap();
            let (nodes, components) = one.by_node();
            let found: Vec<_> = nodes.into_iter().zip(components).collect();
            prop_assert_eq!(found, expected(&edges));
        }
    }

    #[test]
    fn an_edge_with_a_null_end_does_not_count() {
        let mut components = Components::default();
        components.connect(
            &Int64Array::from(vec![Some(1), None]),
            &Int64Array::from(vec![None, Some(2)]),
        );
        assert_eq!(components.by_node(), (vec![], vec![]));
    }
}
