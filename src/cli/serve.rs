//! `pagefree serve`: runs the server until it is told to stop.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use api::{Options, Server};
use clap::Args;
use commands::{Bus, Role, tokens};
use storage::Store;
use tokio::signal::unix::{SignalKind, signal};

use super::settings::{Place, given};
use super::{Failure, housekeeping};

const LISTEN: &str = "127.0.0.1:8080";
/// How long requests in flight may take to end after the signal to stop.
const DRAIN: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDR", env = "PAGEFREE_LISTEN")]
    listen: Option<String>,
    /// Under which address others reach this server [default: http://<where it listens>].
    #[arg(long, value_name = "URL", env = "PAGEFREE_PUBLIC_URL")]
    public_url: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let listen = given(self.listen.as_ref()).or(given(file.listen.as_ref())).map_or(LISTEN, String::as_str);
        let options = Options { listen: resolve(listen)?, drain: DRAIN };
        let public_url = given(self.public_url.as_ref()).or(given(file.public_url.as_ref()));
        let public_url = public_url.map(|url| checked(url)).transpose()?;
        let stop = stop_signal()?;
        let config = self.place.config(&file)?.serve();
        let store = Store::open(&config).await.map_err(|error| Failure::database(&config.url, &error))?;
        let server = Server::bind(Bus::new(store.clone()), &options, stop)
            .map_err(|error| Failure::Failed(format!("cannot listen on {listen}: {error}")))?;
        let address = format!("http://{}", server.address());
        housekeeping::warn_of_unsafe_settings(&store).await;
        tokio::spawn(housekeeping::sweep(store.clone()));
        greet(&store, public_url.as_ref().unwrap_or(&address), &address).await?;
        server.run().await.map_err(|error| Failure::Failed(format!("the server stopped: {error}")))
    }
}

fn resolve(listen: &str) -> Result<SocketAddr, Failure> {
    let wrong = |why: String| Failure::Usage(format!("cannot listen on '{listen}': {why}"));
    let mut addresses = listen.to_socket_addrs().map_err(|error| wrong(error.to_string()))?;
    addresses.next().ok_or_else(|| wrong("the name has no address".to_owned()))
}

fn checked(url: &str) -> Result<String, Failure> {
    if url.starts_with("http://") || url.starts_with("https://") {
        Ok(url.trim_end_matches('/').to_owned())
    } else {
        Err(Failure::Usage(format!("the public URL '{url}' must begin with http:// or https://")))
    }
}

/// Says where to go, and on the first start with which token. The line that says where it listens comes last.
async fn greet(store: &Store, public_url: &str, address: &str) -> Result<(), Failure> {
    let failed = |error| Failure::Failed(format!("the first token was not made: {error}"));
    let mut text = String::new();
    if !tokens::any(store).await.map_err(failed)? {
        let secret = tokens::create(store, "made at the first start", Role::PlatformAdmin).await.map_err(failed)?;
        let _infallible = write!(
            text,
            "This is the first start. Here is the token of a platform admin; it is shown only now:\n\n  {secret}\n\n\
             Try it:\n\n  curl -sS {public_url}/api/incidents -H 'Authorization: Bearer {secret}' \
             -H 'Content-Type: application/json' -d '{{\"title\": \"A first try\", \"severity\": \"sev5\"}}'\n\n\
             More tokens: pagefree token create --name NAME --role ROLE\n\n"
        );
    }
    let _infallible = writeln!(text, "listening on {address}");
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

/// Ready at the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::Failed(format!("signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections; requests in flight have {DRAIN:?} to end");
    })
}
