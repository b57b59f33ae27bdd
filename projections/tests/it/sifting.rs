//! Pages of those documents that somebody wants where no column says which: none is skipped, none is shown twice, and
//! looking in vain ends with a cursor.

use histories::History;
use projections::approvals::ApprovalDetail;
use projections::lists::ApprovalList;
use projections::{Cursor, Views};
use storage::StorageError;
use storage::documents::Stored;

use crate::bed::{Bed, on_both, settled, start_with};

on_both!(what_is_sifted_adds_up);

/// So that there are more approvals than one page looks at.
const EVENTS: usize = 42_000;
const LOOKED_AT: usize = 2_048;

/// Every page, as the keys on it.
async fn walked(
    views: &Views,
    list: &ApprovalList,
    wanted: impl Fn(&Stored) -> Result<bool, StorageError>,
) -> Vec<Vec<String>> {
    let (mut pages, mut cursor): (Vec<Vec<String>>, Option<Cursor>) = (vec![], None);
    loop {
        let page = views.sift::<ApprovalDetail>(list.query(), cursor.as_ref(), &wanted).await.unwrap().unwrap();
        pages.push(page.items.into_iter().map(|item| item.key).collect());
        cursor = page.next;
        if cursor.is_none() {
            return pages;
        }
    }
}

async fn what_is_sifted_adds_up(bed: &Bed) {
    let store = bed.store().await;
    let views = start_with(&store, &[projections::registry::register::<ApprovalDetail>()]);
    History::new(5, 12).tell(&store, EVENTS).await;
    settled(&views).await;
    let list = |limit| ApprovalList { limit, ..ApprovalList::default() };
    let all: Vec<String> = walked(&views, &list(200), |_| Ok(true)).await.concat();
    assert!(all.len() > LOOKED_AT, "{}", all.len());
    let (documents, _) = views.counts::<ApprovalDetail>().await.unwrap();
    assert_eq!(documents.iter().map(|(.., n)| *n).sum::<i64>(), i64::try_from(all.len()).unwrap());

    let seventh = |stored: &Stored| Ok(stored.key.ends_with(['3', 'c']));
    let expected: Vec<&String> = all.iter().filter(|key| key.ends_with(['3', 'c'])).collect();
    let pages = walked(&views, &list(10), seventh).await;
    assert!(pages[..pages.len() - 1].iter().all(|page| page.len() == 10), "only the last one is short");
    assert_eq!(pages.concat().iter().collect::<Vec<_>>(), expected);

    // In vain: it stops in between, and comes to the end all the same.
    let none = walked(&views, &list(10), |_| Ok(false)).await;
    assert_eq!((none.len(), none.concat().len()), (all.len().div_ceil(LOOKED_AT), 0));
    // A cursor of another order leads nowhere.
    let page = views.sift::<ApprovalDetail>(list(1).query(), None, |_| Ok(true)).await.unwrap().unwrap();
    let mut other = list(1).query();
    other.sort.descending = true;
    assert_eq!(views.sift::<ApprovalDetail>(other, page.next.as_ref(), |_| Ok(true)).await.unwrap(), None);
}
