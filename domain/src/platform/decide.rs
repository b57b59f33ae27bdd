//! What each command does to the platform.

use crate::platform::{AdminKind, Command, Event, Platform};
use crate::{Fault, Refusal, ids, text};

impl Platform {
    pub(super) fn decide_on(&self, command: &Command) -> Result<Vec<Event>, Refusal> {
        text::refuse_if_any(faults(command))?;
        match command {
            Command::SetUp { .. } if self.is_set_up => {
                Err(Refusal::state("already_set_up", "this platform was set up before; sign in instead"))
            }
            Command::SetUp { by } => Ok(vec![Event::SetUp { by: by.clone() }]),
            Command::AddAdmin { admin, kind, .. } if self.admins.get(admin) == Some(kind) => Ok(vec![]),
            Command::AddAdmin { by, admin, kind } => {
                Ok(vec![Event::AdminAdded { by: by.clone(), admin: admin.clone(), kind: *kind }])
            }
            Command::RemoveAdmin { admin, .. } if !self.admins.contains_key(admin) => Ok(vec![]),
            Command::RemoveAdmin { by, admin } => {
                if self.admins.get(admin) == Some(&AdminKind::User) && self.people().all(|person| person == admin) {
                    let detail = "nobody would be left to look after the platform; make somebody else an admin first";
                    return Err(Refusal::state("last_admin", detail));
                }
                Ok(vec![Event::AdminRemoved { by: by.clone(), admin: admin.clone() }])
            }
        }
    }
}

fn faults(command: &Command) -> Vec<Fault> {
    let mut faults = Vec::new();
    ids::check(command.by(), "/by", &mut faults);
    faults
}
