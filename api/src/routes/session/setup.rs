//! The first run: whoever has the code that the server printed becomes the first platform admin, and is signed in.

use actix_web::http::StatusCode;
use commands::sessions;
use commands::setup::set_up;
use commands::users::Address;
use domain::session::Method;

use crate::Answer;
use crate::clock::now;
use crate::fields::Fields;
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
        return Err(crate::problem::Problem::fault("", "lacks what is required"));
    };
    let request = visit.of(&visit.request.command_id.to_string()).await;
    let enrolled = set_up(&visit.bus, &visit.keys, request.clone(), &code, (name, email, password), now()).await?;
    let begun = sessions::begin(&visit.bus, &request, &enrolled.user, Method::Setup, now()).await?;
    visit.let_in(StatusCode::CREATED, &begun)
}
