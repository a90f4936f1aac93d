//! placeholder
/// Why
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {}
impl Error {
    pub(crate) fn kind(&self) -> crate::error::Kind {
        match *self {}
    }
    pub(crate) fn hint(&self) -> Option<String> {
        match *self {}
    }
}
