//! Bulk rows: they go in with the event that holds their digest, or not at all.

use storage::bulk::{BulkRow, StoredBulk, digest};
use storage::{Append, Receipt, Verdict};

use crate::bed::{Bed, everywhere};
use crate::commands::{command, committed, on, write};

everywhere!(rows_go_in_with_their_event, rows_of_one_subject_come_in_pages, the_digest_proves_count_order_and_bytes);

fn row(event: usize, subject: &str, body: &[u8]) -> BulkRow {
    BulkRow { event, kind: "output".to_owned(), subject: subject.to_owned(), body: body.to_vec() }
}

fn with_rows(append: Append, bulk: Vec<BulkRow>) -> Append {
    Append { bulk, ..append }
}

fn bodies(rows: &[StoredBulk]) -> Vec<&[u8]> {
    rows.iter().map(|row| row.body.as_slice()).collect()
}

async fn rows_go_in_with_their_event(bed: &Bed) {
    let all_bytes: Vec<u8> = (0..=255).collect();
    let batch = vec![
        with_rows(
            command(vec![write("a", 0, 2), write("b", 0, 1)]),
            vec![row(2, "x", b"third"), row(0, "x", b"first"), row(0, "x", b""), row(0, "x", &all_bytes)],
        ),
        with_rows(on("refused", 4), vec![row(0, "x", b"refused")]),
        on("without rows", 0),
        with_rows(command(vec![write("c", 0, 3)]), vec![row(1, "x", b"later")]),
    ];
    let answers = bed.append_in_one_batch(batch.clone()).await;
    let first = committed(answers[0].clone()).first;
    assert_eq!(answers[1].clone().unwrap(), Verdict::Conflict);
    let last = committed(answers[3].clone());

    let rows = bed.store.bulk_of(first).await.unwrap();
    assert_eq!(bodies(&rows), [b"first".as_slice(), b"", &all_bytes]);
    assert_eq!(bodies(&bed.store.bulk_of(first + 1).await.unwrap()), [] as [&[u8]; 0]);
    assert_eq!(bodies(&bed.store.bulk_of(first + 2).await.unwrap()), [b"third"]);
    assert_eq!(bodies(&bed.store.bulk_of(last.first + 1).await.unwrap()), [b"later"]);
    assert_eq!(bed.outside().await.number("SELECT count(*) FROM bulk").await, 5);

    // The same command again adds nothing, nor do the rows change when all of a batch is good.
    assert!(matches!(bed.store.append(batch[0].clone()).await.unwrap(), Verdict::Duplicate(_)));
    let Receipt { first, .. } = committed(bed.store.append(with_rows(on("d", 0), vec![row(0, "x", b"alone")])).await);
    assert_eq!(bodies(&bed.store.bulk_of(first).await.unwrap()), [b"alone"]);
}

async fn rows_of_one_subject_come_in_pages(bed: &Bed) {
    for n in 0..4_u8 {
        let rows = (0..5).map(|m| row(0, if m == 4 { "other" } else { "mine" }, &[n, m])).collect();
        committed(bed.store.append(with_rows(on(&n.to_string(), 0), rows)).await);
    }
    let mut after = (0, 0);
    let mut seen = Vec::new();
    loop {
        let page = bed.store.bulk_about("output", "mine", after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = (last.position, last.ord);
        seen.extend(page.into_iter().map(|row| row.body));
    }
    let all: Vec<Vec<u8>> = (0..4).flat_map(|n| (0..4).map(move |m| vec![n, m])).collect();
    assert_eq!(seen, all);
    assert_eq!(bed.store.bulk_about("another kind", "mine", (0, 0), 9).await.unwrap(), []);
}

async fn the_digest_proves_count_order_and_bytes(bed: &Bed) {
    let sent: [&[u8]; 3] = [b"one", b"two", b""];
    let said = digest(sent);
    let rows = sent.iter().map(|body| row(0, "x", body)).collect();
    let Receipt { first, .. } = committed(bed.store.append(with_rows(on("a", 0), rows)).await);
    let stored = bed.store.bulk_of(first).await.unwrap();
    assert_eq!(digest(bodies(&stored)), said);
    // Controls: whatever else could have been stored has another digest.
    let others: [&[&[u8]]; 5] = [
        &[b"one", b"two"],
        &[b"two", b"one", b""],
        &[b"onet", b"wo", b""],
        &[b"one", b"twO", b""],
        &[b"one", b"", b"two"],
    ];
    for other in others {
        assert_ne!(digest(other.iter().copied()), said);
    }
}
