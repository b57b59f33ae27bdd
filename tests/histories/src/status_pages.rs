//! Status pages in random histories, with their slugs.

use domain::ids::{ActorId, ComponentId, IncidentId, ServiceId, StatusPageId};
use domain::incident::Severity;
use domain::status_page::{
    AddComponent, Audience, Changes, Command, ComponentChanges, ComponentStatus, Create, StatusPage,
};
use domain::status_page_slug::{self as slug, StatusPageSlug};
use storage::Append;

use crate::{Dice, Known, append, decided, person};

/// Pages that things happen to at the same time.
const ALIVE: usize = 60;

#[derive(Debug)]
pub(crate) struct StatusPages {
    /// Each with the slug that it has for all its life.
    alive: Vec<(Known<StatusPage>, Known<StatusPageSlug>)>,
    seed: u64,
    born: u64,
}

impl StatusPages {
    pub(crate) fn new(seed: u64) -> Self {
        Self { alive: Vec::new(), seed, born: 0 }
    }

    /// The pages that grants may name, and a component of each that has one.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&str, Option<&ComponentId>)> {
        self.alive.iter().map(|(page, _)| (page.id.as_str(), page.state.components.first().map(|one| &one.id)))
    }

    pub(crate) fn next(&mut self, dice: &mut Dice) -> Append {
        if self.alive.len() < ALIVE {
            self.alive.push((Known::default(), Known::default()));
            return self.create(dice, self.alive.len() - 1);
        }
        let index = usize::try_from(dice.below(self.alive.len() as u64)).unwrap_or(0);
        if self.alive[index].0.state.archived {
            return self.create(dice, index);
        }
        if dice.one_in(16) {
            return self.archive(dice, index);
        }
        let command = self.command(dice, index);
        let write = decided(&mut self.alive[index].0, &command);
        append(dice, vec![write])
    }

    fn create(&mut self, dice: &mut Dice, index: usize) -> Append {
        self.born += 1;
        let id = format!("p-{:x}-{:07}", self.seed, self.born);
        // Slugs come back: most of them were another page's before.
        let slug = format!("page-{:x}-{index}", self.seed);
        let (page, reservation) = &mut self.alive[index];
        *page = Known { id, ..Known::default() };
        reservation.id.clone_from(&slug);
        let create = Create {
            by: ActorId::new(person(dice)),
            slug: slug.clone(),
            name: (*dice.of(&["Shop", "Zahlungen Zürich", "決済"])).to_owned(),
            description: String::new(),
            time_zone: (*dice.of(&["UTC", "Europe/Zurich"])).to_owned(),
            audience: *dice.of(&Audience::ALL),
            team_id: None,
        };
        let first = decided(page, &Command::Create(Box::new(create)));
        let reserve = slug::Command::Reserve { slug, page: StatusPageId::new(&*page.id) };
        let second = decided(reservation, &reserve);
        append(dice, vec![first, second])
    }

    fn archive(&mut self, dice: &mut Dice, index: usize) -> Append {
        let (page, reservation) = &mut self.alive[index];
        let by = ActorId::new(person(dice));
        let first = decided(page, &Command::Archive { by, reason: None });
        let second = decided(reservation, &slug::Command::Release { page: StatusPageId::new(&*page.id) });
        append(dice, vec![first, second])
    }

    fn command(&self, dice: &mut Dice, index: usize) -> Command {
        let state = &self.alive[index].0.state;
        let by = ActorId::new(person(dice));
        let parts: Vec<&ComponentId> = state.components.iter().map(|component| &component.id).collect();
        let by_hand = state.components.iter().find(|component| component.by_hand.is_some());
        if parts.len() < 3 {
            return self.add(dice, state, by);
        }
        let component = (*dice.of(&parts)).clone();
        let plain =
            state.components.iter().find(|one| !one.group).map_or_else(|| component.clone(), |one| one.id.clone());
        match dice.below(14) {
            0 => {
                let name = Some(format!("Shop {}", dice.below(100)));
                Command::Edit { by, changes: Box::new(Changes { name, ..Changes::default() }) }
            }
            1 | 2 => {
                let changes =
                    ComponentChanges { service_ids: Some([service(dice)].into()), ..ComponentChanges::default() };
                Command::EditComponent { by, component: plain, changes: Box::new(changes) }
            }
            3 | 4 => {
                let position = 1 + u32::try_from(dice.below(3)).unwrap_or(0);
                Command::MoveComponent { by, component, group_id: None, position }
            }
            5 => Command::RemoveComponent { by, component: plain },
            6 | 7 => match by_hand {
                Some(set) => Command::ReleaseStatus { by, component: set.id.clone() },
                None => {
                    Command::SetStatus { by, component: plain, status: *dice.of(&ComponentStatus::ALL), reason: None }
                }
            },
            8..=11 => {
                let service_ids = [service(dice), service(dice)].into();
                Command::NoteIncident { incident: incident(dice), severity: *dice.of(&Severity::ALL), service_ids }
            }
            12 => match state.incidents.keys().next() {
                Some(known) => Command::ClearIncident { incident: known.clone() },
                None => self.add(dice, state, by),
            },
            _ => self.add(dice, state, by),
        }
    }

    fn add(&self, dice: &mut Dice, state: &StatusPage, by: ActorId) -> Command {
        let number = state.components.len() + state.removed.len();
        let group = number == 0;
        let heading = state.components.iter().find(|component| component.group).map(|group| group.id.clone());
        Command::AddComponent(Box::new(AddComponent {
            by,
            id: ComponentId::new(format!("c-{}-{number}", self.born)),
            name: format!("Part {number}"),
            description: String::new(),
            group,
            group_id: heading.filter(|_| dice.one_in(2)),
            service_ids: if group { [].into() } else { [service(dice)].into() },
            only_show_if_degraded: dice.one_in(3),
            position: None,
        }))
    }
}

fn service(dice: &mut Dice) -> ServiceId {
    ServiceId::new(format!("service-{}", dice.below(6)))
}

fn incident(dice: &mut Dice) -> IncidentId {
    IncidentId::new(format!("i-{}", dice.below(3)))
}
