use super::*;

#[test]
fn user_ids_have_the_documented_characters() {
    for good in ["a", "A-z_09", &"x".repeat(64)] {
        assert_eq!(good.parse::<UserId>().unwrap().as_str(), good);
    }
    assert_eq!("".parse::<UserId>(), Err(IdError::Length { length: 0 }));
    assert_eq!("x".repeat(65).parse::<UserId>(), Err(IdError::Length { length: 65 }));
    assert_eq!("ab.c".parse::<UserId>(), Err(IdError::Character { at: 2 }));
    assert_eq!("ä".parse::<UserId>(), Err(IdError::Character { at: 0 }));
    assert!("my.service-1".parse::<ServiceId>().is_ok());
    assert!("my service".parse::<ServiceId>().is_err());
}

#[test]
fn call_ids_are_uuids() {
    let id = CallId::from_random([0xff; 16]);
    assert_eq!(id.as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!("FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF".parse(), Ok(id));
    for bad in [
        "",
        "ffffffff-ffff-4fff-bfff-fffffffffff",
        "ffffffff+ffff-4fff-bfff-ffffffffffff",
        "é",
    ] {
        assert_eq!(bad.parse::<CallId>(), Err(IdError::NotUuid));
    }
}

#[test]
fn json_refuses_what_parsing_refuses() {
    assert!(serde_json::from_str::<UserId>("\"a b\"").is_err());
    assert_eq!(serde_json::to_string(&PartyId(3)).unwrap(), "3");
    let user = User {
        service_id: "s.1".parse().unwrap(),
        user_id: "u".parse().unwrap(),
    };
    let text = serde_json::to_string(&user).unwrap();
    assert_eq!(text, r#"{"service_id":"s.1","user_id":"u"}"#);
    assert_eq!(serde_json::from_str::<User>(&text).unwrap(), user);
}
