use super::*;

impl Users {
    /// How many users take up memory.
    pub(crate) fn remembered(&self) -> usize {
        self.by_name.len()
    }
}

#[test]
fn many_small_steps_fill_the_bucket_like_one() {
    let now = Instant::now();
    let limits = Limits {
        user_bytes_per_second: 1_000,
        user_burst: 1_000,
        ..Limits::default()
    };
    let mut users = Users::new(&limits);
    let user = users.enter(b"alice", now).unwrap();
    assert!(users.take(user, 1_000, now));
    for step in 1..=900 {
        // Asked far more often than there is a byte.
        assert!(!users.take(user, 1_000, now + Duration::from_micros(step * 1_000)));
    }
    assert!(users.take(user, 900, now + Duration::from_micros(900_000)));
}

#[test]
fn a_user_is_forgotten_when_there_is_nothing_to_remember() {
    let now = Instant::now();
    let mut users = Users::new(&Limits::default());
    for name in 0..200_u32 {
        let user = users.enter(&name.to_be_bytes(), now).unwrap();
        users.leave(user, now);
    }
    assert_eq!(users.remembered(), 200);
    let user = users.enter(b"late", now).unwrap();
    users.leave(user, now + Duration::from_secs(60));
    assert_eq!(users.remembered(), 1);
}
