//! Filling a build by COPY.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::time::timeout;

use super::{each, of_table};
use crate::StorageError;
use crate::database::Postgres;
use crate::documents::{CountDelta, Document, Table, Touch, Value, terms};

/// For one call, of some thousand documents.
const FILLED_WITHIN: Duration = Duration::from_mins(2);

/// Sent in parts of about this size.
const PART: usize = 256 * 1024;

impl Postgres {
    pub(in crate::documents) async fn fill(
        &self,
        table: &Table,
        documents: &[Document],
        touches: &[Touch],
        counts: &[CountDelta],
    ) -> Result<(), StorageError> {
        match timeout(FILLED_WITHIN, self.copy(table, documents, touches, counts)).await {
            Ok(filled) => filled,
            Err(_) => Err(StorageError::Unavailable("the server does not take what a view is filled with".to_owned())),
        }
    }

    async fn copy(
        &self,
        table: &Table,
        documents: &[Document],
        touches: &[Touch],
        counts: &[CountDelta],
    ) -> Result<(), StorageError> {
        let mut transaction = self.changing_views().await?;
        // Nothing compares where a fill goes on: what was acknowledged must be there after a crash.
        sqlx::query("SET LOCAL synchronous_commit = on").persistent(false).execute(&mut *transaction).await?;
        let build = sqlx::query(
            "SELECT FROM view_builds WHERE name = $1 AND version = $2 AND generation = $3 AND NOT finished FOR SHARE",
        );
        let build = build.persistent(false).bind(table.name()).bind(table.version().cast_signed());
        let build = build.bind(table.generation().cast_signed());
        if build.fetch_optional(&mut *transaction).await?.is_none() {
            return Err(table.superseded());
        }
        let statements = table.postgres();
        let documents = documents.iter().map(|document| line(table, document));
        copy(&mut transaction, &statements.fill_documents, documents).await.map_err(of_table(table))?;
        if table.shape().touches && !touches.is_empty() {
            let touches = touches.iter().map(|touch| {
                let mut line = String::new();
                field(&mut line, Some(&touch.key));
                field(&mut line, Some(&touch.position.to_string()));
                ended(line)
            });
            copy(&mut transaction, &statements.fill_touches, touches).await.map_err(of_table(table))?;
        }
        if !counts.is_empty() {
            count(&mut transaction, table, counts).await?;
        }
        Ok(transaction.commit().await?)
    }
}

async fn count(connection: &mut PgConnection, table: &Table, counts: &[CountDelta]) -> Result<(), StorageError> {
    let query = sqlx::query(
        "INSERT INTO view_counts AS c (view, version, generation, grouping, value, n)
         SELECT $1, $2, $3, d.grouping, d.value, sum(d.by)::bigint
           FROM unnest($4::text[], $5::text[], $6::bigint[]) AS d(grouping, value, by) GROUP BY d.grouping, d.value
         ON CONFLICT (view, version, generation, grouping, value) DO UPDATE SET n = c.n + excluded.n",
    );
    let query = query.persistent(false).bind(table.name()).bind(table.version().cast_signed());
    let query = query.bind(table.generation().cast_signed());
    let query = query.bind(each(counts, |count| count.grouping)).bind(each(counts, |count| count.value.as_str()));
    query.bind(each(counts, |count| count.by)).execute(connection).await?;
    Ok(())
}

async fn copy(
    connection: &mut PgConnection,
    statement: &str,
    lines: impl Iterator<Item = String>,
) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(statement).await?;
    let mut part = String::with_capacity(PART * 2);
    for line in lines {
        part.push_str(&line);
        if part.len() >= PART {
            copy.send(part.as_bytes()).await?;
            part.clear();
        }
    }
    if !part.is_empty() {
        copy.send(part.as_bytes()).await?;
    }
    copy.finish().await.map(drop)
}

/// A document in COPY's text format.
fn line(table: &Table, document: &Document) -> String {
    let mut line = String::with_capacity(document.body.len() + 200);
    field(&mut line, Some(&document.key));
    field(&mut line, Some(&document.position.to_string()));
    field(&mut line, Some(&document.body));
    let parked = document.parked.as_ref();
    field(&mut line, parked.map(|parked| parked.at.to_string()).as_deref());
    field(&mut line, parked.map(|parked| parked.why.as_str()));
    for value in &document.columns {
        match value {
            Value::Null => field(&mut line, None),
            Value::Text(text) => field(&mut line, Some(text)),
            Value::Integer(number) => field(&mut line, Some(&number.to_string())),
        }
    }
    if table.shape().searched {
        field(&mut line, Some(&terms::tsvector(&document.terms)));
    }
    ended(line)
}

/// Each field ends with a tab, the last one of a line with its end instead.
fn ended(mut line: String) -> String {
    line.pop();
    line.push('\n');
    line
}

fn field(line: &mut String, value: Option<&str>) {
    let Some(mut rest) = value else {
        line.push_str("\\N\t");
        return;
    };
    while let Some(at) = rest.find(['\\', '\n', '\r', '\t']) {
        line.push_str(&rest[..at]);
        line.push('\\');
        line.push(match rest.as_bytes()[at] {
            b'\n' => 'n',
            b'\r' => 'r',
            b'\t' => 't',
            _ => '\\',
        });
        rest = &rest[at + 1..];
    }
    line.push_str(rest);
    line.push('\t');
}

#[cfg(test)]
mod tests {
    use super::{ended, field};

    #[test]
    fn fields_are_escaped_as_copy_reads_them() {
        let mut line = String::new();
        for value in [Some("a\\N"), None, Some(""), Some("l\ni\re\ts🙂")] {
            field(&mut line, value);
        }
        assert_eq!(ended(line), "a\\\\N\t\\N\t\tl\\ni\\re\\ts🙂\n");
    }
}
