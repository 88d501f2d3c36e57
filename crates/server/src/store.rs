//! What outlives the process: services and their keys, call records, callbacks to be repeated, the journal of live calls.

mod journal;
mod records;
mod service;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub(crate) use journal::{Journal, Writer};
pub(crate) use records::Due;
pub use service::{ApiKey, Service};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Name of the database within the data folder.
const DATABASE: &str = "duologue.db";

/// The database in a data folder. Commands may open it while the server runs on it.
#[derive(Debug, Clone)]
pub struct ServiceStore {
    pool: SqlitePool,
}

/// The store cannot do what it is asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data folder or the database file cannot be made or protected.
    #[error("{path}: {source}")]
    Folder {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database refuses.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database is of another version.
    #[error("database layout: {0}")]
    Layout(#[from] sqlx::migrate::MigrateError),
    /// There is no such service.
    #[error("there is no service {id:?}")]
    UnknownService {
        /// The id.
        id: String,
    },
    /// There is a service of this id.
    #[error("service {id:?} exists already")]
    Exists {
        /// The id.
        id: String,
    },
    /// Not the id of a service.
    #[error("{id:?} is no service id: {reason}")]
    InvalidId {
        /// The text.
        id: String,
        /// What is wrong.
        reason: String,
    },
    /// Not an absolute http or https URL.
    #[error("{url:?} is no absolute http or https URL")]
    InvalidUrl {
        /// The text.
        url: String,
    },
    /// Not a web origin.
    #[error("{origin:?} is no web origin such as https://app.example.org")]
    InvalidOrigin {
        /// The text.
        origin: String,
    },
    /// What is stored cannot be read: written by a newer version, or damaged.
    #[error("cannot read the stored {what}")]
    Damaged {
        /// What it is.
        what: &'static str,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

impl ServiceStore {
    /// Opens the database in `data`, made with the folder if missing: the folder is its owner's only (0700), the file too
    /// (0600), because it holds API secrets.
    ///
    /// # Errors
    ///
    /// When folder or file cannot be made, or the database is damaged or newer than this program.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        let path = data.join(DATABASE);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Folder { path, source }
        };
        if !data.exists() {
            fs::create_dir_all(data).map_err(failed(data))?;
            fs::set_permissions(data, fs::Permissions::from_mode(0o700)).map_err(failed(data))?;
        }
        // SQLite gives its side files the permissions of the database.
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        file.map_err(failed(&path))?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes the database; everything written is on disk then.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The keys that sealed tokens are made with, the newest last; one is made if there is none.
    pub(crate) async fn server_keys(&self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        loop {
            let keys: Vec<(u32, Vec<u8>)> = sqlx::query_as("SELECT kid, key FROM server_keys ORDER BY kid")
                .fetch_all(&self.pool)
                .await?;
            if !keys.is_empty() {
                return Ok(keys);
            }
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(StoreError::Random)?;
            // Another process may do the same at this moment; the condition lets one of them win.
            sqlx::query(
                "INSERT INTO server_keys (key, created) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM server_keys)",
            )
            .bind(key.to_vec())
            .bind(crate::clock::unix_seconds() as i64)
            .execute(&self.pool)
            .await?;
        }
    }
}
