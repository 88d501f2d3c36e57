//! Parameters that are checked on the device, and the tables of reasons.

use duologue_signaling::client::{MakeCallParams, StartFail, VerifyCallParams};
use duologue_signaling::ids::CallId;
use duologue_signaling::{
    CcParam, CcParamInfo, DisconnectReason, DisconnectSource, MediaType, StartFailReason, limits,
};
use serde_json::{Value, json};

fn good() -> MakeCallParams {
    MakeCallParams {
        my_id: "alice".into(),
        my_service_id: "s".into(),
        peer_id: "bob".into(),
        peer_service_id: "s".into(),
        access_token: "token".into(),
        ..MakeCallParams::default()
    }
}

fn reason<T>(result: Result<T, StartFail>) -> Option<&'static str> {
    result.err().map(|fail| fail.reason.name())
}

fn make(params: MakeCallParams) -> Value {
    let mut told = json!({
        "myId": params.my_id, "myServiceId": params.my_service_id, "peerId": params.peer_id,
        "peerServiceId": params.peer_service_id, "accessToken": params.access_token, "mediaType": "audio",
    });
    for (name, text) in [
        ("appServerData", &params.app_server_data),
        ("callStartMessage", &params.call_start_message),
    ] {
        if let Some(text) = text {
            told[name] = json!(text);
        }
    }
    json!({ "make": told, "reason": reason(params.check()) })
}

fn verify(params: VerifyCallParams) -> Value {
    let mut told = json!({
        "myId": params.my_id, "myServiceId": params.my_service_id, "ccParam": params.cc_param, "mediaType": "audio",
    });
    if let Some(token) = &params.access_token {
        told["accessToken"] = json!(token);
    }
    json!({ "verify": told, "reason": reason(params.check()) })
}

fn info() -> CcParamInfo {
    CcParamInfo {
        sid: CallId::from_random([1; 16]),
        caller_id: "alice".parse().unwrap(),
        caller_service_id: "s.1".parse().unwrap(),
        callee_id: "bob".parse().unwrap(),
        callee_service_id: "s-2".parse().unwrap(),
        media_type: MediaType::Audio,
        expires: 1_800_000_000,
    }
}

fn seal(info: &CcParamInfo) -> String {
    CcParam::seal(info, 3, |_| vec![0xf8; 32])
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn peek(text: &str) -> Value {
    let info = CcParam::peek(text).ok().map(|it| {
        json!({
            "sid": it.sid, "caller_id": it.caller_id, "caller_service_id": it.caller_service_id,
            "callee_id": it.callee_id, "callee_service_id": it.callee_service_id, "media_type": it.media_type,
            "expires": it.expires,
        })
    });
    json!({ "peek": text, "info": info })
}

/// `make_call`, `verify_call` and `peek`.
pub(crate) fn parameters() -> Vec<Value> {
    let mut cases = vec![make(good())];
    let ids = [
        "",
        "a b",
        "a.b",
        "ä",
        "a\n",
        "Az09-_",
        "x",
        &"x".repeat(64),
        &"x".repeat(65),
    ];
    type Set = fn(&mut MakeCallParams, String);
    let fields: [Set; 4] = [
        |it, id| it.my_id = id,
        |it, id| it.my_service_id = id,
        |it, id| it.peer_id = id,
        |it, id| it.peer_service_id = id,
    ];
    for set in fields {
        for id in ids {
            let mut params = good();
            set(&mut params, id.into());
            cases.push(make(params));
        }
    }
    let same = |service: &str| MakeCallParams {
        peer_id: "alice".into(),
        peer_service_id: service.into(),
        ..good()
    };
    cases.extend([make(same("s")), make(same("t"))]);
    let texts: [(Set, usize); 3] = [
        (|it, text| it.access_token = text, limits::ACCESS_TOKEN),
        (|it, text| it.app_server_data = Some(text), limits::APP_SERVER_DATA),
        (
            |it, text| it.call_start_message = Some(text),
            limits::CALL_START_MESSAGE,
        ),
    ];
    for (set, limit) in texts {
        // Bytes count, not characters.
        let wide = "é".repeat(limit / 2);
        for text in [
            String::new(),
            "x".repeat(limit),
            "x".repeat(limit + 1),
            wide.clone(),
            wide + "éé",
        ] {
            let mut params = good();
            set(&mut params, text);
            cases.push(make(params));
        }
    }

    let sealed = seal(&info());
    let callee = |me: &str, service: &str, cc_param: &str, token: Option<String>| {
        verify(VerifyCallParams {
            my_id: me.into(),
            my_service_id: service.into(),
            cc_param: cc_param.into(),
            access_token: token,
        })
    };
    cases.extend([
        callee("bob", "s-2", &sealed, None),
        callee("bob", "s-2", &sealed, Some("x".repeat(limits::ACCESS_TOKEN))),
        callee("bob", "s-2", &sealed, Some("x".repeat(limits::ACCESS_TOKEN + 1))),
        callee("b b", "s-2", &sealed, None),
        callee("bob", "s 2", &sealed, None),
        callee("alice", "s.1", &sealed, None),
        callee("alice", "s-2", &sealed, None),
        callee("carol", "s.1", &sealed, None),
        callee("bob", "s-2", "zz", None),
        callee("bob", "s-2", "", None),
    ]);
    cases.extend(peeks(&sealed));
    cases
}

fn peeks(sealed: &str) -> Vec<Value> {
    let body = json!({
        "v": 1, "sid": info().sid, "exp": 5, "cu": "a", "cs": "s", "eu": "b", "es": "s", "type": "audio", "kid": 1,
    });
    let mut cases = vec![peek(sealed), peek(&base64url(body.to_string().as_bytes()))];
    for (name, value) in [
        ("v", json!(2)),
        ("v", json!(0)),
        ("v", json!("1")),
        ("sid", json!("01010101-0101-4101-8101-01010101010")),
        ("sid", json!("0101010A-0101-4101-8101-01010101010b")),
        ("exp", json!(-1)),
        ("exp", json!(1.5)),
        ("exp", Value::Null),
        ("cu", json!("a.b")),
        ("cs", json!("a.b")),
        ("eu", json!("")),
        ("es", json!(7)),
        ("type", json!("video")),
        ("kid", json!(4_294_967_296_u64)),
        ("mac", json!("?")),
        ("mac", json!(1)),
        ("mac", Value::Null),
        ("more", json!({ "x": [1] })),
    ] {
        let mut changed = body.clone();
        changed[name] = value;
        cases.push(peek(&base64url(changed.to_string().as_bytes())));
    }
    for name in ["v", "sid", "exp", "cu", "cs", "eu", "es", "type", "kid"] {
        let mut changed = body.clone();
        changed.as_object_mut().unwrap().remove(name);
        cases.push(peek(&base64url(changed.to_string().as_bytes())));
    }
    // Forms of base64url: a byte order mark, padding, another alphabet, white space, stray bits, a missing character.
    let text = base64url(format!("{body} ").as_bytes());
    let marked = base64url(format!("\u{feff}{body}").as_bytes());
    let of_length = |length: usize| {
        let mut body = body.clone();
        body["more"] = json!("x".repeat(length));
        base64url(body.to_string().as_bytes())
    };
    let whole = |length: usize| body.to_string().len() + r#","more":"""#.len() + length;
    let longest = (0..)
        .take_while(|length| (whole(*length) * 4).div_ceil(3) <= limits::CC_PARAM)
        .last()
        .unwrap();
    cases.extend([peek(&of_length(longest)), peek(&of_length(longest + 1))]);
    let mut stray = (0..3)
        .map(|spaces| base64url(format!("{body}{}", " ".repeat(spaces)).as_bytes()))
        .find(|text| text.len() % 4 != 0)
        .unwrap();
    let last = stray.pop().unwrap();
    stray.push(char::from_u32(u32::from(last) + 1).unwrap());
    for form in [
        format!("{text}="),
        format!("{text} "),
        format!("{text}+/"),
        marked,
        stray,
        text[..text.len() - 1].to_owned(),
        format!("{text}A"),
        base64url(&[0xff, 0xfe]),
        base64url(
            &[
                &body.to_string().as_bytes()[..1],
                b"\"mac\":\"\xff\",",
                &body.to_string().as_bytes()[1..],
            ]
            .concat(),
        ),
        base64url(b"[]"),
        base64url(b"null"),
        base64url(b"{"),
    ] {
        cases.push(peek(&form));
    }
    cases
}

/// Codes, strings and who may give them; then the sources, then the reasons of a failed start.
pub(crate) fn reasons() -> Vec<Value> {
    let names = |reason: DisconnectReason| -> Vec<&str> { reason.sources().iter().map(|it| it.name()).collect() };
    let reasons = DisconnectReason::ALL.iter().map(
        |it| json!({ "code": it.code(), "text": it.str_code(), "sources": names(*it), "multidev": it.is_multidev() }),
    );
    let sources = (0..=u8::MAX).filter(|value| *value < 8 || *value == u8::MAX);
    let sources = sources.map(|value| json!({ "source": value, "name": DisconnectSource::from_value(value).name() }));
    let starts = StartFailReason::ALL.iter().map(|it| json!({ "start": it.name() }));
    reasons.chain(sources).chain(starts).collect()
}
