//! What is recorded stays: the database itself refuses to change it, whoever asks. Each refusal has its control on an
//! ordinary table.

use storage::bulk::BulkRow;

use crate::bed::{Bed, Outside, on_both};
use crate::commands::{command, committed, write};

on_both!(what_is_recorded_stays, a_replacement_is_refused_too, a_replica_role_does_not_help);

const RECORDED: [&str; 3] = ["events", "bulk", "log_epochs"];

async fn recorded(bed: &Bed) -> Outside {
    let mut append = command(vec![write("a", 0, 3)]);
    append.bulk = vec![BulkRow { event: 0, kind: "k".to_owned(), subject: "s".to_owned(), body: vec![1] }];
    committed(bed.store.append(append).await);
    bed.outside().await
}

fn column(table: &str) -> &'static str {
    if table == "log_epochs" { "after_position" } else { "position" }
}

async fn what_is_recorded_stays(bed: &Bed) {
    let mut outside = recorded(bed).await;
    let before = bed.store.read_after(0, 9).await.unwrap();
    for table in RECORDED {
        let column = column(table);
        outside.run(&format!("CREATE TABLE ordinary_{table} AS SELECT * FROM {table}")).await;
        let mut statements = vec![
            format!("UPDATE @ SET {column} = {column}"),
            format!("UPDATE @ SET {column} = {column} + 100 WHERE {column} >= 0"),
            "DELETE FROM @".to_owned(),
            format!("DELETE FROM @ WHERE {column} = 0 OR {column} > 0"),
        ];
        if !bed.is_sqlite() {
            statements.push("TRUNCATE @".to_owned());
            statements.push("TRUNCATE @ CASCADE".to_owned());
        }
        for statement in statements {
            let refusal = outside.refusal(&statement.replace('@', table)).await;
            assert!(refusal.ends_with("is refused: what is recorded stays"), "{statement}: {refusal}");
            outside.run(&statement.replace('@', &format!("ordinary_{table}"))).await;
        }
        assert_eq!(outside.number(&format!("SELECT count(*) FROM ordinary_{table}")).await, 0);
    }
    assert_eq!(bed.store.read_after(0, 9).await.unwrap(), before);
    assert_eq!(bed.store.bulk_of(1).await.unwrap().len(), 1);
}

async fn a_replacement_is_refused_too(bed: &Bed) {
    let mut outside = recorded(bed).await;
    let before = bed.store.read_after(0, 9).await.unwrap();
    if bed.is_sqlite() {
        // As on the store's own connections; that they have it is tested beside them.
        outside.run("PRAGMA recursive_triggers = ON").await;
    }
    for table in RECORDED {
        let replace = bed.sql(
            "INSERT OR REPLACE INTO @ SELECT * FROM @",
            "INSERT INTO @ SELECT * FROM @ ON CONFLICT ($) DO UPDATE SET $ = excluded.$",
        );
        let key = ["position", "position, ord", "ord"][RECORDED.iter().position(|name| *name == table).unwrap()];
        let replace = replace.replacen('$', key, 1).replace('$', key.split(',').next().unwrap());
        let refusal = outside.refusal(&replace.replace('@', table)).await;
        assert!(refusal.ends_with("is refused: what is recorded stays"), "{table}: {refusal}");

        let plain = format!("plain_{table}");
        let copy = format!(
            "CREATE TABLE {plain} AS SELECT * FROM {table}; CREATE UNIQUE INDEX {plain}_key ON {plain} ({key})"
        );
        outside.run(&copy).await;
        outside.run(&replace.replace('@', &plain)).await;
    }
    if bed.is_sqlite() {
        // Control: without the pragma the triggers do not see a replacement.
        outside.run("PRAGMA recursive_triggers = OFF").await;
        outside.run("BEGIN; INSERT OR REPLACE INTO events SELECT * FROM events; ROLLBACK").await;
    }
    assert_eq!(bed.store.read_after(0, 9).await.unwrap(), before);
}

async fn a_replica_role_does_not_help(bed: &Bed) {
    let mut outside = recorded(bed).await;
    if bed.is_sqlite() {
        // There is no such thing; what comes nearest are these.
        outside.run("PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON").await;
        assert!(outside.refusal("DELETE FROM events").await.contains("is refused"));
        return;
    }
    outside
        .run(
            "CREATE TABLE ordinary AS SELECT * FROM events;
             CREATE TRIGGER stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ordinary
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )
        .await;
    assert!(outside.refusal("DELETE FROM ordinary").await.contains("is refused"));
    outside.run("SET session_replication_role = replica").await;
    for statement in ["UPDATE @ SET position = position", "DELETE FROM @", "TRUNCATE @"] {
        for table in RECORDED {
            let statement = statement.replace('@', table).replace("position", column(table));
            assert!(outside.refusal(&statement).await.contains("is refused"), "{statement}");
        }
        // Control: an ordinary trigger does not fire now.
        outside.run(&statement.replace('@', "ordinary")).await;
    }
}
