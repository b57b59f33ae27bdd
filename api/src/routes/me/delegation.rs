//! Who gives one's approvals for a time.

use commands::users::{Change, Delegate};
use domain::ids::UserId;
use domain::user::{Command, User};

use crate::Answer;
use crate::clock::now;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const SET: Route =
    Route { method: "PUT", path: "/api/me/delegation", access: Access::Person, handle: |route| route.to(set) };

pub(in crate::routes) const END: Route =
    Route { method: "DELETE", path: "/api/me/delegation", access: Access::Person, handle: |route| route.to(end) };

async fn set(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let to = fields.identifier("to").unwrap_or_else(|| UserId::new(""));
    let from = fields.optional("from").unwrap_or_else(now);
    fields.require("until");
    let until = fields.coming("until", now()).unwrap_or_default();
    fields.close()?;
    let user = write.request.actor.id.to_string();
    let delegate = Delegate { by: write.by(), user: user.clone(), to, from, until, at: now() };
    write.own().run::<User>(&delegate).await
}

async fn end(write: Write) -> Answer {
    write.fields()?.close()?;
    let user = write.request.actor.id.to_string();
    let change = Change { user: user.clone(), command: Command::EndDelegation { by: write.by() } };
    write.own().run::<User>(&change).await
}
