use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::access::Identity;

/// 2011-03-22T18:43:00Z, when the token of RFC 7515 ends.
const END_MS: i64 = 1_300_819_380_000;

/// RFC 7515, appendix A.1.1.
const RFC_7515_KEY: &str = r#"{"keys": [{"kty": "oct", "k":
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;
const RFC_7515_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// RFC 8037, appendices A.2 and A.4.
const RFC_8037_KEY: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
const RFC_8037_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// The key of RFC 8037, appendix A.2, as a `SubjectPublicKeyInfo`; worked out with OpenSSL.
const RFC_8037_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

const SECRET: [u8; 32] = [7; 32];
const NOW_MS: i64 = 1_000_000_000;

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hs256_set() -> KeySet {
    let set = format!(r#"{{"keys": [{{"kty": "oct", "k": "{}"}}]}}"#, base64(SECRET));
    KeySet::parse(set.as_bytes()).unwrap()
}

fn rules() -> Rules {
    Rules {
        issuer: None,
        audience: None,
        roles_claim: "roles".to_owned(),
        leeway: Duration::from_secs(2),
    }
}

fn signed(header: &str, claims: &[u8]) -> String {
    let signed = format!("{}.{}", base64(header), base64(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    format!("{signed}.{}", base64(hmac::sign(&key, signed.as_bytes())))
}

fn hs256(claims: &str) -> String {
    signed(r#"{"alg":"HS256"}"#, claims.as_bytes())
}

fn identify(token: &str) -> Result<Identity, Refusal> {
    let tokens = Tokens::new(rules(), hs256_set());
    tokens.identify(token, NOW_MS, || Ok(())).map(|standing| standing.identity)
}

fn key_set_error(contents: &str) -> String {
    KeySet::parse(contents.as_bytes()).unwrap_err().to_string()
}

fn verifies(set: &str, token: &str) -> bool {
    let compact = Compact::parse(token).unwrap();
    let set = KeySet::parse(set.as_bytes()).unwrap();
    let key = set.find(&compact.header);
    key.is_some_and(|key| key.has_signed(compact.signed, &compact.signature))
}

#[test]
fn the_signatures_of_the_standards_are_verified() {
    assert!(verifies(RFC_7515_KEY, RFC_7515_TOKEN));
    assert!(verifies(RFC_8037_KEY, RFC_8037_JWS));
    assert!(verifies(RFC_8037_PEM, RFC_8037_JWS));
    assert!(!verifies(RFC_7515_KEY, RFC_8037_JWS), "the algorithm is the key's");
    assert!(!verifies(RFC_8037_KEY, RFC_7515_TOKEN), "the algorithm is the key's");
    assert!(!verifies(RFC_8037_KEY, &RFC_8037_JWS.replace("hgyY", "hgyZ")));
}

#[test]
fn a_token_of_the_standard_has_no_subject_and_so_is_no_identity() {
    let tokens = Tokens::new(rules(), KeySet::parse(RFC_7515_KEY.as_bytes()).unwrap());
    assert_eq!(tokens.identify(RFC_7515_TOKEN, END_MS - 1, || Ok(())), Err(Refusal::Invalid));
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
    let public = key.public_key().as_ref();
    let set =
        format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "x": "{}"}}]}}"#, base64(public));
    let tokens = Tokens::new(rules(), KeySet::parse(set.as_bytes()).unwrap());
    let claims = br#"{"sub": "ann", "exp": 2000000}"#;
    let message = format!("{}.{}", base64(r#"{"alg":"HS256"}"#), base64(claims));
    let forged = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public), message.as_bytes());
    let forged = format!("{message}.{}", base64(forged));
    assert_eq!(tokens.identify(&forged, NOW_MS, || Ok(())), Err(Refusal::Invalid));
    let message = format!("{}.{}", base64(r#"{"alg":"EdDSA"}"#), base64(claims));
    let good = format!("{message}.{}", base64(key.sign(message.as_bytes())));
    assert_eq!(&*tokens.identify(&good, NOW_MS, || Ok(())).unwrap().identity.name, "ann");
}

#[test]
fn a_token_is_taken_within_its_time_and_no_longer() {
    // With two seconds of leeway on both sides.
    let token = hs256(r#"{"sub": "ann", "exp": 1000010.5, "nbf": 1000000}"#);
    let tokens = Tokens::new(rules(), hs256_set());
    let check = |now_ms: i64, expected: Result<(), Refusal>| {
        // Once as it comes, and once as it may be remembered.
        let fresh = Tokens::new(rules(), hs256_set());
        assert_eq!(fresh.identify(&token, now_ms, || Ok(())).map(drop), expected, "{now_ms}");
        if now_ms >= 999_998_000 {
            assert_eq!(tokens.identify(&token, now_ms, || Ok(())).map(drop), expected, "{now_ms}");
        }
    };
    check(999_997_999, Err(Refusal::Invalid));
    check(999_998_000, Ok(()));
    check(1_000_012_499, Ok(()));
    check(1_000_012_500, Err(Refusal::Expired));
    check(i64::MAX, Err(Refusal::Expired));
}

#[test]
fn claims_that_are_missing_or_strange_are_refused() {
    let good = r#"{"sub": "ann", "exp": 2000000}"#;
    assert_eq!(identify(&hs256(good)).unwrap().to_string(), "token:ann");
    for end in ["\"2000000\"", "-1", "1e300", "null", "true", "[2000000]", "253402300800"] {
        let refused = identify(&hs256(&good.replace("2000000", end)));
        assert_eq!(refused, Err(Refusal::Invalid), "{end}");
    }
    let long = format!("\"{}\"", "x".repeat(257));
    for subject in ["\"\"", "7", "null", "\"a\\u001bb\"", "\"ä\"", "\"a\\nb\"", &long] {
        let refused = identify(&hs256(&good.replace("\"ann\"", subject)));
        assert_eq!(refused, Err(Refusal::Invalid), "{subject}");
    }
    for claims in ["", "[]", "null", "{", r#"{"sub": "ann", "exp": 2000000} x"#] {
        assert_eq!(identify(&hs256(claims)), Err(Refusal::Invalid), "{claims}");
    }
    assert_eq!(identify(&signed(r#"{"alg":"HS256"}"#, b"\xff")), Err(Refusal::Invalid));
    let strange = good.replace('}', r#", "nbf": "soon"}"#);
    assert_eq!(identify(&hs256(&strange)), Err(Refusal::Invalid));
    let twice = good.replace('}', r#", "sub": "bob"}"#);
    assert_eq!(identify(&hs256(&twice)), Err(Refusal::Invalid));
}

#[test]
fn issuer_and_audience_are_held_to_where_the_rules_name_them() {
    let rules = Rules {
        issuer: Some("https://shop.example".to_owned()),
        audience: Some("foreword".to_owned()),
        ..rules()
    };
    let check = |more: &str, expected: Result<(), Refusal>| {
        let token = hs256(&format!(r#"{{"sub": "ann", "exp": 2000000{more}}}"#));
        let tokens = Tokens::new(rules.clone(), hs256_set());
        assert_eq!(tokens.identify(&token, NOW_MS, || Ok(())).map(drop), expected, "{more}");
    };
    let shop = r#", "iss": "https://shop.example""#;
    check(&format!(r#"{shop}, "aud": "foreword""#), Ok(()));
    check(&format!(r#"{shop}, "aud": ["other", "foreword"]"#), Ok(()));
    let refused = Err(Refusal::Invalid);
    check(shop, refused);
    check(r#", "aud": "foreword""#, refused);
    check(&format!(r#"{shop}, "aud": []"#), refused);
    check(&format!(r#"{shop}, "aud": "forewords""#), refused);
    check(&format!(r#"{shop}, "aud": {{"foreword": "foreword"}}"#), refused);
    check(r#", "iss": ["https://shop.example"], "aud": "foreword""#, refused);
}

#[test]
fn headers_that_ask_for_more_are_refused() {
    let claims = br#"{"sub": "ann", "exp": 2000000}"#;
    let check = |header: &str, is_taken: bool| {
        assert_eq!(identify(&signed(header, claims)).is_ok(), is_taken, "{header}");
    };
    check(r#"{"alg":"HS256","typ":"JWT","cty":"x"}"#, true);
    check(r#"{"alg":"HS256","kid":"any, as the key has no name"}"#, true);
    check(r#"{"alg":"HS256","kid":7}"#, false);
    check(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, false);
    check(r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, false);
    check(r#"{"alg":"HS256","alg":"HS256"}"#, false);
    for algorithm in ["none", "None", "hs256", "HS512", "EdDSA", "RS256", "ES256", ""] {
        check(&format!(r#"{{"alg":"{algorithm}"}}"#), false);
    }
    check(r#"{"alg":["HS256"]}"#, false);
    check("{}", false);
    let long = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "x".repeat(257));
    check(&long, false);
}

#[test]
fn a_token_has_one_text_only() {
    let token = hs256(r#"{"sub": "ann", "exp": 2000000}"#);
    assert!(identify(&token).is_ok());
    assert_eq!(identify(&format!("{token}=")), Err(Refusal::Invalid));
    assert_eq!(identify(&format!("{token}.")), Err(Refusal::Invalid));
    assert_eq!(identify(&format!(".{token}")), Err(Refusal::Invalid));
    assert_eq!(identify(&token.replace('.', "..")), Err(Refusal::Invalid));
    // The last digit of 32 bytes has two bits that say nothing.
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let taken = digits.iter().filter(|digit| {
        let mut other = token.clone();
        other.pop();
        other.push(char::from(**digit));
        identify(&other).is_ok()
    });
    assert_eq!(taken.count(), 1);
}

#[test]
fn a_token_names_its_key_where_there_are_several() {
    let secret = base64(SECRET);
    let other = base64([8; 32]);
    let set = format!(
        r#"{{"keys": [{{"kty": "oct", "kid": "a", "k": "{other}"}}, {{"kty": "oct", "kid": "b", "k": "{secret}"}}]}}"#
    );
    let tokens = Tokens::new(rules(), KeySet::parse(set.as_bytes()).unwrap());
    let check = |header: &str, is_taken: bool| {
        let token = signed(header, br#"{"sub": "ann", "exp": 2000000}"#);
        assert_eq!(tokens.identify(&token, NOW_MS, || Ok(())).is_ok(), is_taken, "{header}");
    };
    check(r#"{"alg":"HS256","kid":"b"}"#, true);
    check(r#"{"alg":"HS256","kid":"a"}"#, false);
    check(r#"{"alg":"HS256","kid":"c"}"#, false);
    check(r#"{"alg":"HS256"}"#, false);
}

#[test]
fn new_keys_forget_the_tokens_of_old_ones() {
    let token = hs256(r#"{"sub": "ann", "exp": 2000000}"#);
    let tokens = Tokens::new(rules(), hs256_set());
    tokens.identify(&token, NOW_MS, || Ok(())).unwrap();
    tokens.replace(KeySet::parse(RFC_8037_PEM.as_bytes()).unwrap());
    assert_eq!(tokens.identify(&token, NOW_MS, || Ok(())), Err(Refusal::Invalid));
}

#[test]
fn keys_of_other_kinds_are_left_out() {
    let secret = base64(SECRET);
    let set = format!(
        r#"{{"keys": [{{"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, {{"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}},
            {{"kty": "OKP", "crv": "X25519", "x": "a"}}, {{"kty": "oct", "use": "enc", "k": "{secret}"}},
            {{"kty": "oct", "alg": "HS512", "k": "{secret}"}}, {{"kty": "oct", "key_ops": ["sign"], "k": "{secret}"}},
            {{"kty": "oct", "use": "sig", "alg": "HS256", "key_ops": ["verify"], "k": "{secret}"}}], "x": 1}}"#
    );
    let set = KeySet::parse(set.as_bytes()).unwrap();
    assert_eq!((set.len(), set.ignored()), (1, 6));
    let error = key_set_error(r#"{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}"#);
    assert!(error.ends_with("and 1 others"), "{error}");
    key_set_error(r#"{"keys": []}"#);
}

#[test]
fn files_that_are_no_keys_say_what_is_wrong_and_where() {
    let check = |contents: &str, expected: &str| {
        let error = key_set_error(contents);
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    };
    check("", "is neither a JWK Set");
    check("hunter2", "is neither a JWK Set");
    check("{\n\"hunter2", "is no JSON at line 2, column 8");
    check("{\"hunter2\": 1}", "is no JWK Set at line 1");
    check("{\"keys\": [{\"kty\": \"oct\", \"k\": 7}]}", "is no JWK Set at line 1");
    check("{\"keys\": [{\"kty\": \"hunter2\", \"kty\": \"oct\"}]}", "is no JWK Set");
    check(
        "{\"keys\": [{\"kty\": \"oct\", \"k\": \"hunter22\"}]}",
        "key 1: its k has fewer than 32",
    );
    check("{\"keys\": [{\"kty\": \"oct\", \"k\": \"hunter2=\"}]}", "key 1: its k is not Base64");
    check("{\"keys\": [{\"kty\": \"oct\"}]}", "key 1: its k is not Base64");
    check(
        "{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"hunter2\"}]}",
        "key 1: its x",
    );
    let key = format!("{{\"kty\": \"oct\", \"k\": \"{}\"}}", base64(SECRET));
    check(&format!("{{\"keys\": [{key}, {key}]}}"), "key 1: has no kid");
    let named = key.replace("\"oct\"", "\"oct\", \"kid\": \"hunter2\"");
    check(&format!("{{\"keys\": [{named}, {named}]}}"), "key 2: has the kid of another one");
    let many = vec![named; 101].join(",");
    check(&format!("{{\"keys\": [{many}]}}"), "has 101 keys, expected at most 100");
    let pem = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    check(&pem("PRIVATE KEY", "aHVudGVyMg=="), "is a private key");
    check(&pem("CERTIFICATE", "aHVudGVyMg=="), "is PEM of another kind");
    check(&pem("PUBLIC KEY", "aHVudGVyMg=="), "is a public key of another kind");
    check(&pem("PUBLIC KEY", "hunter2!"), "is damaged PEM");
    check("-----BEGIN PUBLIC KEY-----\nhunter2", "is damaged PEM");
    check(&format!("{RFC_8037_PEM}{RFC_8037_PEM}"), "has more than one block");
}

#[test]
fn keys_are_not_shown() {
    for set in [RFC_7515_KEY, RFC_8037_KEY] {
        let shown = format!("{:?}", Tokens::new(rules(), KeySet::parse(set.as_bytes()).unwrap()));
        assert!(
            shown.contains("algorithm") && !shown.contains("AyM1") && !shown.contains("215"),
            "{shown}"
        );
    }
}

proptest! {
    #[test]
    fn nothing_that_was_changed_is_taken(place in 0_usize..1000, byte in 0_u8..128) {
        let token = hs256(r#"{"sub": "ann", "exp": 2000000}"#);
        let mut changed = token.clone().into_bytes();
        let place = place % changed.len();
        prop_assume!(changed[place] != byte);
        changed[place] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(identify(&changed), Err(Refusal::Invalid));
    }

    #[test]
    fn no_text_is_a_token(token in "[ -~]{0,200}", parts in "[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,3}") {
        prop_assert_eq!(identify(&token), Err(Refusal::Invalid));
        prop_assert_eq!(identify(&parts), Err(Refusal::Invalid));
    }
}

#[test]
fn only_a_new_token_asks_whether_its_signature_may_be_checked() {
    let tokens = Tokens::new(rules(), hs256_set());
    let good = hs256(r#"{"sub": "ann", "exp": 2000000, "roles": ["reader"]}"#);
    let never = || Err(Refusal::TooMany(Duration::from_secs(1)));
    assert_eq!(tokens.identify(&good, NOW_MS, never), never().map(|()| unreachable!()));
    tokens.identify(&good, NOW_MS, || Ok(())).unwrap();
    tokens.identify(&good, NOW_MS, never).unwrap();
    // What is no token at all costs nothing, and is told as that.
    assert_eq!(tokens.identify("a.b", NOW_MS, never), Err(Refusal::Invalid));
}
