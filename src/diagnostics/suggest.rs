//! "Did you mean": which known name is near enough, and the one way to ask.

/// Asks whether a name is meant.
pub fn did_you_mean(name: impl AsRef<str>) -> String {
    format!("did you mean `{}`?", name.as_ref())
}

/// Returns the known name nearest to `wanted`, if one is near enough to be meant: a
/// third of its letters wrong at most, or one the beginning of the other.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(wrong, name)| near_enough(wanted, name, *wrong))
        .min()
        .map(|(_, name)| name)
}

fn near_enough(wanted: &str, name: &str, wrong: usize) -> bool {
    let letters = wanted.chars().count().max(name.chars().count());
    let shorter = wanted.len().min(name.len());
    let begins = shorter >= 3 && (wanted.starts_with(name) || name.starts_with(wanted));
    wrong <= letters.div_ceil(3) || begins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_may_be_meant() {
        let known = ["bargains", "store_groups", "prices", "id"];
        assert_eq!(nearest("bargans", known), Some("bargains"));
        assert_eq!(nearest("bargain", known), Some("bargains"));
        assert_eq!(nearest("store", known), Some("store_groups"));
        assert_eq!(nearest("di", known), Some("id"));
        assert_eq!(nearest("brands", ["garnis"]), None);
        assert_eq!(nearest("extremes", known), None);
    }
}
