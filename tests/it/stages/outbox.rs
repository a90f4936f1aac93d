//! Outbox and inbox: one set of rules, on memory and on disk (`s3` runs it on S3).

use futures::future::join_all;
use pricemill::{
    artifact::{
        digest::Digest,
        id::{ArtifactId, Seq},
    },
    inbox::{self, Arrival, Disposition, Inbox, Receive},
    outbox::{self, Commit, Committed, Outbox, Receipt},
    storage::Location,
};

use crate::support::doubles::{ONE, TWO, at, draft, inbox_at, locations};

/// Every rule of the outbox and of the inbox, each at a place of its own.
pub(crate) async fn conforms(data: &Location) {
    numbers_grow_and_content_repeats_nothing(&outbox_at(data, "a")).await;
    only_the_latest_is_pending(&outbox_at(data, "b")).await;
    what_was_edited_does_not_leave(&outbox_at(data, "c")).await;
    a_killed_commit_is_not_seen_and_does_not_hinder(&outbox_at(data, "d")).await;
    each_number_has_one_winner(&outbox_at(data, "e")).await;
    an_artifact_is_received_once(&inbox_at(&data.child("f"))).await;
    an_artifact_goes_its_way(&inbox_at(&data.child("g"))).await;
    a_killed_move_is_finished_by_the_next(&inbox_at(&data.child("h"))).await;
    each_received_number_has_one_winner(&inbox_at(&data.child("i"))).await;
}

#[tokio::test]
async fn outbox_and_inbox_conform_in_memory_and_on_disk() {
    let (_folder, locations) = locations();
    for location in locations {
        conforms(&location).await;
    }
}

fn outbox_at(data: &Location, name: &str) -> Outbox {
    Outbox::new(data.child(name).child("outbox"))
}

async fn commit(outbox: &Outbox, content: &str) -> Commit {
    let (draft, file) = draft("bargains", content);
    outbox.commit(draft, file.path()).await.unwrap()
}

async fn committed(outbox: &Outbox, content: &str) -> Committed {
    match commit(outbox, content).await {
        Commit::New(committed) => committed,
        Commit::Unchanged(committed) => panic!("{} is unchanged", committed.folder),
    }
}

fn receipt(target: &str) -> Receipt {
    Receipt {
        target: target.to_owned(),
        uploaded_at: at(),
        verified: true,
        message: "received".to_owned(),
    }
}

async fn numbers_grow_and_content_repeats_nothing(outbox: &Outbox) {
    assert_eq!(outbox.latest("bargains").await.unwrap(), None);
    let first = committed(outbox, ONE).await;
    assert_eq!(first.manifest.seq, 1);
    let names = outbox.location.list().await.unwrap();
    assert_eq!(commit(outbox, ONE).await, Commit::Unchanged(first.clone()));
    assert_eq!(outbox.location.list().await.unwrap(), names);

    // A → B → A: the third is no repetition of the first.
    let second = committed(outbox, TWO).await;
    let third = committed(outbox, ONE).await;
    assert_eq!((second.manifest.seq.0, third.manifest.seq.0), (2, 3));
    let listed = outbox.list("bargains").await.unwrap();
    assert_eq!(listed, [first, second, third]);
    assert_eq!(outbox.pipelines().await.unwrap(), ["bargains"]);

    // Other columns make another artifact of the same bytes.
    let (mut other, file) = draft("bargains", ONE);
    other.contract.columns[1].nullable = false;
    let commit = outbox.commit(other, file.path()).await.unwrap();
    assert!(matches!(commit, Commit::New(c) if c.manifest.seq == 4));
}

async fn only_the_latest_is_pending(outbox: &Outbox) {
    assert_eq!(outbox.pending("bargains", "here").await.unwrap(), None);
    committed(outbox, ONE).await;
    let latest = committed(outbox, TWO).await;
    let pending = outbox.pending("bargains", "here").await.unwrap();
    assert_eq!(pending, Some(latest.clone()));

    for _ in 0..2 {
        let latest = latest.clone();
        let acknowledged = outbox.acknowledge(latest, receipt("here")).await.unwrap();
        assert_eq!(acknowledged.committed.receipts, [receipt("here")]);
    }
    assert_eq!(outbox.pending("bargains", "here").await.unwrap(), None);
    let there = outbox.pending("bargains", "there").await.unwrap().unwrap();
    assert_eq!(there.receipts, [receipt("here")]);
}

async fn what_was_edited_does_not_leave(outbox: &Outbox) {
    let artifact = committed(outbox, ONE).await;
    let copy = tempfile::NamedTempFile::new().unwrap();
    outbox.copy_out(&artifact, copy.path()).await.unwrap();
    assert_eq!(std::fs::read_to_string(copy.path()).unwrap(), ONE);

    outbox
        .location
        .put(&artifact.file(), TWO.into())
        .await
        .unwrap();
    let changed = outbox.copy_out(&artifact, copy.path()).await;
    assert!(matches!(changed, Err(outbox::Error::Changed { .. })));
    outbox.location.delete(&artifact.file()).await.unwrap();
    let missing = outbox.copy_out(&artifact, copy.path()).await;
    assert!(matches!(missing, Err(outbox::Error::Missing { .. })));

    let (draft, _) = draft("bargains", ONE);
    let other = tempfile::NamedTempFile::new().unwrap();
    let staged = outbox.stage(draft, other.path()).await;
    assert!(matches!(staged, Err(outbox::Error::Changed { .. })));
}

async fn a_killed_commit_is_not_seen_and_does_not_hinder(outbox: &Outbox) {
    // Killed after the content, which a faulty disk has garbled besides.
    let (draft, _) = draft("bargains", ONE);
    let orphan = format!("bargains/000001-{}/bargains.json", draft.sha256.short());
    outbox.location.put(&orphan, "half".into()).await.unwrap();
    assert_eq!(outbox.list("bargains").await.unwrap(), []);
    let artifact = committed(outbox, ONE).await;
    let copy = tempfile::NamedTempFile::new().unwrap();
    outbox.copy_out(&artifact, copy.path()).await.unwrap();

    // Killed before the manifest's copy: the next run puts it back.
    let copy = format!("{}/manifest.json", artifact.folder);
    outbox.location.delete(&copy).await.unwrap();
    assert_eq!(commit(outbox, ONE).await, Commit::Unchanged(artifact));
    assert!(outbox.location.read(&copy).await.unwrap().is_some());
}

async fn each_number_has_one_winner(outbox: &Outbox) {
    let contents = (0..16).map(|id| format!("[\n{{\"id\":{id},\"price\":null}}\n]\n"));
    let contents: Vec<String> = contents.collect();
    join_all(contents.iter().map(|content| committed(outbox, content))).await;
    let listed = outbox.list("bargains").await.unwrap();
    let numbers: Vec<u64> = listed.iter().map(|c| c.manifest.seq.0).collect();
    assert_eq!(numbers, (1..=16).collect::<Vec<u64>>());
    let mut hashes: Vec<&str> = listed.iter().map(|c| &*c.manifest.sha256).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 16);
}

async fn receive(inbox: &Inbox, seq: Option<u64>, content: &str) -> inbox::Result<Receive> {
    receive_after(inbox, seq, content, None).await
}

async fn receive_after(
    inbox: &Inbox,
    seq: Option<u64>,
    content: &str,
    applied: Option<ArtifactId>,
) -> inbox::Result<Receive> {
    let (draft, file) = draft("bargains", content);
    let arrival = Arrival {
        pipeline: draft.pipeline,
        seq: seq.map(Seq),
        extension: "json".to_owned(),
        digest: Digest {
            sha256: draft.sha256,
            bytes: draft.bytes,
        },
        rows: draft.rows,
        at: at(),
        manifest: None,
    };
    inbox.receive(arrival, file.path(), applied).await
}

fn new(receive: inbox::Result<Receive>) -> inbox::Received {
    match receive.unwrap() {
        Receive::New(received) => received,
        Receive::Already(received) => panic!("{} was known", received.id()),
    }
}

fn is_known(receive: inbox::Result<Receive>, seq: u64) -> bool {
    matches!(receive.unwrap(), Receive::Already(received) if received.seq == seq)
}

fn highest(receive: inbox::Result<Receive>) -> u64 {
    match receive {
        Err(inbox::Error::Conflict { highest, .. }) => highest,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn an_artifact_is_received_once(inbox: &Inbox) {
    assert_eq!(inbox.pending("bargains").await.unwrap(), []);
    let first = new(receive(inbox, Some(3), ONE).await);
    let pending = inbox.pending("bargains").await.unwrap();
    assert_eq!(pending, std::slice::from_ref(&first));
    let copy = tempfile::NamedTempFile::new().unwrap();
    inbox.copy_out(&first, copy.path()).await.unwrap();
    assert_eq!(std::fs::read_to_string(copy.path()).unwrap(), ONE);

    let names = inbox.location.list().await.unwrap();
    assert!(is_known(receive(inbox, Some(3), ONE).await, 3));
    assert!(is_known(receive(inbox, None, ONE).await, 3));
    assert_eq!(highest(receive(inbox, Some(3), TWO).await), 3);
    assert_eq!(highest(receive(inbox, Some(2), TWO).await), 3);
    assert_eq!(highest(receive(inbox, Some(2), ONE).await), 3);
    assert_eq!(inbox.location.list().await.unwrap(), names);

    // Who gives no number gets the next; who gives a higher one keeps it.
    assert_eq!(new(receive(inbox, None, TWO).await).seq, 4);
    assert_eq!(new(receive(inbox, Some(9), TWO).await).seq, 9);
    let numbers = inbox.pending("bargains").await.unwrap();
    assert_eq!(
        numbers.iter().map(|r| r.seq.0).collect::<Vec<_>>(),
        [3, 4, 9]
    );
    assert!(is_known(receive(inbox, Some(3), ONE).await, 3));

    // The ledger remembers what the archive does not.
    let applied = |content: &str| {
        Some(ArtifactId {
            seq: Seq(20),
            sha256: draft("bargains", content).0.sha256,
        })
    };
    assert!(is_known(
        receive_after(inbox, Some(20), ONE, applied(ONE)).await,
        20
    ));
    assert_eq!(
        highest(receive_after(inbox, Some(20), ONE, applied(TWO)).await),
        20
    );
    assert_eq!(
        highest(receive_after(inbox, Some(12), ONE, applied(TWO)).await),
        20
    );
    assert_eq!(
        new(receive_after(inbox, None, ONE, applied(TWO)).await).seq,
        21
    );
}

async fn an_artifact_goes_its_way(inbox: &Inbox) {
    for (seq, content) in [(1, ONE), (2, TWO), (3, ONE)] {
        new(receive(inbox, Some(seq), content).await);
    }
    let pending = inbox.pending("bargains").await.unwrap();
    let superseded = inbox.supersede(&pending[0], Seq(3)).await.unwrap();
    let refused = inbox
        .refuse(&pending[1], "half the rows are gone")
        .await
        .unwrap();
    let applied = inbox.archive(&pending[2], at()).await.unwrap();
    assert_eq!(inbox.pending("bargains").await.unwrap(), []);
    let turned_away = inbox.refused("bargains").await.unwrap();
    assert_eq!(turned_away, std::slice::from_ref(&refused));
    let archived = inbox.archived("bargains").await.unwrap();
    assert_eq!(archived, [superseded.clone(), applied.clone()]);
    assert_eq!(
        superseded.disposition,
        Disposition::Superseded { by: Seq(3) }
    );
    assert_eq!(
        refused.file,
        format!("bargains/refused/{}.json", refused.id())
    );

    // Wherever it has gone, it is found, can be read, and is not taken again.
    for received in [&superseded, &refused, &applied] {
        let found = inbox
            .find("bargains", &received.id().to_string())
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(received));
        let copy = tempfile::NamedTempFile::new().unwrap();
        inbox.copy_out(received, copy.path()).await.unwrap();
        let content = if received.seq == 2 { TWO } else { ONE };
        assert!(is_known(
            receive(inbox, Some(received.seq.0), content).await,
            received.seq.0
        ));
    }
    assert_eq!(inbox.find("bargains", "000009-0").await.unwrap(), None);
    assert_eq!(inbox.find("bargains", "../..").await.unwrap(), None);
    assert_eq!(highest(receive(inbox, Some(2), ONE).await), 3);

    // A refused one can still be applied, and an applied one again.
    let accepted = inbox.archive(&refused, at()).await.unwrap();
    assert_eq!(inbox.refused("bargains").await.unwrap(), []);
    inbox.archive(&accepted, at()).await.unwrap();
    assert_eq!(inbox.archived("bargains").await.unwrap().len(), 3);
    assert_eq!(inbox.location.list().await.unwrap(), []);
    assert_eq!(inbox.pipelines().await.unwrap(), ["bargains"]);
}

async fn a_killed_move_is_finished_by_the_next(inbox: &Inbox) {
    // Killed after the content: no manifest, nothing received.
    let (draft, _) = draft("bargains", ONE);
    let orphan = format!("bargains/000001-{}.json", draft.sha256.short());
    inbox.location.put(&orphan, "half".into()).await.unwrap();
    assert_eq!(inbox.pending("bargains").await.unwrap(), []);
    let received = new(receive(inbox, Some(1), ONE).await);

    // Killed within the move to the archive: first after the content, then after the manifest.
    let put = inbox.archive.put(&received.file, "half".into());
    put.await.unwrap();
    let applied = inbox.archive(&received, at()).await.unwrap();
    let copy = tempfile::NamedTempFile::new().unwrap();
    inbox.copy_out(&applied, copy.path()).await.unwrap();
    let manifest = serde_json::to_vec(&received).unwrap();
    let name = "bargains/000001.manifest.json";
    inbox.location.put(name, manifest.into()).await.unwrap();
    inbox
        .location
        .put(&received.file, ONE.into())
        .await
        .unwrap();
    let pending = inbox.pending("bargains").await.unwrap();
    assert_eq!(pending, std::slice::from_ref(&received));
    assert_eq!(inbox.archive(&received, at()).await.unwrap(), applied);
    assert_eq!(inbox.location.list().await.unwrap(), []);
}

async fn each_received_number_has_one_winner(inbox: &Inbox) {
    let contents = (0..16).map(|id| format!("[\n{{\"id\":{id},\"price\":null}}\n]\n"));
    let contents: Vec<String> = contents.collect();
    let told = join_all(
        contents
            .iter()
            .map(|content| receive(inbox, Some(1), content)),
    )
    .await;
    assert_eq!(told.iter().filter(|received| received.is_ok()).count(), 1);

    let untold = join_all(contents.iter().map(|content| receive(inbox, None, content))).await;
    assert!(untold.iter().all(Result::is_ok));
    let pending = inbox.pending("bargains").await.unwrap();
    let numbers: Vec<u64> = pending.iter().map(|received| received.seq.0).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!((16..=17).contains(&numbers.len()), "{numbers:?}");
}

#[tokio::test]
async fn a_manifest_that_was_tampered_with_is_named() {
    let outbox = Outbox::new(Location::in_memory());
    let artifact = committed(&outbox, ONE).await;
    let mut manifest = artifact.manifest;
    manifest.draft.file = "../../etc/passwd".to_owned();
    let name = "bargains/000001.manifest.json";
    for text in [serde_json::to_vec(&manifest).unwrap(), b"{}".to_vec()] {
        outbox.location.put(name, text.into()).await.unwrap();
        let error = outbox.latest("bargains").await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
