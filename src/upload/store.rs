//! Store to store: create-only puts into an inbox on an object store.

use async_trait::async_trait;

use super::{Error, Result, Transport, verified};
use crate::{
    artifact::digest::Digest,
    clock::SharedClock,
    inbox::{Arrival, Inbox, Receive},
    outbox::{Committed, Outbox, Receipt},
    pipeline::Pipeline,
    storage::{Location, Put, TEMPORARY},
};

/// Sends to an inbox that both sides can reach.
#[derive(Debug, Clone)]
pub struct StoreTransport {
    inbox: Inbox,
    clock: SharedClock,
}

impl StoreTransport {
    /// Sends to that inbox. Time is `clock`'s.
    pub fn new(inbox: Inbox, clock: SharedClock) -> StoreTransport {
        StoreTransport { inbox, clock }
    }
}

#[async_trait]
impl Transport for StoreTransport {
    fn target(&self) -> String {
        self.inbox.location.display("")
    }

    async fn prepare(&self, outbox: &Outbox) -> Result<()> {
        if self.inbox.location.is(&outbox.location) {
            return Err(Error::SamePlace {
                place: self.target(),
            });
        }
        self.inbox.location.sweep().await;
        let nonce = self.clock.now().timestamp_nanos_opt().unwrap_or_default();
        probe(&self.inbox.location, nonce).await
    }

    async fn send(&self, _: &Pipeline, outbox: &Outbox, artifact: &Committed) -> Result<Receipt> {
        let file = verified(outbox, artifact).await?;
        let manifest = &artifact.manifest;
        let extension = manifest.file.rsplit('.').next().unwrap_or_default();
        let arrival = Arrival {
            pipeline: manifest.pipeline.clone(),
            seq: Some(manifest.seq),
            extension: extension.to_owned(),
            digest: Digest {
                sha256: manifest.sha256.clone(),
                bytes: manifest.bytes,
            },
            rows: manifest.rows,
            at: self.clock.now(),
            manifest: Some(manifest.clone()),
        };
        let message = match self.inbox.receive(arrival, file.path(), None).await? {
            Receive::New(_) => "written",
            Receive::Already(_) => "already there",
        };
        Ok(Receipt {
            target: self.target(),
            uploaded_at: self.clock.now(),
            verified: true,
            message: message.to_owned(),
        })
    }
}

/// Makes sure that the store refuses to create what exists: some take `If-None-Match`
/// for granted and overwrite. On such a store two writers would both win.
pub(super) async fn probe(location: &Location, nonce: i64) -> Result<()> {
    // A temporary name: what a kill leaves of it is swept.
    let name = format!("{TEMPORARY}probe-{}-{nonce}", std::process::id());
    let first = location.put_new(&name, "first".into()).await?;
    let second = location.put_new(&name, "second".into()).await?;
    location.delete(&name).await?;
    if (first, second) != (Put::New, Put::Different) {
        return Err(Error::NotCreateOnly {
            place: location.display(""),
        });
    }
    Ok(())
}
