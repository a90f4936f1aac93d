//! Connections: what a stop and the clock do to them.

use super::*;

#[tokio::test]
async fn a_stop_lets_the_request_in_flight_finish() {
    let world = World::with_rows(0);
    let (address, stop, server) = listen(world.service.clone()).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut idle = TcpStream::connect(address).await.unwrap();
    let body = form(&[("file", Some("bargains.json.gz"), &gzip(ONE.as_bytes()))]);
    let head = format!(
        "POST /api/upload/bargains/ HTTP/1.1\r\nHost: x\r\nX-Internal-API-Key: key\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body once the handler reads it: the request is in flight.
    let mut asked = [0; 25];
    client.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stop.send(()).unwrap();
    client.write_all(&body).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_trickles_is_cut_off() {
    let clock = HeldClock::new();
    let world = World::with_rows(0);
    let service = world.service.clone().with_clock(clock.clone());
    let (address, _stop, _server) = listen(service).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nX-Slow")
        .await
        .unwrap();
    clock.advance(1, Limits::default().header_timeout).await;
    let mut rest = String::new();
    slow.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
}

/// Begins an upload that does not go on. When it returns, the server waits for the body.
async fn begin_upload(address: std::net::SocketAddr) -> TcpStream {
    let head = "POST /api/upload/bargains/ HTTP/1.1\r\nHost: x\r\nX-Internal-API-Key: key\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nExpect: 100-continue\r\n\
         Content-Length: 999\r\n\r\n";
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    client.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    client
}

#[tokio::test]
async fn who_stays_silent_is_refused_when_the_time_is_over() {
    let clock = HeldClock::new();
    let world = World::with_rows(0);
    let service = world.service.clone().with_clock(clock.clone());
    let (address, _stop, _server) = listen(service).await;
    let mut silent = begin_upload(address).await;
    clock.advance(1, Limits::default().body_timeout).await;
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn a_stop_cuts_what_takes_too_long() {
    let clock = HeldClock::new();
    let limits = Limits {
        stop_timeout: Duration::from_secs(10),
        ..Limits::default()
    };
    let world = World::with_rows(0);
    let service = world.service.clone().with_limits(limits);
    let (address, stop, server) = listen(service.with_clock(clock.clone())).await;
    let mut silent = begin_upload(address).await;
    stop.send(()).unwrap();
    // The body's time and the stop's: the shorter is over first.
    clock.advance(2, limits.stop_timeout).await;
    server.await.unwrap();
    let mut answer = String::new();
    silent.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "");
}
