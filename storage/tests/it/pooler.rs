//! Behind a pooler in transaction mode, where a session is anybody's between two transactions. The scenarios of the other
//! files run there too; here is what makes that worth something: the sessions are shared, and sharing hurts those who
//! do not keep a statement in a transaction.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Row};

use crate::bed::Bed;
use crate::commands::{committed, on, stream};

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_shared_and_nobody_notices() {
    let bed = Bed::pooler().await;
    let nodes = [bed.store.clone(), bed.another_node().await];
    let naive = naive_pool(&bed).await;
    let hurt = AtomicBool::new(false);
    let use_store = async |n: usize| {
        let (mut round, store) = (0, &nodes[n % 2]);
        while round < 40 || !hurt.load(Ordering::SeqCst) {
            let id = format!("{n} {round}");
            committed(store.append(on(&id, 0)).await);
            assert_eq!(store.load(stream(&id), 0).await.unwrap().len(), 1);
            assert_eq!(store.key_use(&key(&id)).await.unwrap(), storage::KeyUse::Unused);
            round += 1;
            assert!(round < 5000, "the control was never hurt, so this shows nothing");
        }
    };
    let use_naively = async |n: i64| {
        while !hurt.load(Ordering::SeqCst) {
            let answer = sqlx::query("SELECT $1::bigint").persistent(false).bind(n).fetch_one(&naive).await;
            if !matches!(&answer, Ok(row) if row.try_get::<i64, _>(0).ok() == Some(n)) {
                println!("without a transaction: {answer:?}");
                hurt.store(true, Ordering::SeqCst);
            }
        }
    };
    tokio::join!(join_all((0..16).map(use_store)), join_all((0..8).map(use_naively)));

    // 24 callers over at most twelve connections of each store: the server sees no more than the pooler's four.
    let sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let sessions = bed.outside().await.number(sessions).await;
    assert!((1..=4).contains(&sessions), "{sessions}");
}

fn key(id: &str) -> storage::Idempotency {
    crate::commands::keyed(on(id, 0), id, 1, crate::commands::HOUR).idempotency.expect("it has a key")
}

/// As one would connect to a pooler without thinking: unprepared statements, each in a transaction of its own.
async fn naive_pool(bed: &Bed) -> PgPool {
    let url = bed.config.url.replace("?pgbouncer=true", "");
    let options = PgConnectOptions::from_str(&url).expect("a URL").statement_cache_capacity(0);
    PgPoolOptions::new().max_connections(8).test_before_acquire(false).connect_with(options).await.expect("it connects")
}
