//! The HTTP client of the callbacks.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::SIGNATURE_HEADER;
use crate::clock::unix_seconds;
use crate::config::CallbackConfig;
use crate::store::ApiKey;

/// Sends callbacks.
#[derive(Debug, Clone)]
pub(crate) struct CallbackClient {
    http: reqwest::Client,
}

/// A callback was not answered with success. The URL is not in the text: it holds the users' data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The app server answered, but not 2xx. A redirect is such an answer too.
    #[error("answered {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// No connection.
    #[error("no connection")]
    Connect,
    /// Something else went wrong on the way.
    #[error("failed on the way")]
    Transfer,
    /// The root certificates cannot be read.
    #[error("cannot read the certificates in {path}: {problem}")]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The client cannot be made.
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
}

impl CallbackClient {
    pub(crate) fn new(config: &CallbackConfig) -> Result<Self, CallbackError> {
        let mut roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(path) = &config.extra_roots {
            let failed = |problem: String| CallbackError::Roots {
                path: path.clone(),
                problem,
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))? {
                let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                roots.add(certificate).map_err(|error| failed(error.to_string()))?;
            }
        }
        // The crypto provider is named: the process may have none, or another.
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| CallbackError::Client(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .timeout(Duration::from_millis(config.total_timeout_ms))
            // A redirect would carry the users' data, and our signature, to an address nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(8)
            .user_agent(concat!("duologue/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| CallbackError::Client(error.to_string()))?;
        Ok(Self { http })
    }

    /// Sends one callback, once.
    pub(crate) async fn send(&self, url: &str, keys: &[ApiKey]) -> Result<(), CallbackError> {
        let url = reqwest::Url::parse(url).map_err(|_| CallbackError::Transfer)?;
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target.push('?');
            target.push_str(query);
        }
        let signature = sign(&target, keys, unix_seconds());
        let sent = self.http.get(url).header(SIGNATURE_HEADER, signature).send().await;
        match sent {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(CallbackError::Status {
                status: answer.status().as_u16(),
            }),
            Err(error) if error.is_timeout() => Err(CallbackError::Timeout),
            Err(error) if error.is_connect() => Err(CallbackError::Connect),
            Err(_) => Err(CallbackError::Transfer),
        }
    }
}

/// One signature for each valid key, so that the app server may use either during a rotation.
pub(super) fn sign(target: &str, keys: &[ApiKey], now: u64) -> String {
    let message = format!("{now}.{target}");
    let mut header = format!("t={now}");
    for key in keys {
        let tag = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, key.secret.as_bytes()),
            message.as_bytes(),
        );
        header.push_str(",v1=");
        for byte in tag.as_ref() {
            // Writing to a String cannot fail.
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}
