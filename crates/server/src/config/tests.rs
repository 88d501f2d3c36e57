use super::*;

fn no_env(_: &'static str) -> Option<String> {
    None
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("duologue-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = Config::load_with(None, no_env).unwrap();
    config.check().unwrap();
    assert_eq!(config.defaults.ring_ms, 60_000);
    assert_eq!(config.callbacks.connect_timeout_ms, 3_000);
    assert_eq!(config.callbacks.total_timeout_ms, 4_500);
    assert_eq!(config.stun_listen.unwrap().port(), 3478);
}

#[test]
fn the_environment_wins_over_the_file() {
    let path = file(
        "env",
        "listen = \"127.0.0.1:1\"\n[services.shop]\nring_ms = 30000\nmax_call_ms = 3600000\n",
    );
    let config = Config::load_with(Some(&path), |name| match name {
        "DUOLOGUE_LISTEN" => Some("127.0.0.1:2".into()),
        "DUOLOGUE_STUN_LISTEN" => Some("off".into()),
        _ => None,
    })
    .unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.stun_listen, None);
    assert_eq!(config.policy("shop").ring_ms, 30_000);
    assert_eq!(config.policy("shop").max_call_ms, Some(3_600_000));
    assert_eq!(config.policy("other").ring_ms, 60_000);
    // What is printed is what would be read.
    let again: Config = toml::from_str(&config.effective()).unwrap();
    assert_eq!(again.effective(), config.effective());
}

#[test]
fn slips_are_reported() {
    let path = file("slip", "lisen = \"127.0.0.1:1\"\n");
    assert!(
        matches!(Config::load_with(Some(&path), no_env), Err(ConfigError::Parse { message, .. }) if message.contains("lisen"))
    );
    std::fs::remove_file(path).unwrap();
    let bad_port = Config::load_with(None, |name| (name == "DUOLOGUE_LISTEN").then(|| "nowhere".into()));
    assert!(matches!(
        bad_port,
        Err(ConfigError::Environment {
            name: "DUOLOGUE_LISTEN",
            ..
        })
    ));
    let mut config = Config::default();
    config.callbacks.total_timeout_ms = 6_000;
    assert!(matches!(config.check(), Err(ConfigError::Value { field, .. }) if field == "callbacks.total_timeout_ms"));
    let mut config = Config::default();
    config.services.insert(
        "a".into(),
        ServicePolicy {
            ring_ms: 0,
            ..ServicePolicy::default()
        },
    );
    assert!(matches!(config.check(), Err(ConfigError::Value { field, .. }) if field == "services.a.ring_ms"));
}

#[test]
fn times_that_no_clock_can_hold_are_refused() {
    let mut config = Config::default();
    config.defaults.ring_ms = u64::MAX;
    assert!(config.check().is_err());
}
