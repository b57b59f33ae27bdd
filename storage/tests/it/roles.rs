//! With an owner of its own for migrations, the application's role can add to the log and read it, and no more.

use storage::{Config, StorageError, Store};
use testbed::Cluster;

use crate::bed::Outside;
use crate::commands::{HOUR, committed, keyed, on, stream};
use crate::work::claimed;

/// A database with an owner, and an application's role that owns nothing.
pub(crate) async fn roles(name: &str) -> (Config, String) {
    let cluster = Cluster::shared();
    cluster.execute("postgres", &format!("CREATE ROLE \"owner {name}\" LOGIN; CREATE ROLE \"app {name}\" LOGIN")).await;
    cluster.execute("postgres", &format!("CREATE DATABASE roles_{name} OWNER \"owner {name}\"")).await;
    let url = |role: &str| cluster.url(&format!("roles_{name}")).replace("pagefree@", &format!("{role}%20{name}@"));
    let mut config = Config::new(url("app"));
    config.migration_url = Some(url("owner"));
    (config, url("owner"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_s_role_can_only_add_and_read() {
    let (config, owner) = roles("walls").await;
    let store = Store::open(&config).await.unwrap();
    let claim = claimed(&store, "lane").await;
    let mut append = keyed(on("a", 0), "key", 1, HOUR);
    append.claim = Some(claim);
    append.bulk =
        vec![storage::bulk::BulkRow { event: 0, kind: "k".to_owned(), subject: "s".to_owned(), body: vec![1] }];
    committed(store.append(append).await);
    assert_eq!(store.load(stream("a"), 0).await.unwrap().len(), 1);
    assert_eq!(store.token(1).await.unwrap().position, 1);
    assert_eq!(store.sweep(9).await.unwrap(), 0);
    store.register_reactor("reactor").await.unwrap();
    assert!(store.advance_reactor("reactor", 1, 1, &[crate::work::work("lane", 1)]).await.unwrap());
    store.pause_work(None, "restored").await.unwrap();
    store.resume_work(None).await.unwrap();
    assert_eq!(store.work_figures().await.unwrap().len(), 1);

    let mut app = Outside::connect(&config.url).await;
    for table in ["events", "bulk", "log_epochs"] {
        let column = if table == "log_epochs" { "ord" } else { "position" };
        for statement in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN more int"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("ALTER TABLE {table} DISABLE TRIGGER USER"),
            format!("DROP TABLE {table}"),
            format!("CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION refuse_change()"),
        ] {
            let refusal = app.refusal(&statement).await;
            assert!(refusal.contains("denied") || refusal.contains("must be owner"), "{statement}: {refusal}");
        }
    }
    for statement in [
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP FUNCTION refuse_change() CASCADE",
        "DELETE FROM schema_migrations",
        "CREATE TABLE mine ()",
    ] {
        let refusal = app.refusal(statement).await;
        assert!(refusal.contains("denied") || refusal.contains("must be owner"), "{statement}: {refusal}");
    }
    // Control: the owner is not stopped by rights, only by the triggers; and those he can disable.
    let mut owner = Outside::connect(&owner).await;
    assert!(owner.refusal("DELETE FROM bulk").await.contains("what is recorded stays"));
    owner.run("ALTER TABLE bulk DISABLE TRIGGER bulk_stays").await;
    owner.run("DELETE FROM bulk").await;
    assert_eq!(store.bulk_of(1).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_opens_nothing() {
    let (config, _owner) = roles("nothing").await;
    let alone = Config { migration_url: None, ..config.clone() };
    match Store::open(&alone).await {
        Err(StorageError::Rejected(why)) => assert!(why.contains("denied"), "{why}"),
        other => panic!("{other:?}"),
    }
    // Once the owner has made the tables, the role needs him no more.
    drop(Store::open(&config).await.unwrap());
    committed(Store::open(&alone).await.unwrap().append(on("a", 0)).await);
}
