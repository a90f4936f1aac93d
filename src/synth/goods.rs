//! What shops sell, and how they spell it.

/// A kind of product.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) department: &'static str,
    /// Its sizes, as shops spell them.
    pub(super) sizes: [&'static str; 4],
    /// The usual price of the first size, in cents.
    pub(super) cents: u32,
}

const fn kind(
    name: &'static str,
    department: &'static str,
    sizes: [&'static str; 4],
    cents: u32,
) -> Kind {
    Kind {
        name,
        department,
        sizes,
        cents,
    }
}

pub(super) static KINDS: [Kind; 20] = [
    kind(
        "Whole milk",
        "Dairy",
        ["1l", "1,0 L", "500 ml", "2x1l"],
        119,
    ),
    kind(
        "Yoghurt natural",
        "Dairy",
        ["150g", "500 g", "0,5 kg", "4 x 125g"],
        89,
    ),
    kind(
        "Butter",
        "Dairy",
        ["250g", "0.250 kg", "125 g", "250 GR"],
        279,
    ),
    kind(
        "Gouda sliced",
        "Dairy",
        ["150g", "300 g", "0,3kg", "cca. 1kg"],
        249,
    ),
    kind(
        "Mineral water",
        "Drinks",
        ["1,5l", "500ml", "6x1,5 l", "0.75 L"],
        75,
    ),
    kind(
        "Apple juice",
        "Drinks",
        ["1l", "0,2 l", "2 L", "1,0000 l"],
        169,
    ),
    kind(
        "Lager",
        "Drinks",
        ["0,5l", "330 ml", "6 x 330 ml", "50 cl"],
        109,
    ),
    kind(
        "Ground coffee",
        "Drinks",
        ["250g", "500 g", "0,25kg", "2x250 g"],
        529,
    ),
    kind(
        "Wholemeal bread",
        "Bakery",
        ["500g", "750 g", "1 kg", "0.5 kg"],
        219,
    ),
    kind(
        "Butter croissant",
        "Bakery",
        ["60g", "4 kom", "300 g", "1 pc"],
        95,
    ),
    kind(
        "Spaghetti",
        "Pantry",
        ["500g", "1 kg", "0,5 kg", "500 GR"],
        129,
    ),
    kind(
        "Long grain rice",
        "Pantry",
        ["1kg", "500 g", "5 x 125 g", "1000g"],
        189,
    ),
    kind(
        "Sunflower oil",
        "Pantry",
        ["1l", "750 ml", "2 L", "1,0 l"],
        239,
    ),
    kind(
        "Tomato passata",
        "Pantry",
        ["500g", "700 ml", "0,5 kg", "3 x 200 g"],
        149,
    ),
    kind(
        "Dark chocolate",
        "Sweets",
        ["100g", "200 g", "0.1 kg", "80g"],
        179,
    ),
    kind(
        "Oat biscuits",
        "Sweets",
        ["300g", "150 g", "2 x 150g", "0,3 kg"],
        159,
    ),
    kind(
        "Shampoo",
        "Household",
        ["250ml", "400 ml", "0,25 l", "25 cl"],
        299,
    ),
    kind(
        "Dish soap",
        "Household",
        ["450ml", "900 ml", "0.45 L", "1l"],
        189,
    ),
    kind(
        "Paper towels",
        "Household",
        ["2 kom", "4 kom", "8 pcs", "1 pk"],
        249,
    ),
    kind(
        "Cat food",
        "Pets",
        ["400g", "85 g", "12 x 85 g", "0,4 kg"],
        119,
    ),
];

pub(super) static VARIETIES: [&str; 9] = [
    "classic",
    "organic",
    "light",
    "extra",
    "family",
    "fresh",
    "selection",
    "mild",
    "rustic",
];

pub(super) static FLAVOURS: [&str; 16] = [
    "",
    "",
    "",
    "vanilla",
    "lemon",
    "honey",
    "almond",
    "sea salt",
    "apple",
    "mint",
    "berry",
    "ginger",
    "pepper",
    "lavender",
    "hazelnut",
    "crème brûlée",
];

/// What a company writes on its own products, after its name.
pub(super) static OWN_BRANDS: [&str; 2] = ["Choice", "Basics"];

static BEGINNINGS: [&str; 24] = [
    "Alp", "Bell", "Cor", "Dawn", "Est", "Fjor", "Gran", "Holl", "Ivy", "Jad", "Kast", "Lum",
    "Mar", "Nor", "Oak", "Pell", "Quil", "Ros", "Sol", "Tav", "Umber", "Val", "Wend", "Zel",
];
static MIDDLES: [&str; 16] = [
    "en", "a", "i", "o", "er", "an", "el", "is", "or", "u", "ar", "il", "e", "am", "on", "ur",
];
static ENDS: [&str; 24] = [
    "hof", "mead", "vina", "field", "la", "dal", "ary", "lis", "lane", "ran", "ta", "mont", "bury",
    "wick", "ster", "ka", "zo", "nia", "gold", "brook", "land", "ford", "mill", "stone",
];

/// How many brands have names of their own.
pub(super) const BRANDS: u32 = 24 * 16 * 24;

/// Returns the name of a brand that belongs to no company.
pub(super) fn brand(number: u32) -> String {
    // A stride without a divisor in common goes through all of them once.
    let at = (u64::from(number) * 3_571 % u64::from(BRANDS)) as usize;
    let (begin, rest) = (BEGINNINGS[at % 24], at / 24);
    format!("{begin}{}{}", MIDDLES[rest % 16], ENDS[rest / 16])
}

static TOWN_BEGINNINGS: [&str; 20] = [
    "Harbour", "Mill", "Old", "Salt", "Stone", "Thorn", "West", "Wex", "Ash", "Bram", "Clay",
    "Dun", "East", "Fern", "Glen", "Hazel", "King", "Lang", "North", "Rock",
];
static TOWN_ENDS: [&str; 20] = [
    "side", "bridge", "field", "marsh", "gate", "bury", "holm", "combe", "ford", "ham", "ley",
    "mouth", "port", "stead", "ton", "wick", "well", "wood", "worth", "by",
];

/// How many towns have names of their own.
pub(super) const TOWNS: u32 = 400;

/// Returns the name of a town.
pub(super) fn town(number: u32) -> String {
    let at = (number * 147 % TOWNS) as usize;
    format!("{}{}", TOWN_BEGINNINGS[at % 20], TOWN_ENDS[at / 20])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_brands_and_no_two_towns_share_a_name() {
        let brands: BTreeSet<String> = (0..BRANDS).map(brand).collect();
        assert_eq!(brands.len(), BRANDS as usize);
        let towns: BTreeSet<String> = (0..TOWNS).map(town).collect();
        assert_eq!(towns.len(), TOWNS as usize);
    }
}
