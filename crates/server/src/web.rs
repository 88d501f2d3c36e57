//! The browser SDK, and in development the demo page, as files.
//!
//! Both are built from `web/` (`cargo xtask web`) and embedded, so that a server needs nothing beside its binary.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// What the demo page may do: nothing but its own files, its own server, and the microphone.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data: blob:; \
    media-src 'self' blob: data:; style-src 'self'; script-src 'self'; worker-src 'self' blob:; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The files, and where they are served.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    /// The demo page is served beside the SDK.
    pub(crate) page: bool,
    /// Files of this folder instead of the embedded ones, for work on the page itself.
    pub(crate) folder: Option<Arc<PathBuf>>,
}

/// One file of `web/dist`.
struct File {
    /// Path within `web/dist`.
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        const EMBEDDED: &[File] = &[$(File {
            path: $path,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist/", $path)),
        }),+];
    };
}

embedded!(
    "sdk/duologue.mjs",
    "sdk/duologue.js",
    "sdk/duologue-code.mjs",
    "sdk/duologue-code.js",
    "sdk/duologue-push.mjs",
    "sdk/duologue-push.js",
    "sdk/duologue-sw.mjs",
    "sdk/duologue-sw.js",
    "page/index.html",
    "page/app.js",
    "page/app.css",
    "page/sw.js",
    "page/icon.svg",
    "page/manifest.webmanifest",
);

/// Answers every request that no other route takes.
pub(crate) async fn serve(State(web): State<Web>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(path) = web.file_of(uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let bytes = match &web.folder {
        Some(folder) => match tokio::fs::read(folder.join(&path)).await {
            Ok(bytes) => Bytes::from(bytes),
            Err(_) => return StatusCode::NOT_FOUND.into_response(),
        },
        None => match EMBEDDED.iter().find(|file| file.path == path) {
            Some(file) => Bytes::from_static(file.bytes),
            None => return StatusCode::NOT_FOUND.into_response(),
        },
    };
    respond(&path, bytes, &headers)
}

impl Web {
    /// The file of a URL's path, within `web/dist`; none when it could not be one, or is not served.
    fn file_of(&self, path: &str) -> Option<String> {
        let path = path.strip_prefix('/')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let normal = |part| matches!(part, Component::Normal(_));
        if !path.bytes().all(plain) || !Path::new(path).components().all(normal) {
            return None;
        }
        match path {
            "" if self.page => Some("page/index.html".into()),
            _ if path.starts_with("sdk/") => Some(path.into()),
            _ if self.page => Some(format!("page/{path}")),
            _ => None,
        }
    }
}

fn respond(path: &str, bytes: Bytes, request: &HeaderMap) -> Response {
    let hash = digest(&SHA256, &bytes);
    let mut tag = String::from("\"");
    for byte in &hash.as_ref()[..12] {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    let known = request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        bytes.into_response()
    };
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, content_type(path));
    // A new server brings a new page: always asked for, rarely sent.
    set(header::CACHE_CONTROL, "no-cache");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if path.starts_with("sdk/") {
        // A module script of another origin is only loaded with the server's leave (the Fetch standard, CORS).
        set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    } else {
        set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(page: bool) -> Web {
        Web { page, folder: None }
    }

    #[test]
    fn only_files_below_the_folder_have_a_path() {
        for path in [
            "/../Cargo.toml",
            "//etc/passwd",
            "/sdk/../../x",
            "/a%2e%2e/b",
            "/./a",
            "x",
        ] {
            assert_eq!(web(true).file_of(path), None, "{path}");
        }
        assert_eq!(web(true).file_of("/").as_deref(), Some("page/index.html"));
        assert_eq!(web(true).file_of("/app.js").as_deref(), Some("page/app.js"));
    }

    #[test]
    fn without_the_page_only_the_sdk_is_served() {
        assert_eq!(web(false).file_of("/"), None);
        assert_eq!(web(false).file_of("/app.js"), None);
        assert_eq!(
            web(false).file_of("/sdk/duologue.mjs").as_deref(),
            Some("sdk/duologue.mjs")
        );
    }

    #[tokio::test]
    async fn a_file_that_is_known_is_not_sent_again() {
        let get = async |headers: HeaderMap| {
            let uri = Uri::from_static("/sdk/duologue.js");
            serve(State(web(false)), Method::GET, uri, headers).await
        };
        let first = get(HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[header::ETAG].clone();
        let again = get(HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)])).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn every_file_that_was_built_is_embedded() {
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
        for folder in ["sdk", "page"] {
            let built = std::fs::read_dir(dist.join(folder)).unwrap().map(Result::unwrap);
            // The type declarations are for compilers, which take them from the package.
            for file in built.filter(|file| file.path().is_file()) {
                let path = format!("{folder}/{}", file.file_name().to_string_lossy());
                assert!(EMBEDDED.iter().any(|known| known.path == path), "{path}");
            }
        }
        assert!(EMBEDDED.iter().all(|file| !file.bytes.is_empty()));
    }
}
