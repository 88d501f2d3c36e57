//! Why a call could not even be started: found on the device, before anything is sent.

use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $value:literal, $text:literal;)+) => {
        /// Why `make_call` or `verify_call` failed at once: the documented reasons common to all platforms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum StartFailReason {
            $($(#[doc = $doc])+ $name = $value,)+
        }

        impl StartFailReason {
            /// Every reason, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name in lower snake case, as the browser's enumeration has it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The reason of a number.
            pub fn from_value(value: u16) -> Option<Self> {
                match value { $($value => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

reasons! {
    /// Started.
    None = 0, "none";
    /// A required parameter is missing or malformed.
    InvalidParam = 1, "invalid_param";
    /// An unfinished call with the same identifier exists.
    AlreadyExist = 2, "already_exist";
    /// The `cc_param` could not be decoded.
    DecodeCallParam = 3, "decode_call_param";
    /// No memory.
    MemErr = 4, "mem_err";
    /// The callee is the caller.
    IdConflict = 5, "id_conflict";
    /// The call object was used before.
    Reuse = 6, "reuse";
    /// The user id is malformed.
    InvalidUserId = 7, "invalid_user_id";
    /// The service id is malformed.
    InvalidServiceId = 8, "invalid_service_id";
    /// The API key is malformed.
    InvalidApiKey = 9, "invalid_api_key";
    /// The room id is malformed (group calls).
    InvalidRoomId = 10, "invalid_room_id";
    /// The text for the app server is too long.
    TooLongAppServerData = 11, "too_long_app_server_data";
    /// Not initialised.
    NotInitialized = 12, "not_initialized";
    /// Internal fault, also of the audio devices.
    Internal = 999, "internal";
}

impl StartFailReason {
    /// The documented number.
    pub fn value(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for StartFailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_each_reason_once() {
        for reason in StartFailReason::ALL {
            assert_eq!(StartFailReason::from_value(reason.value()), Some(*reason));
        }
        assert_eq!(StartFailReason::from_value(13), None);
        assert_eq!(
            StartFailReason::TooLongAppServerData.to_string(),
            "too_long_app_server_data"
        );
    }
}
