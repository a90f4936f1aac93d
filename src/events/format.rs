//! Numbers and sizes as people read them.

use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount};

/// Returns a size as people read it: `7 B`, `34.00 MiB`.
pub(crate) fn sized(bytes: u64) -> String {
    BinaryBytes(bytes).to_string()
}

/// Returns a number with a comma between its thousands.
pub(crate) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// Returns a time that is to come as people read it, never as nothing: `0.4 s`, `7 s`,
/// `9 min 58 s`, `2 h 5 min`.
pub(crate) fn lasting(time: Duration) -> String {
    let tenths = time.as_millis().div_ceil(100).max(1);
    let seconds = tenths.div_ceil(10);
    match seconds {
        0..=3 if !tenths.is_multiple_of(10) => format!("{}.{} s", tenths / 10, tenths % 10),
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_come_is_rounded_up_and_never_nothing() {
        for (millis, shown) in [
            (0, "0.1 s"),
            (430, "0.5 s"),
            (3000, "3 s"),
            (6100, "7 s"),
            (598_000, "9 min 58 s"),
            (86_400_000, "24 h 0 min"),
        ] {
            assert_eq!(lasting(Duration::from_millis(millis)), shown);
        }
    }
}
