//! The registry of routes. A new route is one file and one line here.

mod approvals;
mod health;
mod incidents;
mod me;
mod metrics;
mod overview;
mod partner;
mod partner_grants;
mod roles;
mod runbooks;
mod session;
mod status_pages;
mod teams;
mod tokens;
mod users;
mod views;
mod work;

use std::collections::BTreeMap;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{guard, web};
use commands::authorize::Action;

use crate::Answer;
use crate::door;
use crate::problem::Problem;

pub use views::view_document;
pub use work::{pause_document, work_document};

/// Who passes the door of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a credential.
    Open,
    /// Whoever is signed in, whatever his roles; no token is a person.
    Person,
    /// Whoever may do this anywhere; where exactly is judged when it is known.
    Holding(Action),
    /// Programs of partners, with a secret that is exchanged for a token.
    PartnerSecret,
    /// Partners, with a token. What they see of it is their grant's affair. Nothing else passes here, and they pass
    /// nowhere else.
    Partner,
}

#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    /// Gives a route its handler.
    handle: fn(actix_web::Route) -> actix_web::Route,
}

/// Every route there is. Of paths that match the same address, the first wins.
pub const ROUTES: &[Route] = &[
    health::ALIVE,
    health::READY,
    metrics::ROUTE,
    overview::ROUTE,
    session::setup::ROUTE,
    session::sign_in::ROUTE,
    session::redeem::ROUTE,
    session::show::ROUTE,
    session::sign_out::ROUTE,
    me::profile::SHOW,
    me::profile::EDIT,
    me::password::ROUTE,
    me::delegation::SET,
    me::delegation::END,
    me::sessions::LIST,
    me::sessions::END,
    tokens::list::OWN,
    tokens::mint::OWN,
    tokens::revoke::OWN,
    users::create::ROUTE,
    users::list::ROUTE,
    users::show::ROUTE,
    users::edit::ROUTE,
    users::roles::GRANT,
    users::roles::REVOKE,
    users::standing::DEACTIVATE,
    users::standing::REACTIVATE,
    users::erase::ROUTE,
    users::invite::ROUTE,
    users::sessions::LIST,
    users::sessions::END,
    users::history::ROUTE,
    teams::create::ROUTE,
    teams::list::ROUTE,
    teams::show::ROUTE,
    teams::edit::ROUTE,
    teams::archive::ARCHIVE,
    teams::archive::RESTORE,
    teams::history::ROUTE,
    tokens::list::ALL,
    tokens::mint::SERVICE,
    tokens::show::ROUTE,
    tokens::revoke::ANY,
    tokens::history::ROUTE,
    runbooks::validate::ROUTE,
    runbooks::create::ROUTE,
    runbooks::list::ROUTE,
    runbooks::show::ROUTE,
    runbooks::edit::ROUTE,
    runbooks::submit::ROUTE,
    runbooks::withdraw::ROUTE,
    runbooks::approve::ROUTE,
    runbooks::reject::ROUTE,
    runbooks::deprecate::ROUTE,
    runbooks::discard::ROUTE,
    runbooks::versions::ROUTE,
    runbooks::version::ROUTE,
    runbooks::history::ROUTE,
    runbooks::diff::ROUTE,
    approvals::bulk::ROUTE,
    approvals::list::ROUTE,
    approvals::show::ROUTE,
    approvals::history::ROUTE,
    approvals::vote::APPROVE,
    approvals::vote::REJECT,
    incidents::declare::ROUTE,
    incidents::list::ROUTE,
    incidents::show::ROUTE,
    incidents::edit::ROUTE,
    incidents::timeline::ROUTE,
    incidents::history::ROUTE,
    incidents::acknowledge::ROUTE,
    incidents::unacknowledge::ROUTE,
    incidents::resolve::ROUTE,
    incidents::reopen::ROUTE,
    incidents::assign::ROUTE,
    incidents::responders::ADD,
    incidents::responders::REMOVE,
    incidents::severity::ROUTE,
    incidents::notes::ROUTE,
    incidents::snooze::ROUTE,
    incidents::merge::ROUTE,
    incidents::unmerge::ROUTE,
    status_pages::create::ROUTE,
    status_pages::list::ROUTE,
    status_pages::show::ROUTE,
    status_pages::edit::ROUTE,
    status_pages::archive::ROUTE,
    status_pages::history::ROUTE,
    status_pages::add_component::ROUTE,
    status_pages::components::ALL,
    status_pages::components::ONE,
    status_pages::edit_component::ROUTE,
    status_pages::remove_component::ROUTE,
    status_pages::move_component::ROUTE,
    status_pages::status::SET,
    status_pages::status::RELEASE,
    partner_grants::grant::ROUTE,
    partner_grants::list::ROUTE,
    partner_grants::show::ROUTE,
    partner_grants::edit::ROUTE,
    partner_grants::scope::ROUTE,
    partner_grants::renew::ROUTE,
    partner_grants::suspend::ROUTE,
    partner_grants::resume::ROUTE,
    partner_grants::revoke::ROUTE,
    partner_grants::pages::ROUTE,
    partner_grants::history::ROUTE,
    partner_grants::accesses::ROUTE,
    partner_grants::tokens::MAKE,
    partner_grants::tokens::LIST,
    partner_grants::tokens::ROTATE,
    partner_grants::tokens::REMOVE,
    partner::jwks::ROUTE,
    partner::token::ROUTE,
    partner::pages::LIST,
    partner::pages::SHOW,
    partner::pages::FILE,
    partner::pages::LIST_ALIAS,
    partner::pages::SHOW_ALIAS,
    partner::pages::FILE_ALIAS,
    views::list::ROUTE,
    views::pause::PAUSE,
    views::pause::RESUME,
    views::skip::ROUTE,
    views::retry::ROUTE,
    work::list::ROUTE,
    work::pause::PAUSE,
    work::pause::RESUME,
    work::show::ROUTE,
    work::retry::ROUTE,
    work::skip::ROUTE,
];

impl Route {
    fn build(&self) -> actix_web::Route {
        let access = self.access;
        let pass = move |request: ServiceRequest, next: Next<BoxBody>| door::pass(access, request, next);
        let method = Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        let route = if method == Method::GET {
            web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
        } else {
            web::method(method)
        };
        (self.handle)(route).wrap(from_fn(pass))
    }
}

/// Builds the app from the registry.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    let mut order: Vec<&str> = Vec::new();
    let mut paths: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
    for route in ROUTES {
        let routes = paths.entry(route.path).or_default();
        if routes.is_empty() {
            order.push(route.path);
        }
        routes.push(route);
    }
    for path in order {
        let routes = &paths[path];
        let mut methods: Vec<&str> = routes.iter().map(|route| route.method).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        let allowed = methods.join(", ");
        let refuse = move || std::future::ready(Answer::Err(Problem::method(&allowed)));
        let resource = routes.iter().fold(web::resource(path), |resource, route| resource.route(route.build()));
        app.service(resource.default_service(web::to(refuse)));
    }
    app.default_service(web::to(nowhere));
}

async fn nowhere() -> Answer {
    Err(Problem::missing("there is nothing under this address"))
}
