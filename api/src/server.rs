//! The server: its bounds, its start, and its end without cutting anybody off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use commands::Bus;
use commands::accesses::AccessLog;
use projections::Views;
use vault::Vault;
use vault::signing::Signing;

use crate::clock::now;
use crate::metrics::{Requests, Source, Sources};
use crate::public_url::PublicUrl;
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

/// What answers are made of.
#[derive(Clone)]
pub struct Rooms {
    pub bus: Bus,
    pub views: Views,
    /// Under which address others reach this server; where it listens, if nobody says.
    pub public_url: Option<String>,
    /// Partners' tokens are signed with its keys.
    pub signing: Signing,
    pub vault: Vault,
    /// Figures that other rooms keep.
    pub sources: Vec<Source>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bus, views, public_url, sources, .. } = self;
        f.debug_struct("Rooms")
            .field("bus", bus)
            .field("views", views)
            .field("public_url", public_url)
            .field("sources", &sources.len())
            .finish_non_exhaustive()
    }
}

/// When the process began, in seconds since 1970.
pub(crate) struct Started(pub(crate) f64);

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
    pub fn bind(rooms: Rooms, options: &Options, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<Self> {
        // One for the whole process: it lives as long as the server does.
        let accesses = web::Data::new(AccessLog::start(&rooms.bus));
        let (signing, vault) = (web::Data::new(rooms.signing), web::Data::new(rooms.vault));
        let (bus, views) = (web::Data::new(rooms.bus), web::Data::new(rooms.views));
        let (requests, sources) = (web::Data::new(Requests::default()), web::Data::new(Sources(rooms.sources)));
        let public_url = PublicUrl::default();
        let given_url = web::Data::new(public_url.clone());
        let started = web::Data::new(Started(now().as_duration().as_secs_f64()));
        let app = move || {
            App::new()
                .app_data(bus.clone())
                .app_data(views.clone())
                .app_data(requests.clone())
                .app_data(sources.clone())
                .app_data(started.clone())
                .app_data(given_url.clone())
                .app_data(accesses.clone())
                .app_data(signing.clone())
                .app_data(vault.clone())
                .configure(routes::configure)
                .wrap(from_fn(envelope::wrap))
        };
        let server = HttpServer::new(app)
            .client_request_timeout(HEAD_TIME)
            .keep_alive(IDLE_TIME)
            .max_connections(CONNECTIONS)
            .shutdown_signal(stop)
            .shutdown_timeout(options.drain.as_secs())
            .bind(options.listen)?;
        let address = server.addrs().first().copied().unwrap_or(options.listen);
        public_url.set(rooms.public_url.unwrap_or_else(|| format!("http://{address}")));
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
