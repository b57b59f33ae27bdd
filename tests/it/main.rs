//! Drives the real binary over HTTP on both databases, and checks the house itself: walls, licences, tidiness.

mod approvals;
mod as_of;
mod client;
mod command_line;
mod crash;
mod idempotency;
mod incident_life;
mod licences;
mod lists;
mod metadata;
mod operating;
mod outages;
mod overview;
mod partner_grants;
mod partners;
mod people;
mod preconditions;
mod problems;
mod replay;
mod replay_makes_no_work;
mod roles;
mod runbook_life;
mod serving;
mod shutdown;
mod status_pages;
mod tidy;
mod timers;
mod walls;
mod work;

/// Runs each of some behaviours, `async fn(Serving)`, on both databases.
macro_rules! on_both_databases {
    ($($behaviour:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(crate::serving::Serving::on_sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(crate::serving::Serving::on_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;
