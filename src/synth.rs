//! A made-up, realistic export: the same rows for the same seed.
