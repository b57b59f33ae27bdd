//! The server: its bounds, its start, and its end without cutting anybody off.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use commands::accesses::AccessLog;
use commands::{Bus, Keys};
use projections::Views;
use vault::signing::Signing;

use crate::clock::now;
use crate::metrics::{Requests, Source, Sources};
use crate::origin::{Network, Proxies};
use crate::public_url::PublicUrl;
use crate::readiness::{Watch, Watches};
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
    /// Under which address others reach it; where it listens, if nothing is said.
    pub public_url: Option<String>,
    /// Whose word counts for where a request came from.
    pub trusted_proxies: Vec<Network>,
}

/// What answers are made of.
#[derive(Clone)]
pub struct Rooms {
    pub bus: Bus,
    pub views: Views,
    pub keys: Keys,
    /// Partners' tokens are signed with its keys.
    pub signing: Signing,
    /// Figures that other rooms keep.
    pub sources: Vec<Source>,
    /// What they have against this process being ready.
    pub watches: Vec<Watch>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bus, views, keys, signing: _, sources, watches } = self;
        let rooms = &mut f.debug_struct("Rooms");
        rooms.field("bus", bus).field("views", views).field("keys", keys);
        rooms.field("sources", &sources.len()).field("watches", &watches.len()).finish_non_exhaustive()
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
        let (keys, signing) = (web::Data::new(rooms.keys), web::Data::new(rooms.signing));
        let (bus, views) = (web::Data::new(rooms.bus), web::Data::new(rooms.views));
        let (requests, sources) = (web::Data::new(Requests::default()), web::Data::new(Sources(rooms.sources)));
        let (proxies, watches) =
            (web::Data::new(Proxies(options.trusted_proxies.clone())), web::Data::new(Watches(rooms.watches)));
        let public_url = PublicUrl::default();
        let given_url = web::Data::new(public_url.clone());
        let started = web::Data::new(Started(now().as_duration().as_secs_f64()));
        let app = move || {
            App::new()
                .app_data(bus.clone())
                .app_data(views.clone())
                .app_data(keys.clone())
                .app_data(signing.clone())
                .app_data(accesses.clone())
                .app_data(given_url.clone())
                .app_data(proxies.clone())
                .app_data(requests.clone())
                .app_data(sources.clone())
                .app_data(watches.clone())
                .app_data(started.clone())
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
        public_url.set(options.public_url.clone().unwrap_or_else(|| format!("http://{address}")));
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
