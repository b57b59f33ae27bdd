//! Changes one's own password, which ends all of one's other sessions.

use actix_web::HttpResponse;
use commands::sign_in::{Changed, change_password};

use crate::Answer;
use crate::clock::now;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route =
    Route { method: "PUT", path: "/api/me/password", access: Access::Person, handle: |route| route.to(change) };

async fn change(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let old: Option<String> = fields.required("old_password");
    let new: Option<String> = fields.required("new_password");
    fields.close()?;
    let signed_in = write.signed_in.as_ref().ok_or_else(Problem::signed_out)?;
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let session = &signed_in.kept.id;
    let from = (write.from, now());
    match change_password(&write.bus, &write.keys, &write.request, (&old, &new), session, from).await? {
        Changed::Yes => Ok(HttpResponse::NoContent().finish()),
        Changed::Wait(wait) => Err(Problem::too_many(wait, "too many wrong passwords; wait before you try again")),
    }
}
