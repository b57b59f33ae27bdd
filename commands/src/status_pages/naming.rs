//! Whatever gives a page its slug or takes it away: the page and the reservation in one append.

use domain::ids::{ActorId, StatusPageId};
use domain::status_page::{Changes, Command, Create, StatusPage};
use domain::status_page_slug::{self as slug, StatusPageSlug};

use crate::{CommandError, Procedure, Unit};

#[derive(Debug, Clone)]
pub struct CreatePage {
    pub page: StatusPageId,
    pub create: Create,
}

impl Procedure for CreatePage {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.page.as_str();
        unit.suppose_new::<StatusPage>(id);
        unit.decide::<StatusPage>(id, &Command::Create(Box::new(self.create.clone()))).await?;
        reserve(unit, &self.create.slug, &self.page).await
    }
}

#[derive(Debug, Clone)]
pub struct EditPage {
    pub by: ActorId,
    pub page: StatusPageId,
    pub changes: Changes,
}

impl Procedure for EditPage {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.page.as_str();
        // First, because If-Match is about the page.
        let old = unit.read::<StatusPage>(id).await?.slug.clone();
        let edit = Command::Edit { by: self.by.clone(), changes: Box::new(self.changes.clone()) };
        unit.decide::<StatusPage>(id, &edit).await?;
        match &self.changes.slug {
            Some(new) if *new != old => {
                reserve(unit, new, &self.page).await?;
                release(unit, &old, &self.page).await
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone)]
pub struct ArchivePage {
    pub by: ActorId,
    pub page: StatusPageId,
    pub reason: Option<String>,
}

impl Procedure for ArchivePage {
    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.page.as_str();
        let archive = Command::Archive { by: self.by.clone(), reason: self.reason.clone() };
        unit.decide::<StatusPage>(id, &archive).await?;
        // Another page may have it now.
        let slug = unit.read::<StatusPage>(id).await?.slug.clone();
        release(unit, &slug, &self.page).await
    }
}

async fn reserve(unit: &mut Unit<'_>, slug: &str, page: &StatusPageId) -> Result<(), CommandError> {
    let command = slug::Command::Reserve { slug: slug.to_owned(), page: page.clone() };
    unit.decide::<StatusPageSlug>(slug, &command).await.map(drop)
}

async fn release(unit: &mut Unit<'_>, slug: &str, page: &StatusPageId) -> Result<(), CommandError> {
    unit.decide::<StatusPageSlug>(slug, &slug::Command::Release { page: page.clone() }).await.map(drop)
}
