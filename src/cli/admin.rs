//! `pagefree admin`: people who look after the platform, made against the database directly, also while a server runs.
//! The way back in for whoever has locked himself out.

use std::collections::BTreeSet;
use std::io::{Read, Write, stdin, stdout};

use clap::{Args, Subcommand};
use commands::users::{Address, Newcomer, Welcome, enrol};
use commands::{Actor, ActorKind, Bus, Grant, Request, Role};
use domain::user::{Origin, PasswordBy};

use super::Failure;
use super::settings::Place;

/// Bytes of a password that are read.
const PASSWORD_BYTES: u64 = 1_024;

#[derive(Debug, Args)]
pub(crate) struct Admin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lets somebody in, and prints his id, alone, on standard output.
    Create(Create),
}

#[derive(Debug, Args)]
struct Create {
    /// His e-mail address, with which he signs in.
    #[arg(long)]
    email: Address,
    /// What he is called [default: what stands before the @].
    #[arg(long)]
    name: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// `platform_admin`, `team_manager`, `responder`, `auditor` or `viewer`, everywhere.
    #[arg(long, default_value = "platform_admin")]
    role: Role,
    #[command(flatten)]
    place: Place,
}

impl Admin {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let Command::Create(create) = self.command;
        let mut typed = String::new();
        stdin()
            .take(PASSWORD_BYTES)
            .read_to_string(&mut typed)
            .map_err(|error| Failure::Usage(format!("the password on standard input: {error}")))?;
        let password = typed.lines().next().unwrap_or_default().to_owned();
        let store = create.place.open_beside().await?;
        let keys = create.place.keys(&store).await?;
        let bus = Bus::new(store);
        let name = create.name.unwrap_or_else(|| {
            let address = create.email.as_str();
            address.split_once('@').map_or(address, |(local, _)| local).to_owned()
        });
        let newcomer = Newcomer {
            name,
            email: create.email,
            grants: BTreeSet::from([Grant { role: create.role, team: None }]),
            origin: Origin::CommandLine,
            password: Some(Welcome { password, how: PasswordBy::CommandLine }),
        };
        let request = Request::new(Actor::system(ActorKind::System, "command-line"));
        let enrolled = enrol(&bus, &keys, &request, newcomer, super::now()).await;
        let user = enrolled.map_err(|error| Failure::Failed(format!("nobody was let in: {error}")))?.user;
        writeln!(stdout(), "{user}").map_err(|error| Failure::Failed(format!("standard output: {error}")))
    }
}
