use super::*;

#[test]
fn a_url_leads_to_a_host_and_a_port() {
    let place = |url: &str| Place::of(&url.parse().unwrap());
    let to = |host: &str, port, secure| Ok(Place { host: host.to_owned(), port, secure });

    assert_eq!(place("http://orders/health"), to("orders", 80, false));
    assert_eq!(place("https://orders.example.com:8443"), to("orders.example.com", 8443, true));
    assert_eq!(place("https://[2001:db8::1]/"), to("2001:db8::1", 443, true));
}

#[test]
fn a_request_travels_with_a_path_and_the_headers_of_its_own_connection() {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = "http://orders:8080?a=b".parse().unwrap();

    let request = over_the_wire(request);

    assert_eq!(request.uri().to_string(), "/?a=b");
    assert_eq!(request.headers()[HOST], "orders:8080");
    assert_eq!(request.headers()[CONNECTION], "close");
}
