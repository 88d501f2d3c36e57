use super::*;

#[test]
fn codes_and_strings_name_each_reason_once() {
    for reason in DisconnectReason::ALL {
        assert_eq!(DisconnectReason::from_code(reason.code()), Some(*reason));
        assert_eq!(DisconnectReason::from_str_code(reason.str_code()), Some(*reason));
    }
    let mut codes: Vec<u16> = DisconnectReason::ALL.iter().map(|reason| reason.code()).collect();
    codes.dedup();
    assert_eq!(codes.len(), 39);
    assert!(codes.is_sorted());
}

#[test]
fn retired_and_group_codes_are_unknown() {
    for code in (1101..=1108).chain([0, 1306, 1307, 1401, 1402, 1403, 1404, 1405, 1513]) {
        assert_eq!(DisconnectReason::from_code(code), None);
    }
}

#[test]
fn an_unknown_code_on_the_wire_is_an_internal_error() {
    assert_eq!(
        serde_json::from_str::<DisconnectReason>("1202").unwrap(),
        DisconnectReason::Busy
    );
    assert_eq!(
        serde_json::from_str::<DisconnectReason>("1999").unwrap(),
        DisconnectReason::InternalError
    );
    assert_eq!(serde_json::to_string(&DisconnectReason::NoAnswer).unwrap(), "1203");
}

#[test]
fn sources_have_the_documented_numbers_and_strings() {
    let documented = [
        (1, "callee"),
        (2, "caller"),
        (3, "participant"),
        (4, "cloud_server"),
        (5, "app_server"),
    ];
    for (value, name) in documented {
        assert_eq!(DisconnectSource::from_value(value).value(), value);
        assert_eq!(DisconnectSource::from_value(value).name(), name);
    }
    assert_eq!(DisconnectSource::from_value(9), DisconnectSource::Undefined);
}
