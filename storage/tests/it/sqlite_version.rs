//! The SQLite that is linked is one without the bug that corrupted write-ahead logs.

use sqlx::{Connection, Row, SqliteConnection};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_new_enough() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let version: String = sqlx::query("SELECT sqlite_version()").fetch_one(&mut connection).await.unwrap().get(0);
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "SQLite {version} is older than 3.51.3");
    // The controls of the comparison.
    assert!(vec![3, 51, 2] < vec![3, 51, 3] && vec![3, 46, 0] < vec![3, 51, 3] && vec![3, 100, 0] > vec![3, 51, 3]);
}
