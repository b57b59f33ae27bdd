//! Claims that end in one call: one that the database refuses harms no other. Control: a call that is not halved.

use futures_util::future::join_all;
use storage::StorageError;
use storage::work::{Claim, Closing, WorkState};

use crate::bed::{Bed, everywhere};
use crate::work::claimed;

everywhere!(one_bad_ending_harms_no_other);

const ENDINGS: usize = 9;
const BAD: usize = 5;

/// From now on the database refuses every change of the work in the lane `bad`.
async fn refuse(bed: &Bed) {
    let sqlite = "CREATE TRIGGER refuse_bad BEFORE UPDATE ON work WHEN OLD.lane = 'bad'
                  BEGIN SELECT RAISE(ABORT, 'this one is bad'); END";
    let postgres = "CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN RAISE EXCEPTION 'this one is bad'; END $$;
                    CREATE TRIGGER refuse_bad BEFORE UPDATE ON work FOR EACH ROW WHEN (OLD.lane = 'bad')
                        EXECUTE FUNCTION refuse_bad()";
    bed.outside().await.run(bed.sql(sqlite, postgres)).await;
}

async fn states(bed: &Bed, claims: &[Claim]) -> Vec<WorkState> {
    let row = async |claim: &Claim| bed.store.work_row(claim.work_id).await.unwrap().unwrap().state;
    join_all(claims.iter().map(row)).await
}

fn is_bad<T>(answer: &Result<T, StorageError>) -> bool {
    matches!(answer, Err(StorageError::Rejected(why)) if why.contains("this one is bad"))
}

async fn one_bad_ending_harms_no_other(bed: &Bed) {
    let plug = claimed(&bed.store, "plug").await;
    let mut claims = Vec::new();
    for n in 0..ENDINGS {
        claims.push(claimed(&bed.store, if n == BAD { "bad".to_owned() } else { n.to_string() }.as_str()).await);
    }
    refuse(bed).await;
    // Control: these go in one call that is refused or not as a whole.
    assert!(is_bad(&bed.store.release_work(&claims).await));
    assert_eq!(states(bed, &claims).await, [WorkState::Claimed; ENDINGS]);

    // While the queue is locked a first closing waits for it, and all others for that one.
    let mut outside = bed.outside().await;
    outside.run(bed.sql("BEGIN IMMEDIATE", "BEGIN; LOCK TABLE work IN EXCLUSIVE MODE")).await;
    let rest = join_all(claims.iter().map(|claim| bed.store.finish_work(*claim)));
    let unlock = async { outside.run("COMMIT").await };
    let (plug, answers, ()) = tokio::join!(bed.store.finish_work(plug), rest, unlock);
    assert_eq!(plug.unwrap(), Closing::Closed);
    for (n, (answer, state)) in answers.iter().zip(states(bed, &claims).await).enumerate() {
        if n == BAD {
            assert!(is_bad(answer) && state == WorkState::Claimed, "{answer:?} {state}");
        } else {
            assert!(matches!(answer, Ok(Closing::Closed)) && state == WorkState::Done, "{n}: {answer:?} {state}");
        }
    }
}
