//! The benchmarks' service on axum, on one thread, with serde and validator: `service [-middleware] 127.0.0.1:8000`.

mod data;
mod problems;

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use validator::Validate;

use data::{CATALOGUE, Login, Order, Params, Receipt, USERS, User, count};
use problems::{problems, unreadable};

#[derive(serde::Serialize)]
struct Greeting {
    message: &'static str,
}

async fn plain() -> Response {
    count("plain");
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], "Hello, world").into_response()
}

async fn hello() -> Json<Greeting> {
    count("hello");
    Json(Greeting { message: "Hello, world" })
}

async fn pause() -> Json<Greeting> {
    tokio::task::yield_now().await;
    count("pause");
    Json(Greeting { message: "Hello, world" })
}

/// A handler that may block, in a thread for that.
async fn thread() -> Response {
    let greeting = tokio::task::spawn_blocking(|| {
        count("thread");
        Greeting { message: "Hello, world" }
    });
    match greeting.await {
        Ok(greeting) => Json(greeting).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Deserialize)]
struct Search {
    q: String,
    limit: i64,
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let pairs = headers.get(COOKIE)?.to_str().ok()?;
    pairs.split("; ").filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

async fn params(Path(item_id): Path<i64>, Query(search): Query<Search>, headers: HeaderMap) -> Response {
    let tag = headers.get("x-request-tag").and_then(|value| value.to_str().ok());
    let (Some(tag), Some(session)) = (tag, cookie(&headers, "session")) else {
        return unreadable("parameters", "Field required".to_owned());
    };
    let value = Params { item_id, q: search.q, limit: search.limit, tag: tag.into(), session: session.into() };
    if let Err(errors) = value.validate() {
        return problems(&errors, "parameters", &Value::Null);
    }
    count("params");
    Json(value).into_response()
}

async fn login(Form(form): Form<Login>) -> Response {
    if let Err(errors) = form.validate() {
        return problems(&errors, "body", &Value::Null);
    }
    count("login");
    Json(json!({ "username": form.username, "length": form.password.chars().count() })).into_response()
}

async fn order(body: Bytes) -> Response {
    let asked: Order = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return unreadable("body", error.to_string()),
    };
    if let Err(errors) = asked.validate() {
        let sent = serde_json::from_slice(&body).unwrap_or_default();
        return problems(&errors, "body", &sent);
    }
    count("order");
    (StatusCode::CREATED, Json(Receipt::new(asked))).into_response()
}

fn refusal(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({ "detail": detail }))).into_response()
}

/// The outermost of three levels: something that is opened before and closed after.
struct Session(&'static HashMap<String, User>);

impl Session {
    fn open() -> Self {
        count("session opened");
        Self(&USERS)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        count("session closed");
    }
}

struct CurrentUser(&'static User, Session);

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let session = Session::open();
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
            _ => {
                let mut response = refusal(StatusCode::UNAUTHORIZED, "Not authenticated");
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                return Err(response);
            }
        };
        let Some(user) = session.0.get(token) else {
            return Err(refusal(StatusCode::UNAUTHORIZED, "Unknown token"));
        };
        count("user");
        Ok(Self(user, session))
    }
}

struct Staff(CurrentUser);

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let user = CurrentUser::from_request_parts(parts, state).await?;
        if user.0.role == "staff" { Ok(Self(user)) } else { Err(refusal(StatusCode::FORBIDDEN, "Not for you")) }
    }
}

async fn guarded(Staff(CurrentUser(user, _session)): Staff) -> Response {
    count("guarded");
    Json(json!({ "id": user.id, "name": user.name })).into_response()
}

#[derive(Deserialize)]
struct Start {
    start: usize,
}

async fn products(Query(query): Query<Start>) -> Response {
    let Some(chosen) = query.start.checked_add(50).and_then(|end| CATALOGUE.get(query.start..end)) else {
        return unreadable("query", "start is too large".to_owned());
    };
    count("products");
    Json(chosen).into_response()
}

async fn thing(Path(number): Path<i64>) -> Response {
    count("thing");
    Json(json!({ "number": number })).into_response()
}

/// A middleware around every handler.
async fn mark(request: Request, next: Next) -> Response {
    if request.uri().path() == "/hello" {
        count("mark");
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-served-by", HeaderValue::from_static("benchmark"));
    response
}

fn routes() -> Router {
    let mut router = Router::new()
        .route("/plain", get(plain))
        .route("/hello", get(hello))
        .route("/pause", get(pause))
        .route("/thread", get(thread))
        .route("/items/{item_id}", get(params))
        .route("/login", post(login))
        .route("/orders", post(order))
        .route("/guarded", get(guarded))
        .route("/products", get(products))
        .route("/calls", get(async || Json(data::calls())));
    for section in 0..100 {
        let things = (0..5).fold(Router::new(), |inner, n| inner.route(&format!("/thing{n}/{{number}}"), get(thing)));
        router = router.nest(&format!("/section{section:02}"), things);
    }
    router
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let router = if arguments.iter().any(|argument| argument == "-middleware") {
        routes().layer(from_fn(mark))
    } else {
        routes()
    };
    let address = arguments.last().map_or("127.0.0.1:8000", String::as_str);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        }),
        router,
    )
    .await
}
