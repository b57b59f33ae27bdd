//! A status page as somebody sees it, in the shapes of Statuspage's public API, version 2.
//!
//! Here is the ONE filter of what a viewer may see: [`shown`]. Everything that leaves the house goes through it, whatever
//! it is written in; and everything that sums up (the overall status, a group's, when the page last changed, where a
//! component stands) is made of what came through, because a sum gives away its parts.

use std::collections::BTreeSet;

use domain::ids::ComponentId;
use domain::partner_grant::Extent;
use domain::status_page::ComponentStatus;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::status_pages::{ComponentDetail, StatusPageDetail};

/// How things are doing altogether.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overall {
    /// `none`, `minor`, `major`, `critical` or `maintenance`.
    pub indicator: String,
    pub description: String,
}

impl Default for Overall {
    fn default() -> Self {
        Self::of(std::iter::empty())
    }
}

impl Overall {
    /// Of some components; groups are none, they only sum up.
    pub fn of(statuses: impl IntoIterator<Item = ComponentStatus>) -> Self {
        use ComponentStatus::{DegradedPerformance, MajorOutage, Operational, PartialOutage, UnderMaintenance};
        let all: Vec<ComponentStatus> = statuses.into_iter().collect();
        let worst = all.iter().max().copied().unwrap_or_default();
        let everywhere = all.iter().all(|status| *status == worst);
        let (indicator, description) = match (worst, everywhere) {
            (MajorOutage, true) => ("critical", "Major System Outage"),
            (MajorOutage, false) | (PartialOutage, true) => ("major", "Partial System Outage"),
            (PartialOutage, false) => ("minor", "Minor Service Outage"),
            (DegradedPerformance, true) => ("minor", "Degraded System Service"),
            (DegradedPerformance, false) => ("minor", "Partially Degraded Service"),
            (UnderMaintenance, _) => ("maintenance", "Service Under Maintenance"),
            (Operational, _) => ("none", "All Systems Operational"),
        };
        Self { indicator: indicator.to_owned(), description: description.to_owned() }
    }
}

/// What a viewer sees of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    page: PageCard,
    status: Overall,
    components: Vec<ShownComponent>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct PageCard {
    id: String,
    name: String,
    url: String,
    time_zone: String,
    updated_at: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ShownComponent {
    id: ComponentId,
    name: String,
    status: ComponentStatus,
    created_at: String,
    updated_at: String,
    position: u32,
    description: Option<String>,
    showcase: bool,
    start_date: Option<String>,
    group_id: Option<ComponentId>,
    page_id: String,
    group: bool,
    only_show_if_degraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<ComponentId>>,
}

/// A page as somebody sees it who may see so much of it. Nothing is left of one that is archived.
pub fn shown(page: &StatusPageDetail, extent: &Extent, url: &str) -> Option<Shown> {
    if page.archived.is_some() {
        return None;
    }
    let within: Vec<&ComponentDetail> =
        page.components.iter().filter(|component| is_within(extent, component)).collect();
    let updated_at = within.iter().map(|component| component.updated_at).fold(page.edited_at, Timestamp::max);
    let visible: Vec<&ComponentDetail> =
        within.iter().copied().filter(|component| is_visible(component, &within)).collect();
    let parts = visible.iter().filter(|component| !component.is.group).map(|component| component.status);
    Some(Shown {
        page: PageCard {
            id: page.id.clone(),
            name: page.name.clone(),
            url: url.to_owned(),
            time_zone: page.time_zone.clone(),
            updated_at: instant(updated_at),
        },
        status: Overall::of(parts),
        components: in_order(&page.id, &visible),
    })
}

/// Whether a component is granted: by itself, or with its group.
fn is_within(extent: &Extent, component: &ComponentDetail) -> bool {
    match extent {
        Extent::All => true,
        Extent::Components(granted) => {
            granted.contains(&component.is.id)
                || component.is.group_id.as_ref().is_some_and(|group| granted.contains(group))
        }
    }
}

/// Whether there is a reason to show a component now, and the group that it stands in.
fn is_visible(component: &ComponentDetail, within: &[&ComponentDetail]) -> bool {
    let quiet = |one: &ComponentDetail| one.is.only_show_if_degraded && one.status == ComponentStatus::Operational;
    let group = component.is.group_id.as_ref();
    let group = group.and_then(|id| within.iter().find(|other| other.is.id == *id));
    !quiet(component) && !group.is_some_and(|group| quiet(group))
}

/// Each group with its members behind it. Whoever does not see the group sees its members without one.
fn in_order(page_id: &str, visible: &[&ComponentDetail]) -> Vec<ShownComponent> {
    let groups: BTreeSet<&ComponentId> =
        visible.iter().filter(|component| component.is.group).map(|group| &group.is.id).collect();
    let under = |component: &ComponentDetail| component.is.group_id.clone().filter(|id| groups.contains(id));
    let mut shown = Vec::with_capacity(visible.len());
    for (position, component) in (1..).zip(visible.iter().filter(|component| under(component).is_none())) {
        if !component.is.group {
            shown.push(row(page_id, component, position, None));
            continue;
        }
        let members: Vec<_> =
            visible.iter().filter(|member| under(member).as_ref() == Some(&component.is.id)).collect();
        let mut heading = row(page_id, component, position, None);
        heading.status = members.iter().map(|member| member.status).max().unwrap_or_default();
        heading.components = Some(members.iter().map(|member| member.is.id.clone()).collect());
        shown.push(heading);
        let group = Some(&component.is.id);
        shown.extend((1..).zip(&members).map(|(position, member)| row(page_id, member, position, group)));
    }
    shown
}

fn row(page_id: &str, component: &ComponentDetail, position: u32, group: Option<&ComponentId>) -> ShownComponent {
    let is = &component.is;
    ShownComponent {
        id: is.id.clone(),
        name: is.name.clone(),
        status: component.status,
        created_at: instant(component.created_at),
        updated_at: instant(component.updated_at),
        position,
        description: Some(is.description.clone()).filter(|text| !text.is_empty()),
        showcase: false,
        start_date: Some(component.created_at.strftime("%Y-%m-%d").to_string()),
        group_id: group.cloned(),
        page_id: page_id.to_owned(),
        group: is.group,
        only_show_if_degraded: is.only_show_if_degraded,
        components: None,
    }
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The files of the API. Every one of them can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    Summary,
    Status,
    Components,
    Incidents,
    UnresolvedIncidents,
    Maintenances,
    UpcomingMaintenances,
    ActiveMaintenances,
}

impl File {
    pub const ALL: [Self; 8] = [
        Self::Summary,
        Self::Status,
        Self::Components,
        Self::Incidents,
        Self::UnresolvedIncidents,
        Self::Maintenances,
        Self::UpcomingMaintenances,
        Self::ActiveMaintenances,
    ];

    /// Its name under `api/v2/`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Summary => "summary.json",
            Self::Status => "status.json",
            Self::Components => "components.json",
            Self::Incidents => "incidents.json",
            Self::UnresolvedIncidents => "incidents/unresolved.json",
            Self::Maintenances => "scheduled-maintenances.json",
            Self::UpcomingMaintenances => "scheduled-maintenances/upcoming.json",
            Self::ActiveMaintenances => "scheduled-maintenances/active.json",
        }
    }

    pub fn named(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.path() == path)
    }
}

impl Shown {
    /// One of the API's files. Pages tell of no incident and no maintenance in words yet, so those lists are empty.
    pub fn file(&self, file: File) -> Value {
        let Self { page, status, components } = self;
        match file {
            File::Summary => json!({
                "page": page, "components": components, "incidents": [], "scheduled_maintenances": [], "status": status,
            }),
            File::Status => json!({ "page": page, "status": status }),
            File::Components => json!({ "page": page, "components": components }),
            File::Incidents | File::UnresolvedIncidents => json!({ "page": page, "incidents": [] }),
            File::Maintenances | File::UpcomingMaintenances | File::ActiveMaintenances => {
                json!({ "page": page, "scheduled_maintenances": [] })
            }
        }
    }

    /// As it stands in a list of pages.
    pub fn card(&self) -> Value {
        json!({ "page": self.page, "status": self.status })
    }

    /// The components that are in it.
    pub fn component_ids(&self) -> impl Iterator<Item = &ComponentId> {
        self.components.iter().map(|component| &component.id)
    }
}
