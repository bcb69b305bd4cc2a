//! A server for unit tests that answers what a closure says.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;

/// What came in.
pub(crate) struct Call {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) path: String,
    pub(crate) body: String,
}

/// What goes out.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    pub(crate) fn scim(status: u16, body: impl ToString) -> Reply {
        let headers = vec![("content-type", "application/scim+json".to_owned())];
        Reply {
            status,
            headers,
            body: body.to_string(),
        }
    }

    pub(crate) fn crowd(status: u16, body: &str) -> Reply {
        let headers = vec![
            ("content-type", "application/xml;charset=UTF-8".to_owned()),
            ("x-embedded-crowd-version", "Crowd/5.3.1".to_owned()),
        ];
        Reply {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    pub(crate) fn empty(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Reply {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Reply {
        self.headers.retain(|(known, _)| *known != name);
        self
    }
}

/// Starts a server on a free port and gives its address; it ends with the test's runtime.
pub(crate) async fn serve(answer: impl Fn(Call) -> Reply + Send + Sync + 'static) -> String {
    let answer = Arc::new(answer);
    let router = Router::new().fallback(move |request: Request| {
        let answer = Arc::clone(&answer);
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            let reply = answer(Call {
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                body: String::from_utf8(body.to_vec()).expect("UTF-8"),
            });
            let mut response = Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            response.body(Body::from(reply.body)).expect("a response")
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
