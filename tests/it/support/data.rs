//! The real data that some tests run against, where it is there.

use std::path::PathBuf;

/// Returns the folder of that name in the test data, or says that the test is
/// skipped and returns `None`.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
#[expect(clippy::disallowed_methods, reason = "a test may look for its data")]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("PRICEMILL_TEST_DATA").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = given.unwrap_or(beside).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: there is no {}; name the test data in PRICEMILL_TEST_DATA",
        folder.display()
    );
    None
}

/// Returns the folder of the model all-MiniLM-L6-v2, or says that the test is skipped
/// and returns `None`.
#[cfg(feature = "minilm")]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
#[expect(clippy::disallowed_methods, reason = "a test may look for its data")]
pub(crate) fn minilm() -> Option<PathBuf> {
    let folder = std::env::var_os("PRICEMILL_TEST_MINILM").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: name the model's folder in PRICEMILL_TEST_MINILM");
    }
    folder
}
