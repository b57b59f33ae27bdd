//! Ends the present session.

use actix_web::{HttpRequest, HttpResponse};
use commands::sessions;
use domain::session::Ended;

use crate::Answer;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::visit::forget_cookie;
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route =
    Route { method: "DELETE", path: "/api/session", access: Access::Person, handle: |route| route.to(end) };

async fn end(http: HttpRequest, write: Write) -> Answer {
    write.fields()?.close()?;
    let signed_in = write.signed_in.as_ref().ok_or_else(Problem::signed_out)?;
    let (user, session) = (&signed_in.kept.user, &signed_in.kept.id);
    sessions::end(&write.bus, &write.request, user, session, Ended::SignedOut).await?;
    let mut response = HttpResponse::NoContent().finish();
    forget_cookie(&http, &mut response)?;
    Ok(response)
}
