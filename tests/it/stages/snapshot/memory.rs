//! Rows that do not fit the memory, and streams that fail.

use super::*;

/// A source of many rows, each of another product, that cannot be resumed.
#[derive(Debug)]
struct Shuffled {
    rows: i64,
    fails: bool,
    /// The product of a row, of so many.
    product: fn(i64, i64) -> i64,
}

/// 7919 is prime to the rows, so that each product comes once, in no order.
fn anyhow(row: i64, rows: i64) -> i64 {
    row * 7919 % rows
}

/// All in order but the last.
fn first_last(row: i64, rows: i64) -> i64 {
    (row + 1) % rows
}

#[async_trait::async_trait]
impl Source for Shuffled {
    fn name(&self) -> String {
        "shuffled".to_owned()
    }

    async fn fetch(
        &self,
        dataset: &Dataset,
        done: Vec<Mark>,
        _: &Events,
    ) -> pricemill::source::Result<Option<Fetched>> {
        assert!(done.is_empty());
        let (contract, rows, product) = (dataset.contract.clone(), self.rows, self.product);
        let pages = (0..rows).step_by(10_000).map(move |start| {
            let mut decoder = Decoder::new(&contract);
            for at in start..rows.min(start + 10_000) {
                let row = with_record(product(at, rows), "1.50", at);
                decoder.row(&row).unwrap();
            }
            let mark = Mark {
                page: 1,
                rows: decoder.rows() as u64,
                ..Mark::default()
            };
            Ok(Piece::Page(mark, decoder.take().unwrap()))
        });
        let failure = self.fails.then(|| {
            Err(pricemill::source::Error::Answer {
                page: DatasetPage {
                    dataset: dataset.name.clone(),
                    page: None,
                },
                reason: "the end is missing".to_owned(),
            })
        });
        let pieces = futures::StreamExt::boxed(futures::stream::iter(pages.chain(failure)));
        Ok(Some(Fetched {
            pieces,
            resumable: false,
            stats: Notes::default(),
        }))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_do_not_fit_the_memory_are_sorted_all_the_same() {
    const ROWS: i64 = 300_000;
    let cases = [
        (anyhow as fn(i64, i64) -> i64, 1, 6),
        (first_last, 1, 6),
        (anyhow, 2, 12),
        (anyhow, 2, 128),
    ];
    for (product, threads, mebibytes) in cases {
        let place = Disk::new();
        let engine = EngineConfig {
            memory_bytes: mebibytes << 20,
            threads: std::num::NonZeroUsize::new(threads).unwrap(),
            ..EngineConfig::default()
        };
        let snapshot = snapshot::fetch(Fetch {
            source: &Shuffled {
                rows: ROWS,
                fails: false,
                product,
            },
            wanted: vec![wanted(prices())],
            location: &place.location,
            engine: &engine,
            at: at(0),
            progress: &Events::silent(),
        })
        .await
        .unwrap();
        let part = &snapshot.manifest.datasets["prices"];
        assert_eq!(
            (part.rows, part.duplicates, part.conflicts),
            (ROWS as u64, 0, 0)
        );
        let folder = place.path().join(&snapshot.manifest.id.0);
        let batches = part
            .files
            .iter()
            .flat_map(|file| read(&folder.join(&file.name)));
        let ids = batches.flat_map(|batch| {
            let ids = batch.column(0).as_primitive::<Int64Type>();
            ids.values().to_vec()
        });
        assert!(ids.eq(0..ROWS));
    }
}

#[tokio::test]
async fn a_stream_that_failed_begins_at_its_start() {
    let place = Disk::new();
    let run = async |rows: i64, fails: bool, second: i64| {
        snapshot::fetch(Fetch {
            source: &Shuffled {
                rows,
                fails,
                product: anyhow,
            },
            wanted: vec![wanted(prices())],
            location: &place.location,
            engine: &EngineConfig::default(),
            at: at(second),
            progress: &Events::silent(),
        })
        .await
    };
    let error = run(20_000, true, 0).await.unwrap_err();
    assert_eq!(pricemill::Error::from(error).kind(), Kind::Data);
    let snapshot = run(10_000, false, 1).await.unwrap();
    assert_eq!(snapshot.manifest.datasets["prices"].rows, 10_000);
}
