//! "Did you mean": which known name is near enough, and the one way to ask.
//!
//! In come a name that means nothing and those that mean something; out comes at most one
//! of them, or the question. Nothing else has these words: a test reads the sources.

/// Asks whether the known name nearest to `wanted` is meant, if one is near enough.
pub fn suggestion<N: AsRef<str>>(
    wanted: &str,
    known: impl IntoIterator<Item = N>,
) -> Option<String> {
    let known: Vec<N> = known.into_iter().collect();
    nearest(wanted, known.iter().map(AsRef::as_ref)).map(did_you_mean)
}

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
    use std::path::{Path, PathBuf};

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

    /// Returns the files of Rust below a folder.
    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let below = paths.flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        });
        let is_rust = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs");
        below.filter(is_rust).collect()
    }

    #[test]
    fn nobody_asks_by_hand() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for path in sources(&root) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let asks = code.contains("did you mean `");
            assert_eq!(asks, path.ends_with("suggest.rs"), "{}", path.display());
        }
    }
}
