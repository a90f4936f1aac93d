//! What is wrong with dirty data.
//!
//! Nulls wherever they may be, prices of zero, rows that come twice, coordinates that
//! are none, and text with more to it than ASCII. Nothing that breaks a contract.

use super::{
    market::{Market, Offer},
    random::below,
};

/// Whether rows that repeat another's key are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    Kept,
    /// Where each key is once.
    LeftOut,
}

/// What is wrong with a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Faults {
    /// It is zero.
    pub(super) zero: bool,
    pub(super) no_record: bool,
    pub(super) no_date: bool,
    /// Its row comes a second time.
    pub(super) twice: bool,
    /// Another row of its key asks another price.
    pub(super) differs: bool,
}

/// Returns what is wrong with a price; mostly nothing.
pub(super) fn of_offer(market: &Market, offer: &Offer) -> Faults {
    let roll = market.dirt.roll_two(offer.product, offer.store);
    match below(roll, 1_000) {
        0..=1 => Faults {
            zero: true,
            ..Faults::default()
        },
        2..=6 => Faults {
            no_record: true,
            ..Faults::default()
        },
        7..=11 => Faults {
            no_date: true,
            ..Faults::default()
        },
        12 => Faults {
            twice: true,
            ..Faults::default()
        },
        13 => Faults {
            differs: true,
            ..Faults::default()
        },
        _ => Faults::default(),
    }
}

/// How texts are spoiled: blanks around them, accents in one piece and in two, other
/// scripts, signs.
const SPOILED: [fn(&str) -> String; 6] = [
    |text| format!("  {text} "),
    |text| text.replace('a', "á").replace('e', "ë"),
    |text| text.replace('o', "o\u{308}").replace('i', "i\u{301}"),
    |text| format!("{text} Молоко 牛奶"),
    |text| format!("{text} ☕️ №1"),
    |text| text.to_uppercase().replace("SS", "ß"),
];

/// Returns a text as a careless hand left it: one in twenty is spoiled.
pub(super) fn text(market: &Market, of: u64, text: String) -> String {
    let roll = market.dirt.roll(of);
    match market.spec.dirt && below(roll, 20) == 0 {
        true => SPOILED[below(roll >> 32, SPOILED.len() as u32) as usize](&text),
        false => text,
    }
}

/// Returns whether a value that may be null is: one in twenty-five.
pub(super) fn is_null(market: &Market, of: u64) -> bool {
    market.spec.dirt && below(market.dirt.roll(of).rotate_left(20), 25) == 0
}

/// Returns coordinates as they are exported: one in fifty of a dirty export is null, at the
/// middle of the map, or off it.
pub(super) fn place(
    market: &Market,
    of: u64,
    place: Option<(f64, f64)>,
) -> (Option<f64>, Option<f64>) {
    let known = (place.map(|place| place.0), place.map(|place| place.1));
    let roll = market.dirt.roll(of).rotate_left(40);
    match below(roll, 200) {
        _ if !market.spec.dirt => known,
        0 => (None, None),
        1 => (known.0, None),
        2 => (Some(0.0), Some(0.0)),
        3 => (Some(451.5), known.1),
        _ => known,
    }
}
