//! `pagefree migrate`: makes or upgrades the tables, and exits.

use clap::Args;

use super::Failure;
use super::settings::Place;

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        // Opening migrates.
        let store = self.place.open_beside().await?;
        eprintln!("the tables in {} are what this binary knows", store.engine());
        Ok(())
    }
}
