//! AWS's own examples: the test suite of Signature Version 4, and the example in its documentation.

use super::*;

/// The example keys, published by AWS.
fn signer(service: &str, session: Option<&str>) -> Signer {
    let keys = Keys {
        id: Secret::new("AKIDEXAMPLE"),
        secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session: session.map(Secret::new),
        until: None,
    };
    Signer { keys, region: "us-east-1".into(), service: service.into() }
}

/// The names of the signed headers, and the signature.
fn signed(signer: &Signer, method: &str, url: &str, form: Option<&str>) -> (String, String) {
    let mut request = Request::new(method.parse().unwrap(), url.parse().unwrap());
    if let Some(form) = form {
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Some(form.to_owned().into());
    }
    signer.sign(&mut request, "2015-08-30T12:36:00Z".parse().unwrap()).unwrap();
    let value = &request.headers()[AUTHORIZATION];
    assert!(value.is_sensitive());
    let value = value.to_str().unwrap().to_owned();
    let scope = format!("Credential=AKIDEXAMPLE/20150830/us-east-1/{}/aws4_request, ", signer.service);
    assert!(value.starts_with(&format!("{ALGORITHM} {scope}SignedHeaders=")), "{value}");
    let part = |name: &str| {
        let (_, rest) = value.split_once(name).unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    (part("SignedHeaders="), part("Signature="))
}

#[test]
fn the_test_suite_of_aws_is_signed_as_aws_signs_it() {
    let at = |rest: &str| format!("https://example.amazonaws.com{rest}");
    for (name, method, url, signature) in [
        ("get-vanilla", "GET", at("/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("post-vanilla", "POST", at("/"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            at("/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-empty-query-key",
            "GET",
            at("/?Param1=value1"),
            "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
        ),
        (
            "get-vanilla-utf8-query",
            "GET",
            at("/?ሴ=bar"),
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            "GET",
            at("/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
    ] {
        let found = signed(&signer("service", None), method, &url, None);
        assert_eq!(found, ("host;x-amz-date".to_owned(), signature.to_owned()), "{name}");
    }
}

#[test]
fn the_body_of_a_form_is_signed_with_its_kind() {
    let found =
        signed(&signer("service", None), "POST", "https://example.amazonaws.com/", Some("Param1=value1"));
    assert_eq!(
        found,
        (
            "content-type;host;x-amz-date".to_owned(),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a".to_owned()
        )
    );
}

#[test]
fn the_keys_of_a_day_are_those_of_the_documentation() {
    // "Example: signing key" of the documentation
    let day = keyed(b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830");
    let key =
        ["us-east-1", "iam", "aws4_request"].into_iter().fold(day, |key, part| keyed(key.as_ref(), part));
    assert_eq!(hex(key.as_ref()), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

#[test]
fn what_is_sent_is_what_was_signed() {
    let url =
        "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1/api/v1/query?query=a+b&z=%2B&a=";
    let mut request = Request::new(reqwest::Method::GET, url.parse().unwrap());
    signer("aps", Some("session/token==")).sign(&mut request, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(request.url().query(), Some("a=&query=a%20b&z=%2B"));
    let headers = request.headers();
    assert_eq!(headers[SESSION], "session/token==");
    assert!(headers[SESSION].is_sensitive());
    assert!(headers[AUTHORIZATION].to_str().unwrap().contains("=host;x-amz-date;x-amz-security-token, "));
    assert_eq!(headers[DATE], "19700101T000000Z");
    let local: Url = "http://[::1]:9090/x".parse().unwrap();
    assert_eq!(host(&local), "[::1]:9090");
}
