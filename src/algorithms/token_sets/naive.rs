//! The definitions as they are written, to compare with.

use std::collections::BTreeSet;

/// The length of the longest common subsequence, by the table of all prefixes.
pub(crate) fn lcs<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (place, y) in b.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = match x == y {
                true => diagonal + 1,
                false => above.max(row[place]),
            };
            diagonal = above;
        }
    }
    row[b.len()]
}

/// The token-set ratio of two texts of ASCII.
pub(crate) fn ratio(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let both: Vec<&String> = a.intersection(&b).collect();
    if !both.is_empty() && (a.is_subset(&b) || b.is_subset(&a)) {
        return 100.0;
    }
    let joined = |others: Vec<&String>| -> Vec<char> {
        let all: Vec<&str> = both
            .iter()
            .copied()
            .chain(others)
            .map(String::as_str)
            .collect();
        all.join(" ").chars().collect()
    };
    let both_and_a = joined(a.difference(&b).collect());
    let both_and_b = joined(b.difference(&a).collect());
    let both_alone = joined(vec![]);
    let best = similarity(&both_and_a, &both_and_b);
    match both.is_empty() {
        true => best,
        false => best
            .max(similarity(&both_alone, &both_and_a))
            .max(similarity(&both_alone, &both_and_b)),
    }
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

fn similarity(a: &[char], b: &[char]) -> f64 {
    let total = a.len() + b.len();
    let distance = total - 2 * lcs(a, b);
    100.0 - 100.0 * distance as f64 / total as f64
}
