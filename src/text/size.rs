//! Sizes: `1,5l`, `6 x 330 ml`, `cca. 2kg`, `3E-02 L`, `112g,148g`.
//!
//! ```text
//! sizes  = size [ "," anything ]
//! size   = [ about ] { number times } amount [ times number ]
//! amount = number unit
//! number = digits and at most one "." or "," (the decimal sign), maybe an exponent
//! about  = "cca" | "ca" | "approx", maybe with "."       times = "x" | "×" | "*"
//! ```
//! Case does not count. What has the shape of a size and is none that can be compared
//! is unknown: zero, a range (`200-400g`), a fraction (`1/2 l`), a number of packs that
//! is not an integer, more than a bigint can hold.

use std::ops::Range;

use super::{scan::Scan, units::Units};

/// How many numbers of packs may precede an amount: `2 x 6 x 330 ml`.
const MOST_COUNTS: usize = 2;

/// How much a product holds: a number of packs, and the amount in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size<'u> {
    /// What amounts are counted in: `mg`, `ul` or `piece`.
    pub(crate) base: &'u str,
    /// How many packs; 1 unless the text gives a number.
    pub(crate) packs: i64,
    /// How much a pack holds, rounded half up, but at least 1.
    pub(crate) amount: i64,
}

impl Units {
    /// Returns the size that a text is, the first of several; `None` if it is not a size or
    /// an unknown one.
    pub(crate) fn size(&self, text: &str) -> Option<Size<'_>> {
        let text = text.to_lowercase();
        let mut scan = Scan { rest: text.trim() };
        let size = self.take(&mut scan)?;
        scan.blanks();
        let ends = scan.rest.is_empty() || scan.rest.starts_with(',');
        size.filter(|_| ends)
    }

    /// Returns the first size in a text; none when there is none or it is an unknown one.
    pub(crate) fn find(&self, text: &str) -> Option<Size<'_>> {
        let text = text.to_lowercase();
        let first = self.sizes(&text).next();
        first.and_then(|(_, size)| size)
    }

    /// Returns the positions of the sizes in a text in lower case, unknown ones included.
    pub(super) fn sizes<'u>(
        &'u self,
        text: &str,
    ) -> impl Iterator<Item = (Range<usize>, Option<Size<'u>>)> {
        let mut scan = Scan { rest: text };
        let mut after_blank = true;
        std::iter::from_fn(move || {
            while let Some(first) = scan.rest.chars().next() {
                let start = text.len() - scan.rest.len();
                // The point of `.5 l` begins a number, that of `No.5 l` does not.
                let may_begin = first.is_alphanumeric() || after_blank;
                after_blank = first.is_whitespace();
                if may_begin && let Some(size) = self.take(&mut scan) {
                    return Some((start..text.len() - scan.rest.len(), size));
                }
                scan.step();
            }
            None
        })
    }

    /// Takes what has the shape of a size; inside, none when it is unknown.
    fn take(&self, scan: &mut Scan) -> Option<Option<Size<'_>>> {
        scan.attempt(|scan| {
            scan.about();
            let (mut number, mut packs) = (scan.number()?, Some(1));
            for _ in 0..MOST_COUNTS {
                if scan.times().is_none() {
                    break;
                }
                packs = multiplied(packs, number.count());
                number = scan.number()?;
            }
            let is_range = self.take_range(scan);
            let unit = scan.unit(self)?;
            let is_range = is_range || self.take_second(scan);
            if let Some(count) = self.take_count(scan) {
                packs = multiplied(packs, count);
            }
            let size = |(packs, amount)| Size {
                base: &unit.base,
                packs,
                amount,
            };
            let known = packs.zip(number.times(unit.amount)).map(size);
            Some(known.filter(|_| !is_range))
        })
    }

    /// Takes `-400` of `200-400 g`, or `/2` of `1/2 l`.
    fn take_range(&self, scan: &mut Scan) -> bool {
        let taken = scan.attempt(|scan| {
            scan.dash()?;
            scan.number()
        });
        taken.is_some()
    }

    /// Takes `-400 g` of `200 g-400 g`.
    fn take_second(&self, scan: &mut Scan) -> bool {
        let taken = scan.attempt(|scan| {
            scan.dash()?;
            scan.number()?;
            scan.unit(self)
        });
        taken.is_some()
    }

    /// Takes `x 6` of `330 ml x 6`; inside, `None` if it is not a number of packs.
    fn take_count(&self, scan: &mut Scan) -> Option<Option<i64>> {
        scan.attempt(|scan| {
            scan.times()?;
            let number = scan.number()?;
            let has_unit = scan.unit(self).is_some();
            let count = number.count().filter(|_| !has_unit);
            scan.at_end_of_word().then_some(count)
        })
    }
}

fn multiplied(packs: Option<i64>, count: Option<i64>) -> Option<i64> {
    packs?.checked_mul(count?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// base, packs, amount
    type Known = (&'static str, i64, i64);

    fn known(size: Option<Size<'static>>) -> Option<Known> {
        size.map(|size| (size.base, size.packs, size.amount))
    }

    fn size(text: &str) -> Option<Known> {
        known(Units::usual().size(text))
    }

    fn find(text: &str) -> Option<Known> {
        known(Units::usual().find(text))
    }

    #[test]
    fn sizes_are_read_as_shops_write_them() {
        for (text, expected) in [
            ("1,5l", ("ul", 1, 1_500_000)),
            ("0.20 kg", ("mg", 1, 200_000)),
            ("1,0000 kg", ("mg", 1, 1_000_000)),
            ("680 G", ("mg", 1, 680_000)),
            ("220.000 GR", ("mg", 1, 220_000)),
            ("3E-02 L", ("ul", 1, 30_000)),
            ("2.5E-02 L", ("ul", 1, 25_000)),
            (".5 L", ("ul", 1, 500_000)),
            (",25 KG", ("mg", 1, 250_000)),
            ("50cl", ("ul", 1, 500_000)),
            ("3 dl", ("ul", 1, 300_000)),
            ("10 dag", ("mg", 1, 100_000)),
            ("0,75 LT", ("ul", 1, 750_000)),
            ("5 KOM", ("piece", 1, 5)),
            ("36,0000 kom", ("piece", 1, 36)),
            ("3komada", ("piece", 1, 3)),
            ("3Stk.", ("piece", 1, 3)),
            ("1 EA", ("piece", 1, 1)),
            ("2e1ea", ("piece", 1, 20)),
            ("112g,148g", ("mg", 1, 112_000)),
            ("250g, 276g, 300g", ("mg", 1, 250_000)),
            ("4x100g", ("mg", 4, 100_000)),
            ("6x0,33l", ("ul", 6, 330_000)),
            ("330 ml × 6", ("ul", 6, 330_000)),
            ("330ml*6", ("ul", 6, 330_000)),
            ("2 x 6 x 330 ml", ("ul", 12, 330_000)),
            ("20x2,1g,20x2,5g", ("mg", 20, 2_100)),
            ("cca. 2kg", ("mg", 1, 2_000_000)),
            ("ca. 1,4kg", ("mg", 1, 1_400_000)),
            ("ca.1000g", ("mg", 1, 1_000_000)),
            ("ca400g", ("mg", 1, 400_000)),
            ("Approx 5 g", ("mg", 1, 5_000)),
            (" 5\u{a0}kg ", ("mg", 1, 5_000_000)),
            ("0,0015 g", ("mg", 1, 2)),
            ("4.500 kom", ("piece", 1, 5)),
            ("0.100 KOM", ("piece", 1, 1)),
        ] {
            assert_eq!(size(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_unknown() {
        for text in [
            "",
            " ",
            "0.00",
            "1",
            "0 g",
            "0,0000 kg",
            "1,000.00 KOM",
            "1.2.3 g",
            "5 m",
            "4x50Blatt",
            "ca. 200-400g",
            "400 - 600g",
            "200g–400g",
            "1/2 l",
            "½ l",
            "1kom.+21ml",
            "-5 g",
            "0x5g",
            "2,5x4g",
            "5 kom x 20 g",
            "5 gg",
            "5g2",
            "x5g",
            "g",
            "5 g extra",
            "5e g",
            "5e99 g",
            "9e18 kg",
            "1x1x1x1g",
            "9999999999x9999999999x1g",
            "٣ kg",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_size_in_a_name_counts() {
        for (text, expected) in [
            (
                "Ledeni čaj limun sa šećerom 1,5l",
                Some(("ul", 1, 1_500_000)),
            ),
            ("Biskvit SK2, SK13, SK20 400g", Some(("mg", 1, 400_000))),
            ("Nap., SK5, 200g", Some(("mg", 1, 200_000))),
            ("SK5, 200g", Some(("mg", 1, 200_000))),
            ("Lemon0,33L, 2 l", Some(("ul", 1, 2_000_000))),
            ("Jogurt 2,8% m.m. 150g + 20 g", Some(("mg", 1, 150_000))),
            ("Pivo 6 x 0,5 L limenka", Some(("ul", 6, 500_000))),
            ("Sol (500 g)", Some(("mg", 1, 500_000))),
            ("Meso, cca. 2kg", Some(("mg", 1, 2_000_000))),
            ("Voda .5 l", Some(("ul", 1, 500_000))),
            ("24/7 100g", Some(("mg", 1, 100_000))),
            ("7up", None),
            ("B12 g", None),
            ("Sok 200-400g ili 500g", None),
            ("Sok 1/2 l", None),
            ("Vreće 1,000.00 kom", None),
            ("Lemon0,33L", None),
            ("", None),
        ] {
            assert_eq!(find(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        for part in [
            "1 x ", "1-1", "1,1.", "ca ", "1 ", "  ", "1 g x ", "9", "a1",
        ] {
            let long = part.repeat(200_000);
            assert!(size(&long).is_none(), "{part}");
            find(&long);
        }
    }

    fn spelling() -> impl Strategy<Value = (String, Known)> {
        let units = prop::sample::select(vec![
            ("kg", "mg", 6),
            ("G", "mg", 3),
            ("dag", "mg", 4),
            ("mg", "mg", 0),
            ("L", "ul", 6),
            ("cl", "ul", 4),
            ("ml", "ul", 3),
            ("KOM", "piece", 0),
        ]);
        let form = (
            0usize..5,
            any::<bool>(),
            prop::sample::select(vec!["", " ", "  "]),
        );
        let about = prop::sample::select(vec!["", "cca. ", "ca", "approx "]);
        let numbers = (1i64..100, 1i64..1_000_000_000);
        (units, form, about, numbers).prop_map(
            |((unit, base, power), (form, comma, blank), about, (packs, amount))| {
                let number = spelled(amount, power, form == 4, comma);
                let text = match form {
                    0 => format!("{about}{packs}x{number}{blank}{unit}"),
                    1 => format!("{about}{packs} X {number}{blank}{unit}, 9 g"),
                    2 => format!("{about}{number}{blank}{unit} * {packs}"),
                    _ => format!("{about}{number}{blank}{unit}"),
                };
                (text, (base, if form < 3 { packs } else { 1 }, amount))
            },
        )
    }

    /// `amount` over ten to the `power`.
    fn spelled(amount: i64, power: usize, exponent: bool, comma: bool) -> String {
        if exponent {
            return format!("{amount}E-{power:02}");
        }
        let digits = format!("{amount:0width$}", width = power + 1);
        let (whole, fraction) = digits.split_at(digits.len() - power);
        match fraction {
            "" => whole.to_owned(),
            fraction => format!("{whole}{}{fraction}", if comma { ',' } else { '.' }),
        }
    }

    proptest! {
        #[test]
        fn a_size_in_any_spelling_reads_back((text, expected) in spelling()) {
            prop_assert_eq!(size(&text), Some(expected), "{}", text);
            let name = format!("Sok SK2 {text} limenka");
            prop_assert_eq!(find(&name), Some(expected), "{}", name);
        }

        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,40}|[0-9xgl.,/ -]{0,40}") {
            let found = find(&text);
            if let Some(whole) = size(&text) {
                prop_assert_eq!(found, Some(whole));
            }
            let lower = text.to_lowercase();
            for (place, _) in Units::usual().sizes(&lower) {
                prop_assert!(lower.get(place).is_some_and(|size| !size.is_empty()));
            }
        }
    }
}
