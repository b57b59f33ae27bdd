//! That what a grant names is there: read in the same attempt, so that what is granted cannot vanish meanwhile.

use domain::partner_grant::{Extent, Scope};
use domain::status_page::StatusPage;
use domain::{Fault, Refusal};

use crate::{CommandError, Unit};

/// Refuses a scope that names a page or a component which is not there.
pub async fn require_scope(unit: &mut Unit<'_>, scope: &Scope) -> Result<(), CommandError> {
    let mut faults = Vec::new();
    for (id, extent) in scope {
        let at = format!("/scope/{}", id.as_str());
        let page = unit.read::<StatusPage>(id.as_str()).await?;
        if page.created_by.is_none() {
            faults.push(Fault::new(at, "there is no such status page"));
            continue;
        }
        if page.archived {
            faults.push(Fault::new(at, "the status page is archived"));
            continue;
        }
        let Extent::Components(components) = extent else { continue };
        let missing = components.iter().enumerate().filter(|(_, component)| page.component(component).is_none());
        faults.extend(
            missing.map(|(index, _)| {
                Fault::new(format!("{at}/components/{index}"), "the status page has no such component")
            }),
        );
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults).into()) }
}
