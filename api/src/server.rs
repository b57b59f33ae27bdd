//! The server: its bounds, its start, and its end without cutting anybody off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use commands::Bus;

use crate::{envelope, routes};

/// For the request's line and headers, from the first byte on.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// Connections of one worker at most.
const CONNECTIONS: usize = 10_000;

#[derive(Debug, Clone)]
pub struct Options {
    pub listen: SocketAddr,
    /// How long requests in flight may take to end after the signal to stop.
    pub drain: Duration,
}

/// A server that is bound to its address.
pub struct Server {
    server: actix_web::dev::Server,
    address: SocketAddr,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Binds, and serves until `stop` is ready; then takes no new connection and lets requests in flight end.
    pub fn bind(bus: Bus, options: &Options, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        let bus = web::Data::new(bus);
        let app = move || App::new().app_data(bus.clone()).configure(routes::configure).wrap(from_fn(envelope::wrap));
        let server = HttpServer::new(app)
            .client_request_timeout(HEAD_TIME)
            .keep_alive(IDLE_TIME)
            .max_connections(CONNECTIONS)
            .shutdown_signal(stop)
            .shutdown_timeout(options.drain.as_secs())
            .bind(options.listen)?;
        let address = server.addrs().first().copied().unwrap_or(options.listen);
        Ok(Self { server: server.run(), address })
    }

    /// Where it really listens: the port is chosen now if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the signal to stop has come and the last request has ended.
    pub async fn run(self) -> io::Result<()> {
        self.server.await
    }
}
