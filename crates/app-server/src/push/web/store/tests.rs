use super::*;

const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn subscription(number: usize) -> PushSubscription {
    let endpoint = format!("https://push.example.com/{number}");
    PushSubscription::new(&endpoint, P256DH, AUTH, EndpointPolicy::Public).unwrap()
}

fn user(name: &str) -> Address {
    ("dev".into(), name.into())
}

fn endpoints(store: &Store, name: &str) -> Vec<String> {
    store.of(&user(name)).iter().map(|own| own.endpoint.clone()).collect()
}

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("duologue-push-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_user_has_so_many_devices_and_an_endpoint_one_user() {
    let (store, _) = Store::open(None, EndpointPolicy::Public).unwrap();
    for number in 0..=DEVICES {
        assert!(store.add(user("bob"), subscription(number)));
    }
    let own = endpoints(&store, "bob");
    assert_eq!((own.len(), own[0].as_str()), (DEVICES, "https://push.example.com/1"));
    // The same browser, somebody else signed in.
    assert!(store.add(user("carol"), subscription(3)));
    assert_eq!(endpoints(&store, "bob").len(), DEVICES - 1);
    assert_eq!(endpoints(&store, "carol"), ["https://push.example.com/3"]);
    store.remove("https://push.example.com/3", Some(&user("bob")));
    assert_eq!(endpoints(&store, "carol").len(), 1, "only its own user may");
    store.remove("https://push.example.com/3", Some(&user("carol")));
    store.remove("https://push.example.com/none", None);
    assert!(endpoints(&store, "carol").is_empty());
}

#[test]
fn there_is_an_end_to_subscriptions_and_renewing_one_is_always_possible() {
    let (store, _) = Store::open(None, EndpointPolicy::Public).unwrap();
    for number in 0..SUBSCRIPTIONS {
        assert!(store.add(user(&format!("u{}", number / DEVICES)), subscription(number)));
    }
    assert!(!store.add(user("late"), subscription(SUBSCRIPTIONS)));
    assert!(store.add(user("u0"), subscription(0)));
    assert!(
        store.add(user("u0"), subscription(SUBSCRIPTIONS)),
        "in place of its own oldest"
    );
}

#[test]
fn the_oldest_goes_by_time_also_after_an_expiry() {
    let (store, _) = Store::open(None, EndpointPolicy::Public).unwrap();
    let mut over = subscription(1);
    over.expires = Some(std::time::Duration::from_secs(1));
    assert!(store.add(user("bob"), over));
    assert!(endpoints(&store, "bob").is_empty());
    assert!(store.lock().owners.is_empty());
}

#[tokio::test]
async fn key_and_subscriptions_outlive_a_restart_in_a_private_file() {
    let folder = Folder::new("restart");
    let (store, key) = Store::open(Some(&folder.0), EndpointPolicy::Public).unwrap();
    for number in 0..3 {
        assert!(store.add(user("bob"), subscription(number)));
    }
    store.remove("https://push.example.com/1", None);
    store.save().await;
    let (again, same) = Store::open(Some(&folder.0), EndpointPolicy::Public).unwrap();
    assert_eq!(same.public_key(), key.public_key());
    assert_eq!(
        endpoints(&again, "bob"),
        ["https://push.example.com/0", "https://push.example.com/2"]
    );
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(folder.0.join(FILE)).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let folder = Folder::new("damaged");
    let path = folder.0.join(FILE);
    for text in ["", "{}", "{\"vapid_private_key\":\"AAAA\",\"subscriptions\":[]}"] {
        std::fs::write(&path, text).unwrap();
        let opened = Store::open(Some(&folder.0), EndpointPolicy::Public);
        assert!(matches!(opened, Err(PushStoreError::Damaged { .. })), "{text}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    let missing = Store::open(Some(&folder.0.join("none")), EndpointPolicy::Public);
    assert!(matches!(missing, Err(PushStoreError::File { .. })));
}
