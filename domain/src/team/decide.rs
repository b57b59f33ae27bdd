//! What each command does to a team.

use crate::team::{Command, Event, Team};
use crate::{Fault, Refusal, ids, text};

const NAME_CHARACTERS: usize = 100;
const DESCRIPTION_CHARACTERS: usize = 1_000;

impl Team {
    pub(super) fn decide_on(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        text::refuse_if_any(faults(command))?;
        if let Command::Create { by, team, name, description } = command {
            if self.id.is_some() {
                return Err(Refusal::state("team_exists", "a team with this id exists already"));
            }
            let (name, description) = (name.trim().to_owned(), description.trim().to_owned());
            return Ok(vec![Event::Created { by: by.clone(), team: team.clone(), name, description }]);
        }
        if self.id.is_none() {
            return Err(Refusal::missing("team_missing", "there is no such team"));
        }
        match command {
            Command::Create { .. } => Ok(vec![]),
            Command::Edit { by, name, description } => {
                let changed = |sent: &Option<String>, known: &str| {
                    sent.as_deref().map(str::trim).filter(|sent| *sent != known).map(str::to_owned)
                };
                let (name, description) = (changed(name, &self.name), changed(description, &self.description));
                if name.is_none() && description.is_none() {
                    return Ok(vec![]);
                }
                Ok(vec![Event::Edited { by: by.clone(), name, description }])
            }
            Command::Archive { .. } if self.archived => Ok(vec![]),
            Command::Archive { by } => Ok(vec![Event::Archived { by: by.clone() }]),
            Command::Restore { .. } if !self.archived => Ok(vec![]),
            Command::Restore { by } => Ok(vec![Event::Restored { by: by.clone() }]),
        }
    }
}

fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    ids::check(command.by(), "/by", &mut faults);
    let (name, description) = match command {
        Command::Create { team, name, description, .. } => {
            ids::check(team, "/id", &mut faults);
            (Some(name), Some(description))
        }
        Command::Edit { name, description, .. } => (name.as_ref(), description.as_ref()),
        Command::Archive { .. } | Command::Restore { .. } => (None, None),
    };
    if let Some(name) = name {
        text::check(name, 1, NAME_CHARACTERS, "/name", &mut faults);
    }
    if let Some(description) = description {
        text::check(description, 0, DESCRIPTION_CHARACTERS, "/description", &mut faults);
    }
    faults
}
