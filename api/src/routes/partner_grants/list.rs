//! Lists partner grants: filtered, searched and sorted.

use commands::authorize::Action;
use domain::partner_grant::Status;
use projections::lists::PartnerGrantList;
use projections::partner_grants::PartnerGrantDetail;

use crate::Answer;
use crate::collection::Collection;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/partner-grants",
    access: Access::Holding(Action::ReadPartnerGrants),
    handle: |route| route.to(list),
};

async fn list(mut collection: Collection) -> Answer {
    let wanted = wanted(&mut collection);
    collection.answer::<PartnerGrantDetail>(wanted.query()).await
}

fn wanted(collection: &mut Collection) -> PartnerGrantList {
    let query = &mut collection.query;
    let status = |word: &str| Status::ALL.into_iter().find(|status| status.as_str() == word);
    PartnerGrantList {
        statuses: query.words("status", "pending, active, suspended, revoked or expired", status),
        limit: query.limit(),
        page: collection.identifier("page_id"),
        person: collection.identifier("person"),
        ends_after: collection.time("ends_after"),
        ends_before: collection.time("ends_before"),
        search: collection.search(),
        sort: collection.sort(PartnerGrantList::SORTS),
    }
}
