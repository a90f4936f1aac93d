//! Whatever way prices take into a matrix, those that count are in it.

use std::{collections::BTreeMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, BooleanArray, Decimal128Array, Int64Array},
        buffer::Buffer,
    },
    common::Result,
    logical_expr::{EmitTo, GroupsAccumulator},
};
use proptest::prelude::*;

use super::{accumulator::Matrices, dictionary::Dictionary, piece::Piece, pieces::of_column};

/// store, product, price
pub(crate) type Row = (i64, i64, i64);

const ALL: EmitTo = EmitTo::All;

/// Returns the matrix of prices that come in parts, each through another operator.
pub(crate) fn matrix_of(parts: &[Vec<Row>]) -> Vec<Buffer> {
    let mut last = Matrices::new();
    for part in parts {
        let mut first = Matrices::new();
        let groups = vec![0; part.len()];
        first
            .update_batch(&columns(part), &groups, None, 1)
            .unwrap();
        last.merge_batch(&first.state(ALL).unwrap(), &[0], 1)
            .unwrap();
    }
    let matrices = last.evaluate(ALL).unwrap();
    of_column(&matrices)
        .unwrap()
        .into_iter()
        .next()
        .unwrap_or_default()
}

/// Returns rows of a few stores and products, with duplicates, in no order.
pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let price = prop::sample::select(vec![500, 500, 500, 700, -1, i64::MAX]);
    prop::collection::vec((-3i64..9, -2i64..14, price), 0..300)
}

fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    let column = |of: fn(&Row) -> i64| -> ArrayRef {
        Arc::new(rows.iter().map(of).map(Some).collect::<Int64Array>())
    };
    vec![
        column(|row| row.0),
        column(|row| row.1),
        column(|row| row.2),
    ]
}

/// The prices that count, by store and product.
fn expected<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<(i64, i64), i64> {
    let mut standing = BTreeMap::new();
    for &(store, product, price) in rows {
        let stands = standing.entry((store, product)).or_insert(price);
        *stands = price.min(*stands);
    }
    standing
}

fn found(pieces: &[Buffer]) -> BTreeMap<(i64, i64), i64> {
    let mut rows = Vec::new();
    for piece in pieces {
        let piece = Piece::open(piece).unwrap();
        let stores: Vec<i64> = piece.stores().collect();
        for product in &piece.products {
            product.each_code(|store, code| {
                rows.push((stores[store], product.id, product.price(code)));
            });
        }
    }
    expected(&rows)
}

fn of_groups(column: &ArrayRef) -> Vec<BTreeMap<(i64, i64), i64>> {
    of_column(column)
        .unwrap()
        .iter()
        .map(|pieces| found(pieces))
        .collect()
}

proptest! {
    #[test]
    fn the_prices_that_stand_are_there_whatever_way_they_come(
        parts in prop::collection::vec(rows(), 0..4), is_sorted: bool,
    ) {
        let mut parts = parts;
        if is_sorted {
            parts.iter_mut().for_each(|rows| rows.sort_by_key(|row| (row.1, row.0)));
        }
        let standing = expected(parts.iter().flatten());
        prop_assert_eq!(found(&matrix_of(&parts)), standing);
    }

    #[test]
    fn each_row_may_be_a_state(rows in rows()) {
        let states = Matrices::new().convert_to_state(&columns(&rows), None).unwrap();
        let mut matrices = Matrices::new();
        matrices.merge_batch(&states, &vec![0; rows.len()], 1).unwrap();
        prop_assert_eq!(of_groups(&matrices.evaluate(ALL).unwrap()), [expected(&rows)]);
    }

    #[test]
    fn rows_with_a_null_or_filtered_out_do_not_count(
        rows in prop::collection::vec(((0i64..5, 0i64..9, 0i64..3), 0u8..4, prop::option::weighted(0.8, any::<bool>())), 0..60),
    ) {
        let column = |of: fn(&Row) -> i64, null: u8| -> ArrayRef {
            let value = |(row, is_null, _): &(Row, u8, Option<bool>)| {
                (*is_null != null).then_some(of(row))
            };
            Arc::new(rows.iter().map(value).collect::<Int64Array>())
        };
        let columns = [column(|row| row.0, 1), column(|row| row.1, 2), column(|row| row.2, 3)];
        let filter: BooleanArray = rows.iter().map(|row| row.2).collect();
        let counting = rows.iter().filter(|row| row.1 == 0 && row.2 == Some(true));
        let counting: Vec<Row> = counting.map(|row| row.0).collect();
        let mut matrices = Matrices::new();
        matrices.update_batch(&columns, &vec![0; rows.len()], Some(&filter), 1).unwrap();
        let states = Matrices::new().convert_to_state(&columns, Some(&filter)).unwrap();
        prop_assert_eq!(of_groups(&matrices.evaluate(ALL).unwrap()), [expected(&counting)]);
        matrices.merge_batch(&states, &vec![0; rows.len()], 1).unwrap();
        prop_assert_eq!(of_groups(&matrices.evaluate(ALL).unwrap()), [expected(&counting)]);
    }

    #[test]
    fn groups_are_apart_and_leave_in_order(rows in rows(), first in 0usize..5) {
        let group = |row: &Row| row.0.rem_euclid(5) as usize;
        let groups: Vec<usize> = rows.iter().map(group).collect();
        let mut matrices = Matrices::new();
        matrices.update_batch(&columns(&rows), &groups, None, 5).unwrap();
        let mut found = of_groups(&matrices.evaluate(EmitTo::First(first)).unwrap());
        found.extend(of_groups(&matrices.state(ALL).unwrap()[0]));
        let of_group = |wanted| expected(rows.iter().filter(|row| group(row) == wanted));
        prop_assert_eq!(found, (0..5).map(of_group).collect::<Vec<_>>());
    }

    #[test]
    fn bytes_that_are_no_piece_are_refused(rows in rows(), cut in any::<prop::sample::Index>(), flip: u8) {
        for piece in matrix_of(&[rows]) {
            let place = cut.index(piece.len());
            prop_assert!(Piece::open(&piece[..place]).is_err());
            let mut other = piece.to_vec();
            other[place] ^= flip;
            // Whatever is let through can be read without a panic.
            if let Ok(piece) = Piece::open(&other) {
                let stores = piece.stores().count();
                for product in &piece.products {
                    product.each_code(|store, code| {
                        assert!(store < stores && code > 0);
                        product.price(code);
                    });
                }
            }
        }
    }
}

fn pushed(columns: Vec<ArrayRef>) -> Result<()> {
    let rows = columns[0].len();
    Matrices::new().update_batch(&columns, &vec![0; rows], None, 1)
}

#[test]
fn a_price_too_many_or_too_long_is_told() {
    let most = Dictionary::MAX_PRICES as i64;
    // Far apart, so that they are numbered.
    let row = |number| (1, 7, number * 100_000);
    let prices = |count| (0..count).map(row).collect::<Vec<Row>>();
    assert!(pushed(columns(&prices(most))).is_ok());
    let error = pushed(columns(&prices(most + 1))).unwrap_err().to_string();
    assert!(error.contains("product 7 has more than 65535"), "{error}");
    let mut columns = columns(&[(1, 1, 1)]);
    columns[2] = Arc::new(Decimal128Array::from(vec![i128::MAX]));
    let error = pushed(columns).unwrap_err().to_string();
    assert!(error.contains("more than 18 digits"), "{error}");
}

#[test]
fn a_store_too_many_is_told() {
    let rows: Vec<Row> = (0..=i64::from(u16::MAX))
        .map(|store| (store, 1, 1))
        .collect();
    assert!(pushed(columns(&rows[..rows.len() - 1])).is_ok());
    let error = pushed(columns(&rows)).unwrap_err().to_string();
    assert!(error.contains("at most 65535 stores"), "{error}");
}

#[test]
fn two_bytes_a_price() {
    let product = |product| (0..1000).map(move |store| (store, product, product % 3 + store % 2));
    let rows: Vec<Row> = (0..50).flat_map(product).collect();
    let mut matrices = Matrices::new();
    matrices
        .update_batch(&columns(&rows), &vec![0; rows.len()], None, 1)
        .unwrap();
    let size = matrices.size();
    let pieces = of_column(&matrices.evaluate(ALL).unwrap()).unwrap();
    let bytes: usize = pieces.iter().flatten().map(|piece| piece.len()).sum();
    // Each piece names its stores, and pieces are small in tests: one a product.
    let stores = 1000 * 8;
    let (size, bytes) = (size - 49 * stores, bytes - 50 * stores);
    assert_eq!(pieces[0].len(), 50);
    assert!(rows.len() * 2 < size && size < rows.len() * 3, "{size}");
    assert!(rows.len() * 2 < bytes && bytes < rows.len() * 3, "{bytes}");
}
