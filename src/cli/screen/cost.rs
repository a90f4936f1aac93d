//! What running a plan took, as people read it.

use super::{Line, grouped, sized, spoken};
use crate::report::{Cost, Operator};

/// Returns `7,177 rows in 0.5 s; read 120.10 MiB, peak 34.00 MiB, spilled nothing`.
pub(in crate::cli) fn cost_line(rows: u64, cost: &Cost) -> String {
    let rows = match rows {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", grouped(rows)),
    };
    let spilled = match cost.spilled_files {
        0 => "nothing".to_owned(),
        1 => format!("{} in 1 file", sized(cost.spilled_bytes)),
        files => format!("{} in {files} files", sized(cost.spilled_bytes)),
    };
    format!(
        "{rows} in {}; read {}, peak {}, spilled {spilled}",
        spoken(cost.elapsed),
        sized(cost.read_bytes),
        sized(cost.peak_memory_bytes),
    )
}

/// Returns what each operator did, as the tree of the plan.
pub(in crate::cli) fn operator_lines(cost: &Cost) -> impl Iterator<Item = Line> {
    let operators = cost.operators.iter();
    operators.map(|operator| Line::Say(operator_line(operator)))
}

fn operator_line(operator: &Operator) -> String {
    let indent = "  ".repeat(operator.depth + 1);
    let mut parts = Vec::new();
    if let Some(rows) = operator.rows {
        parts.push(format!("{} rows", grouped(rows)));
    }
    parts.push(format!("busy {}", spoken(operator.busy)));
    if operator.read_bytes > 0 {
        parts.push(format!("read {}", sized(operator.read_bytes)));
    }
    if operator.spilled_bytes > 0 {
        parts.push(format!("spilled {}", sized(operator.spilled_bytes)));
    }
    format!("{indent}{}: {}", operator.operator, parts.join(", "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_cost_is_one_line() {
        let cost = Cost {
            elapsed: Duration::from_millis(512),
            read_bytes: 126 << 20,
            peak_memory_bytes: 34 << 20,
            ..Cost::default()
        };
        assert_eq!(
            cost_line(7_177, &cost),
            "7,177 rows in 0.5 s; read 126.00 MiB, peak 34.00 MiB, spilled nothing"
        );
        let cost = Cost {
            spilled_bytes: 3 << 30,
            spilled_files: 12,
            ..cost
        };
        assert!(cost_line(1, &cost).ends_with("spilled 3.00 GiB in 12 files"));
    }
}
