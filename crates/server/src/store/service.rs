//! Services, which are the customers of a server, and their keys.

use std::fmt;

use duologue_signaling::ids::ServiceId;

use super::{ServiceStore, StoreError};
use crate::clock::unix_seconds;

/// Keys that are valid at a time: the newest, and the one before it while an app server is being switched over.
const VALID_KEYS: i64 = 2;
/// Characters of an API key. The contract asks for at least 128 letters, digits, hyphens and underscores.
const KEY_BYTES: usize = 96;
/// Bytes of an API secret, which is written as 64 characters of 0-9 a-f.
const SECRET_BYTES: usize = 32;
/// The service that development makes.
const DEV_SERVICE: &str = "dev";

/// A service as stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Service {
    /// Its id.
    pub id: String,
    /// Called when somebody is being called. None: calls end with PUSH_ERROR.
    pub notify_callback: Option<String>,
    /// Called when a call has ended. None: nobody is told.
    pub call_event_callback: Option<String>,
    /// Web origins that browsers may connect from.
    pub origins: Vec<String>,
    /// When it was made, in Unix seconds.
    pub created: u64,
}

/// An API key with its secret. `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key: public, named in each token.
    pub key: String,
    /// The secret: signs tokens and callbacks.
    pub secret: String,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

impl ServiceStore {
    /// Makes a service with a first key.
    ///
    /// # Errors
    ///
    /// When the id or a URL is not valid, or the service exists.
    pub async fn add(
        &self,
        id: &str,
        notify_callback: Option<&str>,
        call_event_callback: Option<&str>,
    ) -> Result<ApiKey, StoreError> {
        id.parse::<ServiceId>().map_err(|error| StoreError::InvalidId {
            id: id.to_owned(),
            reason: error.to_string(),
        })?;
        check_url(notify_callback)?;
        check_url(call_event_callback)?;
        let key = ApiKey::generate()?;
        let mut transaction = self.pool.begin().await?;
        let made = sqlx::query(
            "INSERT INTO services (id, notify_callback, call_event_callback, created) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(notify_callback)
        .bind(call_event_callback)
        .bind(unix_seconds() as i64)
        .execute(&mut *transaction)
        .await?;
        if made.rows_affected() == 0 {
            return Err(StoreError::Exists { id: id.to_owned() });
        }
        insert_key(&mut transaction, id, &key).await?;
        transaction.commit().await?;
        Ok(key)
    }

    /// All services, by id.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn list(&self) -> Result<Vec<Service>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, notify_callback, call_event_callback, origins, created FROM services ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Service::from_row).collect()
    }

    /// One service.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn service(&self, id: &str) -> Result<Option<Service>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, notify_callback, call_event_callback, origins, created FROM services WHERE id = ?",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.map(Service::from_row).transpose()
    }

    /// The valid keys of a service, the newest first; empty when there is no such service.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn keys(&self, id: &str) -> Result<Vec<ApiKey>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT key, secret FROM api_keys WHERE service_id = ? ORDER BY id DESC LIMIT ?")
                .bind(id)
                .bind(VALID_KEYS)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|(key, secret)| ApiKey { key, secret }).collect())
    }

    /// Makes a new key. The one that was the newest stays valid until the next rotation, any older one goes.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    pub async fn rotate_key(&self, id: &str) -> Result<ApiKey, StoreError> {
        let key = ApiKey::generate()?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let known: Option<(String,)> = sqlx::query_as("SELECT id FROM services WHERE id = ?")
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?;
        if known.is_none() {
            return Err(StoreError::UnknownService { id: id.to_owned() });
        }
        insert_key(&mut transaction, id, &key).await?;
        sqlx::query(
            "DELETE FROM api_keys WHERE service_id = ?1 AND id NOT IN \
             (SELECT id FROM api_keys WHERE service_id = ?1 ORDER BY id DESC LIMIT ?2)",
        )
        .bind(id)
        .bind(VALID_KEYS)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(key)
    }

    /// Sets the callbacks that are given; `None` leaves one as it is, an empty text takes it away.
    ///
    /// # Errors
    ///
    /// When there is no such service, or a URL is not valid.
    pub async fn set_callbacks(
        &self,
        id: &str,
        notify: Option<&str>,
        call_event: Option<&str>,
    ) -> Result<(), StoreError> {
        check_url(notify.filter(|url| !url.is_empty()))?;
        check_url(call_event.filter(|url| !url.is_empty()))?;
        let changed = sqlx::query(
            "UPDATE services SET notify_callback = CASE WHEN ?2 IS NULL THEN notify_callback ELSE nullif(?2, '') END, \
             call_event_callback = CASE WHEN ?3 IS NULL THEN call_event_callback ELSE nullif(?3, '') END WHERE id = ?1",
        )
        .bind(id)
        .bind(notify)
        .bind(call_event)
        .execute(&self.pool)
        .await?;
        found(id, changed.rows_affected())
    }

    /// Sets the web origins that browsers may connect from.
    ///
    /// # Errors
    ///
    /// When there is no such service, or one is not an origin.
    pub async fn set_origins(&self, id: &str, origins: &[String]) -> Result<(), StoreError> {
        for origin in origins {
            let parsed = reqwest::Url::parse(origin)
                .ok()
                .map(|url| url.origin().ascii_serialization());
            if parsed.as_ref() != Some(origin) {
                return Err(StoreError::InvalidOrigin { origin: origin.clone() });
            }
        }
        let text = serde_json::to_string(origins).map_err(|_| StoreError::Damaged { what: "origins" })?;
        let changed = sqlx::query("UPDATE services SET origins = ? WHERE id = ?")
            .bind(text)
            .bind(id)
            .execute(&self.pool)
            .await?;
        found(id, changed.rows_affected())
    }

    /// The service `dev` with its newest key, made if missing.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn ensure_dev(&self) -> Result<(Service, ApiKey), StoreError> {
        match self.add(DEV_SERVICE, None, None).await {
            Ok(_) | Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        let damaged = StoreError::Damaged { what: "service" };
        let Some(service) = self.service(DEV_SERVICE).await? else {
            return Err(damaged);
        };
        match self.keys(DEV_SERVICE).await?.into_iter().next() {
            Some(key) => Ok((service, key)),
            None => Err(damaged),
        }
    }
}

type Row = (String, Option<String>, Option<String>, String, i64);

impl Service {
    fn from_row((id, notify_callback, call_event_callback, origins, created): Row) -> Result<Self, StoreError> {
        let origins = serde_json::from_str(&origins).map_err(|_| StoreError::Damaged { what: "origins" })?;
        Ok(Self {
            id,
            notify_callback,
            call_event_callback,
            origins,
            created: created.max(0) as u64,
        })
    }
}

impl ApiKey {
    fn generate() -> Result<Self, StoreError> {
        use base64::Engine as _;
        let mut key = [0; KEY_BYTES];
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut key).map_err(StoreError::Random)?;
        getrandom::fill(&mut secret).map_err(StoreError::Random)?;
        let key = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(key);
        Ok(Self {
            key,
            secret: secret.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }
}

async fn insert_key(connection: &mut sqlx::SqliteConnection, id: &str, key: &ApiKey) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO api_keys (service_id, key, secret, created) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(&key.key)
        .bind(&key.secret)
        .bind(unix_seconds() as i64)
        .execute(connection)
        .await?;
    Ok(())
}

fn found(id: &str, rows: u64) -> Result<(), StoreError> {
    if rows == 0 {
        Err(StoreError::UnknownService { id: id.to_owned() })
    } else {
        Ok(())
    }
}

fn check_url(url: Option<&str>) -> Result<(), StoreError> {
    let Some(text) = url else { return Ok(()) };
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() && text.len() <= 2_000 => Ok(()),
        _ => Err(StoreError::InvalidUrl { url: text.to_owned() }),
    }
}
