use duologue_signaling::MediaType;
use duologue_signaling::ids::CallId;
use proptest::prelude::*;

use super::*;

fn keys() -> Keys {
    Keys::new(vec![(1, vec![1; 32]), (2, vec![2; 32])])
}

fn user(name: &str) -> User {
    User {
        service_id: "dev".parse().unwrap(),
        user_id: name.parse().unwrap(),
    }
}

fn resume() -> Resume {
    Resume {
        session: "s".into(),
        user: user("alice"),
        may_call: true,
        expires: 100,
    }
}

#[test]
fn a_resume_token_is_good_until_it_expires() {
    let token = keys().seal_resume(&resume());
    assert_eq!(keys().open_resume(&token, 99), Some(resume()));
    assert_eq!(keys().open_resume(&token, 100), None);
    // The key before the newest still opens what it made; an unknown one opens nothing.
    let older = Keys::new(vec![(1, vec![1; 32])]).seal_resume(&resume());
    assert_eq!(keys().open_resume(&older, 99), Some(resume()));
    let foreign = Keys::new(vec![(3, vec![3; 32])]).seal_resume(&resume());
    assert_eq!(keys().open_resume(&foreign, 99), None);
}

#[test]
fn a_cc_param_is_for_one_callee_and_one_time() {
    let info = CcParamInfo {
        sid: CallId::from_random([7; 16]),
        caller_id: "alice".parse().unwrap(),
        caller_service_id: "dev".parse().unwrap(),
        callee_id: "bob".parse().unwrap(),
        callee_service_id: "dev".parse().unwrap(),
        media_type: MediaType::Audio,
        expires: 100,
    };
    let text = keys().seal_cc_param(&info);
    assert!(text.len() <= duologue_signaling::limits::CC_PARAM);
    assert_eq!(keys().open_cc_param(&text, &user("bob"), 99), Ok(info.clone()));
    assert_eq!(
        keys().open_cc_param(&text, &user("mallory"), 99),
        Err(CcParamError::OtherCallee)
    );
    assert_eq!(
        keys().open_cc_param(&text, &user("bob"), 100),
        Err(CcParamError::Expired { at: 100 })
    );
    let forged = Keys::new(vec![(2, vec![9; 32])]).seal_cc_param(&info);
    assert_eq!(
        keys().open_cc_param(&forged, &user("bob"), 99),
        Err(CcParamError::Forged)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// No byte of a token can be changed, and nothing that is not a token opens.
    #[test]
    fn a_changed_token_is_refused(at in 0usize..200, with in "[A-Za-z0-9._-]", any in "\\PC{0,200}") {
        let token = keys().seal_resume(&resume());
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &with);
        // The last character of each base64 part has unused bits, which the decoder wants to be zero.
        if changed != token {
            prop_assert_eq!(keys().open_resume(&changed, 0), None);
        }
        prop_assert_eq!(keys().open_resume(&any, 0), None);
    }
}
