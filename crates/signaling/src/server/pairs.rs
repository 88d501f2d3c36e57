//! Which reasons the two sides of one call can be told.

use crate::DisconnectReason;

/// True when the caller can have ended with `caller` while the device of the callee that decided the call (or the only
/// one) ended with `callee`.
///
/// Both have the same reason, unless one of them ended by itself before it heard of the other's end: a caller never hears
/// of a decline that its own cancel crossed.
pub fn is_allowed_pair(caller: DisconnectReason, callee: DisconnectReason) -> bool {
    if caller.is_multidev() && caller != DisconnectReason::MultidevInUse {
        return false;
    }
    let (caller_alone, callee_alone) = (is_own(caller, Side::Caller), is_own(callee, Side::Callee));
    caller == callee
        // Another device decided, even if this one had already been heard.
        || callee.is_multidev()
        // It verified when the call was over, and never took part.
        || callee == DisconnectReason::ReleasedCall
        // A caller that the server lost has cancelled as far as the callee is told. So has one whose media path closes
        // without a word before the accept, while the callee is out of the server's reach.
        || callee == DisconnectReason::Cancel && (caller_alone || is_of_server(caller))
        || caller_alone && callee_alone
        || caller_alone && (is_of_server(callee) || is_network(caller))
        || callee_alone && (is_of_server(caller) || is_network(callee))
}

/// The same for a device of the callee that did not decide the call: another one, or the server, may have ended it for
/// the caller while this one ended by itself, and the server may have ended the call for it while the deciding device told the caller over the media path.
pub fn is_allowed_other_device(caller: DisconnectReason, device: DisconnectReason) -> bool {
    is_allowed_pair(caller, device) || is_own(device, Side::Callee) || is_of_server(device)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Caller,
    Callee,
}

/// What a device can end with on its own.
fn is_own(reason: DisconnectReason, side: Side) -> bool {
    use DisconnectReason as R;
    match reason {
        R::Cancel => side == Side::Caller,
        R::Decline | R::Busy => side == Side::Callee,
        R::Normal
        | R::CellCall
        | R::InternalError
        | R::UserError
        | R::InternalKitError
        | R::AudioTxNoSrc
        | R::NetworkUnstable
        | R::AuthError
        | R::AppDestroy
        | R::SystemSleep
        | R::SystemLogoff
        | R::MtuExceeded
        | R::DesktopScreenLocked => true,
        _ => is_network(reason),
    }
}

/// What the server ends a running call with.
fn is_of_server(reason: DisconnectReason) -> bool {
    use DisconnectReason as R;
    matches!(
        reason,
        R::NoAnswer
            | R::PushError
            | R::MaxCallTimeExceeded
            | R::InternalError
            | R::ServerInternalError
            | R::ServiceMaintenance
            | R::ReleasedCall
    )
}

/// Ends of a device that nobody may have been able to tell the other side of, which then found its own.
fn is_network(reason: DisconnectReason) -> bool {
    use DisconnectReason as R;
    matches!(
        reason,
        R::UnavailableNetwork
            | R::ServiceHttpError
            | R::ServiceHttpConnectionTimeOut
            | R::ServiceHttpInvalidPeerCert
            | R::ServiceHttpConnectFail
            | R::ServiceHttpInvalidUrl
    )
}

#[cfg(test)]
mod tests;
