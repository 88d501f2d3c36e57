use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("duologue-turn-secret-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn the_secret_is_made_once_and_for_its_owner_only() {
    let data = folder("made");
    let first = Credentials::open(&TurnConfig::default(), &data).unwrap().secrets();
    let again = Credentials::open(&TurnConfig::default(), &data).unwrap().secrets();
    assert_eq!(first, again);
    assert_eq!(first[0].len(), 43);
    let mode = std::fs::metadata(data.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_short_or_missing_secret_is_refused() {
    let data = folder("short");
    let path = data.join("secret");
    let config = TurnConfig {
        secrets: vec![path.clone()],
        ..TurnConfig::default()
    };
    assert!(matches!(
        Credentials::open(&config, &data),
        Err(SecretError::File { .. })
    ));
    std::fs::write(&path, "fifteen bytes  \n").unwrap();
    assert!(matches!(
        Credentials::open(&config, &data),
        Err(SecretError::Short { .. })
    ));
    std::fs::write(&path, "sixteen bytes it\n").unwrap();
    assert_eq!(
        Credentials::open(&config, &data).unwrap().secrets(),
        [b"sixteen bytes it"]
    );
    std::fs::remove_dir_all(data).unwrap();
}

#[test]
fn a_session_is_told_where_and_with_what() {
    let data = folder("told");
    let mut own = Credentials::open(&TurnConfig::default(), &data).unwrap();
    assert_eq!(own.ice_server(Some("example.org"), "session", 5), None, "no TURN here");
    own.set_own([3478, 0, 443]);
    let server = own.ice_server(Some("example.org"), "session", 1_000).unwrap();
    assert_eq!(
        server.urls,
        [
            "turn:example.org:3478?transport=udp",
            "turns:example.org:443?transport=tcp"
        ]
    );
    let username = server.username.unwrap();
    let (expiry, user) = username.split_once(':').unwrap();
    assert_eq!(expiry, "44200");
    let password = Credential::mint(&own.secrets()[0], user, 44_200).password;
    assert_eq!(server.credential, Some(password));
    assert!(!username.contains("session"));
    let other = own.ice_server(Some("example.org"), "other", 1_000).unwrap();
    assert_ne!(other.username.unwrap().split_once(':').unwrap().1, user);

    std::fs::write(data.join("shared"), "a secret that coturn has").unwrap();
    let config = TurnConfig {
        urls: vec!["turn:turn.example.org".into()],
        secrets: vec![data.join("shared")],
        ..TurnConfig::default()
    };
    let external = Credentials::open(&config, &data).unwrap();
    let server = external.ice_server(None, "session", 1_000).unwrap();
    assert_eq!(server.urls, config.urls);
    std::fs::remove_dir_all(data).unwrap();
}
