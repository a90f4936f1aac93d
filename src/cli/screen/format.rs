//! Times, sizes and numbers as people read them.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

pub(in crate::cli) use crate::events::{grouped, sized};

/// Returns a time as people read it: `1.9 s`, `2 min 5 s`. Indicatif's own durations
/// have no tenths, and most of ours are below ten seconds.
pub(in crate::cli) fn spoken(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 100.0 => format!("{seconds:.1} s"),
        seconds => format!("{} min {} s", seconds as u64 / 60, seconds as u64 % 60),
    }
}

/// Returns an age in its largest unit: `90 s`, `5 min`, `36 h`, `3 d`.
pub(in crate::cli) fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Returns an instant as people compare it: to the second, in UTC.
pub(in crate::cli) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(856_502), "856,502");
        assert_eq!(sized(999), "999 B");
        assert_eq!(sized(34 << 20), "34.00 MiB");
        assert_eq!(sized(1 << 30), "1.00 GiB");
        assert_eq!(spoken(Duration::from_millis(1_940)), "1.9 s");
        assert_eq!(spoken(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(age(7_300), "2 h");
    }
}
