//! A service whose every answer a test decides, byte for byte.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pricemill::{
    clock::{Clock, FakeClock},
    dataset::{Column, Contract, Dataset, Preference},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The path and the query.
    pub(crate) target: String,
    /// The head, in lower case.
    pub(crate) head: String,
    /// When it came, by the service's clock.
    pub(crate) at: Duration,
}

impl Asked {
    /// The number of the page asked for.
    pub(crate) fn page(&self) -> usize {
        let number = self.target.split_once("page=").map(|(_, number)| number);
        number.map_or(1, |number| number.parse().unwrap())
    }
}

/// A server on a port of its own.
pub(crate) struct Service {
    pub(crate) url: Url,
    /// The clock of the service and of its clients.
    pub(crate) clock: Arc<FakeClock>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    /// Answers each request with the bytes that `answer` returns, then hangs up.
    /// `answer` gets the number of the request, from 0.
    pub(crate) async fn new(
        mut answer: impl FnMut(usize, &Asked) -> Vec<u8> + Send + 'static,
    ) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let clock = fake_clock();
        let time = clock.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let asked = read_head(&mut stream, time.as_ref()).await;
                let bytes = {
                    let mut log = log.lock().unwrap();
                    log.push(asked.clone());
                    answer(log.len() - 1, &asked)
                };
                tokio::spawn(async move {
                    // The client may have hung up by now.
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Service {
            url: url.parse().unwrap(),
            clock,
            asked,
        }
    }

    /// Serves `rows` in pages of `size`, as the Django service does.
    pub(crate) async fn paged(rows: &[&str], size: usize) -> Service {
        let rows = owned(rows);
        Service::new(move |_, asked| ok(&page(&rows, size, asked.page()))).await
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        let mut targets: Vec<_> = self.asked().into_iter().map(|asked| asked.target).collect();
        targets.sort();
        targets
    }
}

async fn read_head(stream: &mut TcpStream, clock: &FakeClock) -> Asked {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    Asked {
        target: head.split(' ').nth(1).unwrap_or_default().to_owned(),
        head: head.to_lowercase(),
        at: clock.monotonic(),
    }
}

/// A clock that stands still until someone sleeps.
pub(crate) fn fake_clock() -> Arc<FakeClock> {
    FakeClock::at("2026-11-22T10:00:00Z".parse().unwrap())
}

pub(crate) fn owned(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

/// A page's body; its `next` names a host of its own, as one behind a proxy does.
pub(crate) fn page(rows: &[String], size: usize, number: usize) -> String {
    let chunk = rows.chunks(size).nth(number - 1).unwrap_or_default();
    let next = if number * size < rows.len() {
        format!(
            "\"http://inner.invalid:1/api/export/prices/?page={}\"",
            number + 1
        )
    } else {
        "null".to_owned()
    };
    format!(
        "{{\"count\":{},\"next\":{next},\"previous\":null,\"results\":[{}]}}",
        rows.len(),
        chunk.join(",")
    )
}

/// A whole answer of status 200 in JSON.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    answer(
        "200 OK",
        "content-type: application/json\r\n",
        body.as_bytes(),
    )
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// The dataset of prices.
pub(crate) fn prices() -> Dataset {
    let columns = [
        ("product_id", "bigint not null"),
        ("store_id", "bigint not null"),
        ("price", "decimal(10,2) not null"),
        ("price_record_id", "bigint"),
        ("sku", "text"),
    ];
    let columns = columns
        .iter()
        .map(|(name, declared)| Column::parse(name, declared).unwrap());
    Dataset {
        docs: Default::default(),
        name: "prices".to_owned(),
        endpoint: "prices".to_owned(),
        contract: Contract {
            columns: columns.collect(),
        },
        key: vec!["product_id".to_owned(), "store_id".to_owned()],
        prefer: vec![
            Preference {
                column: "price_record_id".to_owned(),
                highest: true,
            },
            Preference {
                column: "price".to_owned(),
                highest: false,
            },
        ],
    }
}

/// A price, as a service writes it.
pub(crate) fn price(product: i64, store: i64, price: &str) -> String {
    format!("{{\"product_id\":{product},\"store_id\":{store},\"price\":\"{price}\"}}")
}

/// Prices of one store.
pub(crate) fn some(count: i64) -> Vec<String> {
    (1..=count)
        .map(|product| price(product, 1, "2.50"))
        .collect()
}
