//! Shows a status page as the house sees it, now or as of a time or position.

use commands::authorize::Action;
use domain::status_page::StatusPage;

use crate::Answer;
use crate::read::Read;
use crate::routes::{Access, Route};

pub(in crate::routes) const ROUTE: Route = Route {
    method: "GET",
    path: "/api/status-pages/{id}",
    access: Access::Holding(Action::ReadStatusPages),
    handle: |route| route.to(show),
};

async fn show(read: Read) -> Answer {
    read.answer::<StatusPage>().await
}
