//! An error with its causes, as people read it: on one line, nothing twice.
//!
//! In comes any error; out comes text, or the causes to look for one among them. Nothing
//! else walks the causes of an error.

pub(crate) mod phrases;
pub(crate) mod words;

use std::{error::Error, iter};

/// Returns the error and its causes, from the outside in.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// Returns an error with its causes on one line, none said twice, in plain words.
pub fn chain(error: &dyn Error) -> String {
    let mut text = words::plain(&error.to_string());
    for cause in error.source().into_iter().flat_map(causes) {
        let says = words::plain(&cause.to_string());
        if !text.contains(&says) {
            text = format!("{text}: {says}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use datafusion::{error::DataFusionError, parquet::errors::ParquetError};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not")]
    struct CouldNot(#[source] DataFusionError);

    #[test]
    fn an_error_is_said_once_and_without_its_wrappers() {
        let full = || Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let is = full().to_string();
        let external = DataFusionError::External(full());
        assert_eq!(chain(&CouldNot(external)), format!("could not: {is}"));
        let parquet = ParquetError::External(full());
        let parquet = DataFusionError::ParquetError(Box::new(parquet));
        let said = format!("could not: Parquet error: {is}");
        assert_eq!(chain(&CouldNot(parquet)), said);
    }
}
