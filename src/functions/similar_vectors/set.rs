//! The rows of a set, by id, as they are compared.

use datafusion::{
    arrow::{
        array::{Array, AsArray, ListArray, StructArray},
        datatypes::{Float32Type, Int64Type},
    },
    common::{Result, exec_err},
};

use super::{NAME, score};

/// The rows of a set. A row's number is its place by id.
pub(super) struct Set {
    /// By row.
    pub(super) ids: Vec<i64>,
    /// How many numbers a vector has.
    pub(super) dimension: usize,
    /// The squares of the vectors' lengths, by row.
    pub(super) squares: Vec<f64>,
    /// By row, where it was given.
    places: Vec<u32>,
    vectors: ListArray,
    within: ListArray,
    without: ListArray,
    settled: ListArray,
}

impl Set {
    /// Reads the rows of a set.
    ///
    /// # Errors
    ///
    /// Returns an error that names the id when an id comes twice, or a vector is longer
    /// than another or contains a value that is not a number.
    pub(super) fn of(rows: &StructArray) -> Result<Set> {
        let [ids, vectors, within, without, settled] = rows.columns() else {
            return exec_err!("{NAME} takes the result of vector_set");
        };
        let given = ids.as_primitive::<Int64Type>().values();
        let mut places: Vec<u32> = (0..rows.len() as u32).collect();
        places.sort_unstable_by_key(|&place| given[place as usize]);
        let vectors = vectors.as_list::<i32>().clone();
        let mut set = Set {
            ids: places.iter().map(|&place| given[place as usize]).collect(),
            dimension: if vectors.is_empty() {
                0
            } else {
                vectors.value_length(0) as usize
            },
            squares: Vec::new(),
            places,
            vectors,
            within: numbers(within, "within")?,
            without: numbers(without, "without")?,
            settled: numbers(settled, "settled")?,
        };
        set.verify()?;
        set.squares = (0..set.len())
            .map(|row| score::squares(set.vector(row)))
            .collect();
        Ok(set)
    }

    /// Returns how many rows there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns a row's vector.
    pub(super) fn vector(&self, row: usize) -> &[f32] {
        let place = self.places[row] as usize;
        let numbers = self.vectors.values().as_primitive::<Float32Type>().values();
        let offsets = self.vectors.value_offsets();
        &numbers[offsets[place] as usize..offsets[place + 1] as usize]
    }

    /// Returns the blocks that a row is in.
    pub(super) fn within(&self, row: usize) -> &[i64] {
        self.numbers(&self.within, row)
    }

    /// Returns whether two rows are not to be paired.
    pub(super) fn apart(&self, a: usize, b: usize) -> bool {
        let [settled_a, settled_b] = [a, b].map(|row| self.numbers(&self.settled, row));
        self.squares[a] == 0.0
            || self.squares[b] == 0.0
            || settled_a.contains(&self.ids[b])
            || settled_b.contains(&self.ids[a])
            || share(
                self.numbers(&self.without, a),
                self.numbers(&self.without, b),
            )
    }

    /// Returns the lowest block that two rows have in common.
    pub(super) fn first_common(&self, a: usize, b: usize) -> Option<i64> {
        let b = self.within(b);
        let common = self.within(a).iter().filter(|number| b.contains(number));
        common.min().copied()
    }

    fn numbers<'s>(&'s self, lists: &'s ListArray, row: usize) -> &'s [i64] {
        let place = self.places[row] as usize;
        if lists.is_null(place) {
            return &[];
        }
        let offsets = lists.value_offsets();
        let numbers = lists.values().as_primitive::<Int64Type>().values();
        &numbers[offsets[place] as usize..offsets[place + 1] as usize]
    }

    fn verify(&self) -> Result<()> {
        if let Some(twice) = self.ids.windows(2).find(|ids| ids[0] == ids[1]) {
            return exec_err!("{NAME}: the id {} occurs twice in a set", twice[0]);
        }
        for (row, id) in self.ids.iter().enumerate() {
            let vector = self.vector(row);
            if vector.len() != self.dimension {
                let (is, other) = (vector.len(), self.dimension);
                return exec_err!(
                    "{NAME}: the vector of {id} has {is} numbers, and another {other}"
                );
            }
            if !vector.iter().all(|number| number.is_finite()) {
                return exec_err!(
                    "{NAME}: the vector of {id} contains a value that is not a number"
                );
            }
        }
        Ok(())
    }
}

fn numbers(lists: &dyn Array, column: &str) -> Result<ListArray> {
    let lists = lists.as_list::<i32>().clone();
    match lists.values().null_count() {
        0 => Ok(lists),
        _ => exec_err!("{NAME}: a list of {column} contains a null"),
    }
}

fn share(a: &[i64], b: &[i64]) -> bool {
    a.iter().any(|number| b.contains(number))
}
