//! That lists are read in the order of an index, and no more of them than is asked for. Control: what none serves.

use sqlx::{AssertSqlSafe, Row};

use super::super::query::select;
use super::super::{Column, Filter, Kind, Query, Shape, Sort, Table, Value};
use crate::Config;
use crate::database::{Database, Sqlite, Views};

const SHAPE: Shape = Shape {
    name: "listed",
    version: 1,
    columns: &[Column { name: "status", kind: Kind::Text }, Column { name: "at", kind: Kind::Integer }],
    indexes: &[&["at"], &["status", "at"]],
    searched: true,
    singly: true,
    touches: false,
};

async fn plan(sqlite: &Sqlite, filters: Vec<Filter>, column: &'static str) -> String {
    let sort = Sort { column: Some(column), descending: true };
    let after = Some((if column == "at" { Value::Integer(9) } else { Value::Text("9".to_owned()) }, "k".to_owned()));
    let query = Query { filters, sort, after, limit: 50, ..Query::default() };
    let selection = select::<Views>(&Table::new(&SHAPE, 1), &query).unwrap().unwrap();
    let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", selection.sql));
    let rows = sqlx::query(sql).fetch_all(&sqlite.views.readers).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::new(format!("sqlite:{}", folder.path().join("log.db").display()));
    let database = Database::open(&config, &std::sync::Arc::default()).await.unwrap();
    crate::migrations::run(&database, &config).await.unwrap();
    let Database::Sqlite(sqlite) = database else { unreachable!("the URL says SQLite") };
    sqlite.views.open_view(&SHAPE, "epoch").await.unwrap();

    let newest = plan(&sqlite, vec![], "at").await;
    assert_eq!(newest, "SEARCH d USING INDEX view_listed_v1_g1_by_0 ((c_at,key)<(?,?))");
    for value in [Value::Text("open".to_owned()), Value::Null] {
        let one = plan(&sqlite, vec![Filter::Is("status", value)], "at").await;
        assert_eq!(one, "SEARCH d USING INDEX view_listed_v1_g1_by_1 (c_status=? AND (c_at,key)<(?,?))");
    }
    let values = vec![Value::Text("a".to_owned()), Value::Text("b".to_owned())];
    let two = plan(&sqlite, vec![Filter::In("status", values)], "at").await;
    assert_eq!(two.matches("view_listed_v1_g1_by_1 (c_status=? AND (c_at,key)<(?,?))").count(), 2, "{two}");
    let unserved = plan(&sqlite, vec![Filter::AtLeast("at", Value::Integer(1))], "status").await;
    assert!(unserved.contains("TEMP B-TREE") || !unserved.contains("(c_status,key)<(?,?)"), "{unserved}");
}
