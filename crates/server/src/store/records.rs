//! Call records, and the call event callbacks that go with them.

use duologue_signaling::server::CallRecord;

use super::{ServiceStore, StoreError};

/// A call event callback that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) service_id: String,
    pub(crate) attempts: u32,
    pub(crate) record: CallRecord,
}

impl ServiceStore {
    /// The newest call records, the newest first.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn records(&self, limit: u32) -> Result<Vec<CallRecord>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT record FROM calls ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|(record,)| parse(record)).collect()
    }

    /// The record of one call.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn record(&self, sid: &str) -> Result<Option<CallRecord>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT record FROM calls WHERE sid = ?")
            .bind(sid)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|(record,)| parse(&record)).transpose()
    }

    /// At most `limit` callbacks that are due at `now_ms`.
    pub(crate) async fn due(&self, now_ms: u64, limit: u32) -> Result<Vec<Due>, StoreError> {
        let rows: Vec<(String, u32, String)> = sqlx::query_as(
            "SELECT o.service_id, o.attempts, c.record FROM outbox o JOIN calls c ON c.sid = o.sid \
             WHERE o.due_ms IS NOT NULL AND o.due_ms <= ? ORDER BY o.due_ms LIMIT ?",
        )
        .bind(now_ms as i64)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(service_id, attempts, record)| {
                Ok(Due {
                    service_id,
                    attempts,
                    record: parse(&record)?,
                })
            })
            .collect()
    }

    /// When the next callback is due, in Unix ms.
    pub(crate) async fn next_due(&self) -> Result<Option<u64>, StoreError> {
        let (due,): (Option<i64>,) = sqlx::query_as("SELECT min(due_ms) FROM outbox WHERE due_ms IS NOT NULL")
            .fetch_one(&self.pool)
            .await?;
        Ok(due.map(|due| due.max(0) as u64))
    }

    /// The callback was answered 2xx.
    pub(crate) async fn delivered(&self, sid: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE sid = ?")
            .bind(sid)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The callback failed; it is due again at `due_ms`, or given up.
    pub(crate) async fn postpone(&self, sid: &str, attempts: u32, due_ms: Option<u64>) -> Result<(), StoreError> {
        sqlx::query("UPDATE outbox SET attempts = ?, due_ms = ? WHERE sid = ?")
            .bind(attempts)
            .bind(due_ms.map(|due| due as i64))
            .bind(sid)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn parse(record: &str) -> Result<CallRecord, StoreError> {
    serde_json::from_str(record).map_err(|_| StoreError::Damaged { what: "call record" })
}
