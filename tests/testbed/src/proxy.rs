//! A TCP proxy that loses things on purpose: it cuts a connection in the middle of a request, keeps back an answer, or
//! falls silent, and can be pointed at another server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Dies with its owner, and cuts what goes through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Way {
    target: AtomicU16,
    /// Bytes that clients may still send before the connection that sends the next one is cut; negative: no bound.
    allowance: AtomicI64,
    /// The next answer that holds this word is kept back, and its connection cut.
    swallow: Mutex<Option<&'static str>>,
    /// Whether nothing goes through, though connections stay open.
    silent: watch::Sender<bool>,
    /// Raised to cut all connections of earlier generations.
    generation: watch::Sender<u64>,
    cuts: AtomicU64,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a local port");
        let address = listener.local_addr().expect("its address");
        let way = Arc::new(Way {
            target: AtomicU16::new(port),
            allowance: AtomicI64::new(-1),
            swallow: Mutex::new(None),
            silent: watch::Sender::new(false),
            generation: watch::Sender::new(0),
            cuts: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, way.clone()));
        Self { address, way, accepting }
    }

    /// `url` of a server on this machine, through the proxy.
    pub fn url(&self, url: &str) -> String {
        let (before, rest) = url.rsplit_once(':').expect("a URL with a port");
        let (_port, after) = rest.split_once('/').expect("a URL with a path");
        format!("{before}:{}/{after}", self.address.port())
    }

    /// New connections go there.
    pub fn retarget(&self, port: u16) {
        self.way.target.store(port, Ordering::SeqCst);
    }

    pub fn cut_all(&self) {
        self.way.generation.send_modify(|generation| *generation += 1);
    }

    /// Cuts the connection on which clients send the byte after `bytes` more.
    pub fn cut_after(&self, bytes: u32) {
        self.way.allowance.store(i64::from(bytes), Ordering::SeqCst);
    }

    /// Keeps back the next answer of the server that holds `word`, and cuts its connection.
    pub fn swallow_the_next(&self, word: &'static str) {
        *self.way.swallow() = Some(word);
    }

    /// Whether an answer is still to be swallowed.
    pub fn is_hungry(&self) -> bool {
        self.way.swallow().is_some()
    }

    /// From now on nothing goes through, in either direction, on any connection, without a word.
    pub fn fall_silent(&self, silent: bool) {
        self.way.silent.send_replace(silent);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.way.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut_all();
    }
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, way.clone()));
    }
}

/// Carries one connection until either side ends it or the proxy cuts it.
async fn carry(client: TcpStream, way: Arc<Way>) {
    let mut generation = way.generation.subscribe();
    let _nodelay = client.set_nodelay(true);
    let Ok(server) = TcpStream::connect(("127.0.0.1", way.target.load(Ordering::SeqCst))).await else { return };
    let _nodelay = server.set_nodelay(true);
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let cut = tokio::select! {
        cut = pass_requests(from_client, to_server, &way) => cut,
        cut = pass_answers(from_server, to_client, &way) => cut,
        _ = generation.changed() => true,
    };
    way.cuts.fetch_add(u64::from(cut), Ordering::SeqCst);
}

/// Returns true when it is to be cut, false when it has ended.
async fn pass_requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: &Way) -> bool {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return false };
        way.speak().await;
        let sent = i64::try_from(count).unwrap_or(i64::MAX);
        let before = way.allowance.load(Ordering::SeqCst);
        let cut = before >= 0 && way.allowance.fetch_sub(sent, Ordering::SeqCst) - sent < 0;
        let passed = if cut { usize::try_from(before).unwrap_or(0).min(count) } else { count };
        if to.write_all(&buffer[..passed]).await.is_err() {
            return false;
        }
        if cut {
            way.allowance.store(-1, Ordering::SeqCst);
            return true;
        }
    }
}

async fn pass_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: &Way) -> bool {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return false };
        if way.swallows(&buffer[..count]) {
            return true;
        }
        way.speak().await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return false;
        }
    }
}

impl Way {
    fn swallow(&self) -> MutexGuard<'_, Option<&'static str>> {
        self.swallow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn swallows(&self, answer: &[u8]) -> bool {
        let holds = |word: &mut &str| answer.windows(word.len()).any(|part| part == word.as_bytes());
        self.swallow().take_if(holds).is_some()
    }

    /// Waits while the proxy is silent.
    async fn speak(&self) {
        let mut silent = self.silent.subscribe();
        let _gone = silent.wait_for(|silent| !silent).await;
    }
}
