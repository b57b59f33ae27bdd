//! Shows a partner grant, now or as of a time or position.

use commands::authorize::Action;
use domain::partner_grant::PartnerGrant;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/partner-grants/{id}",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<PartnerGrant>().await
}
