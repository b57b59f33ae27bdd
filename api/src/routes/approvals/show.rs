//! Shows an approval, now or as of a time or position: what exactly is asked for, and how it was voted.

use commands::authorize::Action;
use domain::approval::Approval;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/approvals/{id}",
    access: Access::Holding(Action::ReadApprovals),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<Approval>().await
}
