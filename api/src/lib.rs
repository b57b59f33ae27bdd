//! The HTTP door: routes, sign-in, errors. The only crate with actix-web.
//!
//! A request passes the envelope (its id, its log span, the headers of every answer), then its route's door (who asks,
//! and may he at all), then a handler that extracts, dispatches and responds. Every error is a [`problem`].

mod body;
mod clock;
mod collection;
mod cookie;
mod door;
mod envelope;
mod fields;
mod freshness;
mod headers;
pub mod metrics;
mod origin;
mod partner;
mod problem;
mod public_url;
mod query;
mod read;
pub mod readiness;
mod resource;
mod respond;
pub mod routes;
mod server;
mod unseal;
mod visit;
mod write;

pub use origin::Network;
pub use routes::{Access, ROUTES, Route, pause_document, view_document, work_document};
pub use server::{Options, Rooms, Server};

/// What a handler comes to.
type Answer = Result<actix_web::HttpResponse, problem::Problem>;
