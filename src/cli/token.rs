//! `pagefree token`: API tokens, made against the database directly, also while a server runs.

use std::io::{Write, stdout};

use clap::{Args, Subcommand};
use commands::tokens::{Wanted, mint};
use commands::{Actor, ActorKind, Bus, Request, Role};

use super::Failure;
use super::settings::Place;

/// Characters that a token's name may have.
const NAME_CHARACTERS: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a token and prints it, alone, on standard output. It cannot be shown again.
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    /// What it is for.
    #[arg(long, value_parser = name)]
    name: String,
    /// `platform_admin`, `team_manager`, `responder`, `auditor` or `viewer`.
    #[arg(long, value_parser = role)]
    role: Role,
    #[command(flatten)]
    place: Place,
}

impl Token {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let Command::Create(create) = self.command;
        let store = create.place.open_beside().await?;
        let request = Request::new(Actor::system(ActorKind::System, "command-line"));
        let wanted = Wanted::service(&create.name, create.role);
        let minted = mint(&Bus::new(store), &request, wanted, super::now()).await;
        let secret = minted.map_err(|error| Failure::Failed(format!("the token was not made: {error}")))?.secret;
        writeln!(stdout(), "{secret}").map_err(|error| Failure::Failed(format!("standard output: {error}")))
    }
}

fn name(text: &str) -> Result<String, String> {
    let sound = (1..=NAME_CHARACTERS).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(format!("a name has 1 to {NAME_CHARACTERS} characters")) }
}

fn role(text: &str) -> Result<Role, String> {
    match text.parse()? {
        Role::Partner => Err("partners are granted pages, they get no API tokens".to_owned()),
        role => Ok(role),
    }
}
