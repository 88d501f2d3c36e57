//! Secrets in files, and the credentials that sessions are given.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use duologue_signaling::message::IceServer;
use duologue_turn::Credential;

use crate::config::TurnConfig;

/// Name of the secret's file in the data folder.
const FILE: &str = "turn-secret";
/// Shortest secret. It can be guessed at leisure from one credential.
const SHORTEST: usize = 16;
const LONGEST: u64 = 4_096;

/// A secret cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file cannot be read, or not be made.
    #[error("TURN secret {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file has next to nothing in it.
    #[error("TURN secret {path}: must have 16 bytes or more")]
    Short {
        /// The file.
        path: PathBuf,
    },
}

/// What sessions are told about relays.
pub(crate) struct Credentials {
    secrets: Vec<Vec<u8>>,
    urls: Vec<String>,
    /// Ports of this server's own TURN over UDP, TCP and TLS; 0: none.
    own: Option<[u16; 3]>,
    life: u64,
}

impl Credentials {
    /// Reads the secrets, or makes the one of the data folder.
    pub(crate) fn open(config: &TurnConfig, data: &Path) -> Result<Self, SecretError> {
        let secrets = if config.secrets.is_empty() {
            vec![own_secret(&data.join(FILE))?]
        } else {
            config.secrets.iter().map(|path| read(path)).collect::<Result<_, _>>()?
        };
        Ok(Self {
            secrets,
            urls: config.urls.clone(),
            own: None,
            life: config.credential_life().as_secs(),
        })
    }

    /// Tells where this server's own TURN is: ports of UDP, TCP and TLS.
    pub(crate) fn set_own(&mut self, ports: [u16; 3]) {
        self.own = Some(ports);
    }

    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        self.secrets.clone()
    }

    /// The servers for one session. The user in the credential is a pseudonym: it crosses the network in clear.
    pub(crate) fn ice_server(&self, host: Option<&str>, session: &str, now: u64) -> Option<IceServer> {
        let urls = match (self.urls.is_empty(), self.own, host) {
            (false, _, _) => self.urls.clone(),
            (true, Some([udp, tcp, tls]), Some(host)) => {
                let mut urls = vec![format!("turn:{host}:{udp}?transport=udp")];
                if tcp != 0 {
                    urls.push(format!("turn:{host}:{tcp}?transport=tcp"));
                }
                if tls != 0 {
                    urls.push(format!("turns:{host}:{tls}?transport=tcp"));
                }
                urls
            }
            _ => return None,
        };
        let secret = self.secrets.first()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let user = BASE64.encode(&hmac::sign(&key, session.as_bytes()).as_ref()[..12]);
        let Credential { username, password } = Credential::mint(secret, &user, now + self.life);
        Some(IceServer {
            urls,
            username: Some(username),
            credential: Some(password),
        })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("urls", &self.urls)
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

fn own_secret(path: &Path) -> Result<Vec<u8>, SecretError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            let mut bytes = [0; 32];
            let written = getrandom::fill(&mut bytes)
                .map_err(io::Error::other)
                .and_then(|()| file.write_all(BASE64.encode(bytes).as_bytes()))
                .and_then(|()| file.sync_all());
            if let Err(source) = written {
                // Half a secret would be worse than none at the next start.
                let _ = std::fs::remove_file(path);
                return Err(failed(path)(source));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(path)(error)),
    }
    read(path)
}

/// A line end at the end is not part of a secret: editors and `echo` add one.
fn read(path: &Path) -> Result<Vec<u8>, SecretError> {
    let mut secret = Vec::new();
    let file = File::open(path).map_err(failed(path))?;
    file.take(LONGEST).read_to_end(&mut secret).map_err(failed(path))?;
    while secret.last().is_some_and(u8::is_ascii_whitespace) {
        secret.pop();
    }
    if secret.len() < SHORTEST {
        return Err(SecretError::Short { path: path.to_owned() });
    }
    Ok(secret)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> SecretError + '_ {
    |source| SecretError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
