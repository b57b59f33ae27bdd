//! Declares an incident.

use commands::authorize::Action;
use domain::ids::UserId;
use domain::incident::{Command, Declare, Incident, Link, Responder, ResponderRole, Source, limits};

use crate::Answer;
use crate::fields::Fields;
use crate::routes::{Access, Route};
use crate::write::Write;

pub(in crate::routes) const ROUTE: Route = Route {
    method: "POST",
    path: "/api/incidents",
    access: Access::Holding(Action::HandleIncident),
    handle: |route| route.to(declare),
};

async fn declare(write: Write) -> Answer {
    let mut fields = write.fields()?;
    let title: String = fields.required("title").unwrap_or_default();
    let declare = Declare {
        summary: fields.optional("summary").unwrap_or_default(),
        labels: fields.optional("labels").unwrap_or_default(),
        service_ids: fields.identifiers("service_ids").unwrap_or_default(),
        team_id: fields.optional("team_id"),
        source: fields.object("source", source).unwrap_or_default(),
        links: fields.objects("links", link).unwrap_or_default(),
        custom_fields: fields.optional("custom_fields").unwrap_or_default(),
        responders: fields.objects("responders", responder).unwrap_or_default().into_iter().collect(),
        ..Declare::new(write.by(), title, fields.named("severity").unwrap_or_default())
    };
    let command = Command::Declare(Box::new(declare));
    fields.close_with(limits::faults(&command))?;
    write.create::<Incident>(&command).await
}

fn source(fields: &mut Fields<'_>) -> Option<Source> {
    let kind = fields.required("kind");
    let reference = fields.optional("reference");
    Some(Source { kind: kind?, reference })
}

pub(super) fn link(fields: &mut Fields<'_>) -> Option<Link> {
    let url = fields.required("url");
    let title = fields.optional("title");
    Some(Link { url: url?, title })
}

fn responder(fields: &mut Fields<'_>) -> Option<Responder> {
    let user: Option<UserId> = fields.identifier("user");
    let role = fields.optional("role").unwrap_or(ResponderRole::Responder);
    Some(Responder { user: user?, role })
}
