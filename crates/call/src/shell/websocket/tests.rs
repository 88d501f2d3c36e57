use super::*;

fn target(url: &str) -> Result<Target, DisconnectReason> {
    Target::new(&Config::new(url))
}

#[test]
fn urls_are_completed() {
    for (url, host, port, full) in [
        ("ws://localhost:7000", "localhost", 7000, "ws://localhost:7000/ws"),
        ("ws://127.0.0.1/", "127.0.0.1", 80, "ws://127.0.0.1/ws"),
        ("ws://[::1]:9/sig?x=1", "::1", 9, "ws://[::1]:9/sig?x=1"),
        (
            "wss://calls.example.com",
            "calls.example.com",
            443,
            "wss://calls.example.com/ws",
        ),
    ] {
        let target = target(url).unwrap_or_else(|reason| panic!("{url}: {}", reason.str_code()));
        assert_eq!(
            (target.host.as_str(), target.port, target.url.as_str()),
            (host, port, full)
        );
        assert_eq!(target.tls.is_some(), url.starts_with("wss"));
    }
}

#[test]
fn bad_urls_and_clear_text_to_strangers_are_refused() {
    let long = format!("ws://localhost/{}", "x".repeat(MAX_URL));
    for url in [
        "",
        "localhost",
        "http://localhost",
        "ws://",
        "ws://192.0.2.1",
        "ws://calls.example.com",
        "not a url",
        &long,
    ] {
        let refused = target(url).err();
        assert_eq!(refused, Some(DisconnectReason::ServiceHttpInvalidUrl), "{url}");
    }
    assert!(Target::new(&Config::new("ws://192.0.2.1").allow_insecure(true)).is_ok());
}

#[test]
fn failures_have_the_documented_reasons() {
    let io = |kind| io::Error::from(kind);
    assert_eq!(
        tcp_failure(&io(io::ErrorKind::ConnectionRefused)),
        DisconnectReason::ServiceHttpConnectFail
    );
    assert_eq!(
        tcp_failure(&io(io::ErrorKind::TimedOut)),
        DisconnectReason::ServiceHttpConnectionTimeOut
    );
    let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    assert_eq!(
        tls_failure(&io::Error::other(untrusted)),
        DisconnectReason::ServiceHttpInvalidPeerCert
    );
    assert_eq!(
        tls_failure(&io::Error::other(rustls::Error::HandshakeNotComplete)),
        DisconnectReason::ServiceHttpError
    );
    assert_eq!(
        tls_failure(&io(io::ErrorKind::ConnectionReset)),
        DisconnectReason::ServiceHttpConnectFail
    );
}
