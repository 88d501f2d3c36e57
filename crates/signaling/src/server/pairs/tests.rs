use super::*;

#[test]
fn a_caller_is_never_paired_with_the_news_of_the_callees_devices() {
    use DisconnectReason as R;
    for callee in DisconnectReason::ALL {
        assert!(!is_allowed_pair(R::MultidevAnswer, *callee));
        assert!(!is_allowed_pair(R::MultidevDecline, *callee));
    }
    assert!(is_allowed_pair(R::Cancel, R::Decline), "they crossed");
    assert!(!is_allowed_pair(R::Decline, R::NoAnswer));
    assert!(!is_allowed_pair(R::NoAnswer, R::MaxCallTimeExceeded));
    assert!(!is_allowed_pair(R::Busy, R::PushError));
}
