//! The commands: one a file, and the only place that prints.
