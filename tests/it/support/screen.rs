//! Whole screens as inline snapshots.

/// Hides what differs between runs: times, ids, hashes, folders, ports.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    for (pattern, shown) in [
        (r"\d{4}-\d{2}-\d{2}T\d{6}Z-[0-9a-f]{8}", "<snapshot>"),
        (r"\d{4}-\d{2}-\d{2}T\d{6}\.\d{3}Z-\d{5,}", "<run>"),
        (r"\d{4}-\d{2}-\d{2}T\d{6}Z", "<archive>"),
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", "<instant>"),
        (r"(\d{6})-[0-9a-f]{16}", "$1-<hash>"),
        (r"[0-9a-f]{64}", "<sha256>"),
        (r"/\S*/\.tmp\w+", "<world>"),
        (r"127\.0\.0\.1:\d{4,5}", "<server>"),
        (r"process \d+", "process <id>"),
        (r"(?m)it contains \S+$", "it contains <file>"),
        (r"\d+\.\d s\b", "<time>"),
        (r" +\d+ s  ", " <age>  "),
        (r#"("(?:written_)?seconds": ?)[0-9.e-]+"#, "$1<time>"),
        (r#"("age_seconds": ?)\d+"#, "$1<age>"),
    ] {
        settings.add_filter(pattern, shown);
    }
    settings
}

/// Compares a screen with the one that is written behind it.
macro_rules! screen {
    ($said:expr, @$wanted:literal) => {
        $crate::support::screen::settings().bind(|| insta::assert_snapshot!($said, @$wanted))
    };
}
pub(crate) use screen;
