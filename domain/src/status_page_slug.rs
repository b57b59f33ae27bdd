//! The reservation of a status page's slug: a stream for each slug, named after it, so that the append that gives a slug
//! to one page conflicts with the one that gives it to another.

use serde::{Deserialize, Serialize};

use crate::ids::StatusPageId;
use crate::status_page::limits::is_slug;
use crate::{Aggregate, Fault, Refusal, StoredEvent, Upcaster, ids};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StatusPageSlug {
    /// The page that has it now.
    pub page: Option<StatusPageId>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `slug` is the name of this stream.
    Reserve { slug: String, page: StatusPageId },
    /// By the page that has it.
    Release { page: StatusPageId },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "status_page_slug.reserved")]
    Reserved { page: StatusPageId },
    #[serde(rename = "status_page_slug.released")]
    Released { page: StatusPageId },
}

impl StoredEvent for Event {
    const NAMES: &'static [&'static str] = &["status_page_slug.reserved", "status_page_slug.released"];

    const UPCASTERS: &'static [Upcaster] = &[];

    fn name(&self) -> &'static str {
        match self {
            Self::Reserved { .. } => "status_page_slug.reserved",
            Self::Released { .. } => "status_page_slug.released",
        }
    }

    fn version(&self) -> u32 {
        1
    }
}

crate::cqrs::domain_event!(Event);

impl Aggregate for StatusPageSlug {
    const TYPE: &'static str = "status_page_slug";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        let mut faults = Vec::new();
        let (Command::Reserve { page, .. } | Command::Release { page }) = command;
        ids::check(page, "/page", &mut faults);
        if matches!(command, Command::Reserve { slug, .. } if !is_slug(slug)) {
            faults.push(Fault::new("/slug", "is no slug"));
        }
        crate::text::refuse_if_any(faults)?;
        match (command, &self.page) {
            (Command::Reserve { page, .. }, Some(holder)) if page == holder => Ok(vec![]),
            (Command::Reserve { slug, .. }, Some(_)) => Err(Refusal::state(
                "slug_taken",
                format!("another status page has the slug {slug}; choose another one"),
            )),
            (Command::Reserve { page, .. }, None) => Ok(vec![Event::Reserved { page: page.clone() }]),
            (Command::Release { page }, Some(holder)) if page == holder => {
                Ok(vec![Event::Released { page: page.clone() }])
            }
            // Whose it is not has nothing to give.
            (Command::Release { .. }, _) => Ok(vec![]),
        }
    }

    fn apply(&mut self, event: &Event) {
        self.page = match event {
            Event::Reserved { page } => Some(page.clone()),
            Event::Released { .. } => None,
        };
    }
}
