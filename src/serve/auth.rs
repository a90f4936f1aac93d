//! Authentication: the key is compared before the request's body is read.

use axum::{
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{Service, error::Refusal};
use crate::service::KEY_HEADER;

/// The keys that are let in, as digests. Several can be active, so that one can be
/// replaced without an outage.
#[derive(Clone)]
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Takes the keys; an empty one counts for nothing.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a SecretString>) -> Keys {
        let keys = keys.into_iter().map(ExposeSecret::expose_secret);
        let keys = keys.filter(|key| !key.is_empty());
        Keys(keys.map(|key| digest(key.as_bytes())).collect())
    }

    /// Returns whether nobody can be let in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the position of the key the request carries. Takes as long for a wrong
    /// key as for a right one: digests are compared, all of them, in constant time.
    fn find(&self, headers: &HeaderMap) -> Option<usize> {
        let mut carried = headers.get_all(KEY_HEADER).iter();
        let (Some(key), None) = (carried.next(), carried.next()) else {
            return None;
        };
        let key = digest(key.as_bytes());
        let mut found = None;
        for (at, known) in self.0.iter().enumerate() {
            let same: Choice = known.ct_eq(&key);
            if bool::from(same) {
                found = Some(at);
            }
        }
        found
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} active)", self.0.len())
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Lets a request with a valid key through, within that key's quota. All others share
/// the quota of their address, and then get status 401; their body is not read.
pub(super) async fn guard(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    match service.keys.find(request.headers()) {
        Some(key) => service.throttle.internal(key)?,
        None => {
            service.throttle.anon(&request)?;
            return Err(Refusal::Key);
        }
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carrying(keys: &[&str]) -> HeaderMap {
        let keys = keys.iter().map(|key| key.parse().unwrap());
        keys.map(|key| (KEY_HEADER.parse().unwrap(), key)).collect()
    }

    #[test]
    fn any_active_key_is_let_in_and_no_other() {
        let keys = Keys::new(&["old".into(), "new".into(), "".into()]);
        assert_eq!(keys.find(&carrying(&["old"])), Some(0));
        assert_eq!(keys.find(&carrying(&["new"])), Some(1));
        for wrong in [&["newer"][..], &[""], &[], &["new", "new"]] {
            assert_eq!(keys.find(&carrying(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn keys_are_never_shown() {
        assert_eq!(
            format!("{:?}", Keys::new(&["hunter2".into()])),
            "Keys(1 active)"
        );
    }
}
