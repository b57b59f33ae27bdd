//! SIGTERM and SIGINT: nobody new comes in, and whoever is in gets his answer.

use std::time::Duration;

use nix::sys::signal::Signal;
use testbed::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_both_databases;
use crate::serving::Serving;

on_both_databases!(sigterm_lets_requests_in_flight_end, sigint_lets_requests_in_flight_end);

async fn sigterm_lets_requests_in_flight_end(serving: Serving) {
    drains(serving, Signal::SIGTERM).await;
}

async fn sigint_lets_requests_in_flight_end(serving: Serving) {
    drains(serving, Signal::SIGINT).await;
}

/// A request whose body is half sent when the signal comes, and an idle connection.
async fn drains(mut serving: Serving, signal: Signal) {
    let token = serving.first_token.clone();
    serving.admin().new_incident("A connection that stays open").await;
    let address = serving.url.strip_prefix("http://").unwrap().to_owned();
    let body = r#"{"title":"In flight"}"#;
    let (begin, end) = body.split_at(9);
    let mut flight = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/incidents HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    flight.write_all(head.as_bytes()).await.unwrap();
    // It says "continue" when the handler asks for the body: now the request is in flight.
    let mut go_on = [0_u8; 25];
    flight.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&go_on));
    flight.write_all(begin.as_bytes()).await.unwrap();

    serving.signal(signal);
    eventually("nobody new is let in", || async { TcpStream::connect(&address).await.is_err() }).await;
    flight.write_all(end.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(20), flight.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let status = serving.ended().await;
    assert_eq!(status.code(), Some(0), "{}", serving.log());
}
