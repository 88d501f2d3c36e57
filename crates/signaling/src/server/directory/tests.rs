use super::*;

fn user(id: &str) -> User {
    User {
        service_id: "s".parse().unwrap(),
        user_id: id.parse().unwrap(),
    }
}

fn sid(number: u8) -> CallId {
    CallId::from_random([number; 16])
}

#[test]
fn the_directory_knows_busy_glare_and_other_devices() {
    let (alice, bob, carol) = (user("alice"), user("bob"), user("carol"));
    let refused = |result: Result<(), DirectoryError>| match result {
        Err(DirectoryError::Refused(refusal)) => refusal.reason,
        other => panic!("{other:?}"),
    };
    let mut directory = Directory::new();
    directory.begin(sid(1), &bob, &alice).unwrap();
    assert_eq!(
        directory.begin(sid(1), &bob, &alice),
        Err(DirectoryError::Exists { sid: sid(1) })
    );
    assert_eq!(
        refused(directory.begin(sid(2), &alice, &bob)),
        DisconnectReason::AlreadyGotACall
    );
    assert_eq!(
        refused(directory.begin(sid(2), &carol, &bob)),
        DisconnectReason::Busy,
        "bob is calling"
    );
    assert_eq!(
        refused(directory.begin(sid(2), &bob, &carol)),
        DisconnectReason::MultidevInUse
    );
    directory
        .begin(sid(2), &carol, &alice)
        .expect("alice is only being called");

    directory.accept(sid(1)).unwrap();
    directory.accept(sid(1)).expect("twice is once");
    assert_eq!(
        directory.accept(sid(2)).unwrap_err().reason,
        DisconnectReason::MultidevInUse
    );
    assert_eq!(
        refused(directory.begin(sid(3), &alice, &bob)),
        DisconnectReason::MultidevInUse
    );
    assert_eq!(
        refused(directory.begin(sid(3), &user("dave"), &alice)),
        DisconnectReason::Busy
    );
    let stranger = User {
        service_id: "t".parse().unwrap(),
        ..alice.clone()
    };
    directory
        .begin(sid(3), &user("dave"), &stranger)
        .expect("another service, another user");

    for number in 1..=3 {
        directory.end(sid(number));
    }
    assert!(directory.is_empty());
    directory.restore(sid(4), &alice, &bob, true);
    assert_eq!(refused(directory.begin(sid(5), &carol, &bob)), DisconnectReason::Busy);
    assert_eq!(directory.len(), 1);
}
