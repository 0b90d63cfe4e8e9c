//! One HTTP request from inside the lab's network, timed.

use drill_shop::http::{Http, HttpFault};

use crate::clock;
use crate::wire::{HttpReading, HttpRequest};

/// Sends one request and times its answer.
pub(crate) async fn read(request: &HttpRequest) -> Result<HttpReading, HttpFault> {
    let started = clock::instant();
    let body = request.body.clone().into_bytes();
    let http = Http::new(request.timeout);
    let (status, body) = http.send(&request.method, &request.url, body, request.timeout).await?;
    Ok(HttpReading { status, body: String::from_utf8_lossy(&body).into_owned(), elapsed: started.elapsed() })
}
