//! The one writer of calls: it journals live calls and turns them into records.

use std::collections::HashMap;
use std::time::Duration;

use duologue_signaling::ids::{CallId, PartyId};
use duologue_signaling::server::{CallRecord, Snapshot};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::{ServiceStore, StoreError};
use crate::clock::unix_ms;

/// Most changes that wait to be written; who adds more waits.
const QUEUE: usize = 1_024;
/// Most changes of one transaction.
const BATCH: usize = 256;
/// Attempts at writing a batch, and the pause between them.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// A call that is going on, with what its devices need in order to come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Journal {
    pub(crate) snapshot: Snapshot,
    /// The session of each device.
    pub(crate) sessions: Vec<(PartyId, String)>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Write>,
}

#[derive(Debug)]
enum Write {
    Live {
        sid: CallId,
        journal: Box<Journal>,
        done: oneshot::Sender<bool>,
    },
    Record {
        record: Box<CallRecord>,
        done: oneshot::Sender<bool>,
    },
    /// Nothing; answered when everything before it is on disk.
    Barrier { done: oneshot::Sender<bool> },
}

impl Writer {
    /// The writer's handle, and its loop, which ends when every handle is gone.
    pub(crate) fn new(store: ServiceStore) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, incoming) = mpsc::channel(QUEUE);
        (Self { queue }, run(store, incoming))
    }

    /// Notes how a call stands; resolves when it is on disk. False: the database refuses for good.
    pub(crate) async fn live(&self, sid: CallId, journal: Journal) -> bool {
        let (done, written) = oneshot::channel();
        let write = Write::Live {
            sid,
            journal: Box::new(journal),
            done,
        };
        self.queue.send(write).await.is_ok() && written.await.unwrap_or(false)
    }

    /// Writes a call's record, its callback for the outbox, and its journal's end, all or nothing; resolves when it is on
    /// disk. False: the database refuses for good.
    pub(crate) async fn record(&self, record: CallRecord) -> bool {
        let (done, written) = oneshot::channel();
        let write = Write::Record {
            record: Box::new(record),
            done,
        };
        self.queue.send(write).await.is_ok() && written.await.unwrap_or(false)
    }

    /// Resolves when everything so far is on disk.
    pub(crate) async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Write::Barrier { done }).await.is_ok() {
            let _ = written.await;
        }
    }
}

impl ServiceStore {
    /// The journal of calls that were going on.
    pub(crate) async fn live_calls(&self) -> Result<Vec<Journal>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT sid, journal FROM live_calls")
            .fetch_all(&self.pool)
            .await?;
        let mut calls = Vec::with_capacity(rows.len());
        for (sid, journal) in rows {
            match serde_json::from_str(&journal) {
                Ok(journal) => calls.push(journal),
                // One call that cannot be read must not keep the server from serving all others.
                Err(error) => tracing::error!(sid, %error, "a journaled call cannot be read and is left alone"),
            }
        }
        Ok(calls)
    }

    async fn write(&self, live: &HashMap<CallId, Box<Journal>>, records: &[CallRecord]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (sid, journal) in live {
            let text = serde_json::to_string(journal).map_err(|_| StoreError::Damaged { what: "journal" })?;
            sqlx::query("INSERT INTO live_calls (sid, journal) VALUES (?, ?) ON CONFLICT DO UPDATE SET journal = excluded.journal")
                .bind(sid.as_str())
                .bind(text)
                .execute(&mut *transaction)
                .await?;
        }
        for record in records {
            write_record(&mut transaction, record).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn write_record(connection: &mut SqliteConnection, record: &CallRecord) -> Result<(), StoreError> {
    let text = serde_json::to_string(record).map_err(|_| StoreError::Damaged { what: "call record" })?;
    // The first record of a call is the record of the call.
    let made = sqlx::query(
        "INSERT INTO calls (sid, from_service_id, from_user_id, to_service_id, to_user_id, end_time, disconnect_reason, record) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&record.sid)
    .bind(&record.from_service_id)
    .bind(&record.from_user_id)
    .bind(&record.to_service_id)
    .bind(&record.to_user_id)
    .bind(record.end_time as i64)
    .bind(record.disconnect_reason)
    .bind(text)
    .execute(&mut *connection)
    .await?;
    if made.rows_affected() > 0 {
        // Calls stay within a service; one to another service was refused, and is only the caller's service's business.
        sqlx::query(
            "INSERT INTO outbox (sid, service_id, due_ms) SELECT ?1, ?2, ?3 \
             WHERE EXISTS (SELECT 1 FROM services WHERE id = ?2 AND call_event_callback IS NOT NULL)",
        )
        .bind(&record.sid)
        .bind(&record.from_service_id)
        .bind(unix_ms() as i64)
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query("DELETE FROM live_calls WHERE sid = ?")
        .bind(&record.sid)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn run(store: ServiceStore, mut incoming: mpsc::Receiver<Write>) {
    let mut batch = Vec::with_capacity(BATCH);
    // Whatever came in while the last transaction was written makes the next one, so that nobody waits for a timer.
    while incoming.recv_many(&mut batch, BATCH).await > 0 {
        let mut live = HashMap::new();
        let mut records = Vec::new();
        let mut waiting = Vec::new();
        for write in batch.drain(..) {
            match write {
                Write::Live { sid, journal, done } => {
                    live.insert(sid, journal);
                    waiting.push(done);
                }
                Write::Record { record, done } => {
                    live.retain(|sid, _| sid.as_str() != record.sid);
                    records.push(*record);
                    waiting.push(done);
                }
                Write::Barrier { done } => waiting.push(done),
            }
        }
        let mut written = false;
        for attempt in 1..=ATTEMPTS {
            match store.write(&live, &records).await {
                Ok(()) => {
                    written = true;
                    break;
                }
                Err(error) => {
                    tracing::error!(%error, attempt, records = records.len(), "calls cannot be written");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        for done in waiting {
            let _ = done.send(written);
        }
    }
}
