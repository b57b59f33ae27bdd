//! The first run: whoever has the code that the server printed becomes the first platform admin, and is signed in.

use actix_web::http::StatusCode;
use commands::sessions;
use commands::setup::{Tried, set_up};
use commands::users::Address;
use domain::session::Method;
use domain::user::User;

use crate::Answer;
use crate::clock::now;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::routes::{Access, Route};
use crate::visit::Visit;

pub(in crate::routes) const ROUTE: Route =
    Route { method: "POST", path: "/api/setup", access: Access::Open, handle: |route| route.to(begin) };

async fn begin(visit: Visit) -> Answer {
    let mut fields = Fields::of(&visit.body);
    let code: Option<String> = fields.required("code");
    let name: Option<String> = fields.required("name");
    fields.require("email");
    let email: Option<Address> = fields.named("email");
    let password: Option<String> = fields.required("password");
    fields.close()?;
    let (Some(code), Some(name), Some(email), Some(password)) = (code, name, email, password) else {
        return Err(Problem::fault("", "lacks what is required"));
    };
    let tried = (code.as_str(), visit.from);
    let enrolled = match set_up(&visit.bus, &visit.keys, &visit.request, tried, (name, email, password), now()).await? {
        Tried::Done(enrolled) => enrolled,
        Tried::Wait(wait) => return Err(Problem::too_many(wait, "too many wrong codes; wait before you try again")),
    };
    let generation =
        visit.bus.look::<User>(enrolled.user.as_str()).await?.map_or(0, |(account, ..)| account.generation);
    // From here on it is known whose it is.
    let request = visit.of(enrolled.user.as_str()).await;
    let begun = sessions::begin(&visit.bus, &request, (&enrolled.user, generation), Method::Setup, now()).await?;
    visit.let_in(StatusCode::CREATED, &begun)
}
