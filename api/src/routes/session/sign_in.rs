//! Signs in with an e-mail address and a password.

use actix_web::http::StatusCode;
use commands::sign_in::{self, Shown, SignedIn};
use commands::users::Address;

use crate::Answer;
use crate::clock::now;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::visit::Visit;

pub(in crate::routes) const ROUTE: Route =
    Route { method: "POST", path: "/api/session", access: Access::Open, handle: |route| route.to(begin) };

/// Longer ones are no password of ours, and hashing them is work.
const PASSWORD_BYTES: usize = 1_024;

async fn begin(visit: Visit) -> Answer {
    let mut fields = Fields::of(&visit.body);
    fields.require("email");
    let email: Option<Address> = fields.named("email");
    let password: Option<String> = fields.required("password");
    if password.as_ref().is_some_and(|password| password.len() > PASSWORD_BYTES) {
        fields.fault("password", format!("must have at most {PASSWORD_BYTES} bytes"));
    }
    fields.close()?;
    let (Some(email), Some(password)) = (email, password) else { return Err(Problem::wrong_credentials()) };
    let shown = Shown { email, password, from: visit.from };
    match sign_in::with_password(&visit.bus, &visit.keys, async |user| visit.of(user).await, &shown, now()).await? {
        SignedIn::Yes(begun) => {
            tracing::info!(user = begun.kept.user, session = begun.kept.id, "signed in");
            visit.let_in(StatusCode::CREATED, &begun)
        }
        SignedIn::No => {
            tracing::warn!("a sign-in was refused");
            Err(Problem::wrong_credentials())
        }
        SignedIn::Wait(wait) => {
            tracing::warn!(?wait, "sign-ins are refused for a while");
            Err(Problem::too_many(wait, "too many wrong passwords; wait before you try again"))
        }
    }
}
