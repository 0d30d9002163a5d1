//! No bytes are taken for a token that nobody signed, and none make the checks panic.
//!
//! The first byte of an input says what the others are: a token as it is presented, a file of
//! keys, or the header or the claims of a token that is then signed as it should be.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use server::access::jwt::{KeySet, Rules, Tokens};
use server::access::{Refusal, Standing};

const SECRET: [u8; 32] = [7; 32];

/// 2033-05-18T03:33:20Z.
const NOW_MS: i64 = 2_000_000_000_000;

const LEEWAY_MS: i64 = 1_000;

const CLAIMS: &str = r#"{"sub":"ann","exp":3000000000}"#;

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    let set = format!(r#"{{"keys":[{{"kty":"oct","k":"{secret}"}}]}}"#);
    tokens(KeySet::parse(set.as_bytes()).expect("it is a set of one key"))
});

fuzz_target!(|input: &[u8]| {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind % 4 {
        0 => {
            let Ok(token) = std::str::from_utf8(bytes) else { return };
            // A header is what bearer tokens come in, and it ends with them.
            let _: Refusal = TOKENS.identify(token, NOW_MS, || Ok(())).expect_err("nobody signed it");
        }
        1 => {
            let Ok(keys) = KeySet::parse(bytes) else { return };
            assert!((1..=100).contains(&keys.len()));
            let tokens = tokens(keys);
            let token = signed(br#"{"alg":"HS256"}"#, CLAIMS.as_bytes(), &[9; 32]);
            tokens.identify(&token, NOW_MS, || Ok(())).expect_err("the key is another one");
        }
        2 => {
            // Whatever else a header says, the signature and the claims are good.
            let token = signed(bytes, CLAIMS.as_bytes(), &SECRET);
            if let Ok(Standing { identity, .. }) = TOKENS.identify(&token, NOW_MS, || Ok(())) {
                assert_eq!(&*identity.name, "ann");
                let header = String::from_utf8_lossy(bytes);
                assert!(header.contains("alg") || header.contains("\\u"), "{header}");
            }
        }
        _ => {
            let token = signed(br#"{"alg":"HS256"}"#, bytes, &SECRET);
            if let Ok(standing) = TOKENS.identify(&token, NOW_MS, || Ok(())) {
                let identity = &standing.identity;
                let is_printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
                assert!(identity.name.bytes().all(is_printable));
                assert!((1..=256).contains(&identity.name.len()));
                // Nothing lasts beyond the year 9999.
                let end = TOKENS.identify(&token, i64::MAX / 2, || Ok(()));
                assert_eq!(end, Err(Refusal::Expired));
                assert_eq!(TOKENS.identify(&token, NOW_MS, || Ok(())), Ok(standing));
            }
        }
    }
});

fn tokens(keys: KeySet) -> Tokens {
    let rules = Rules {
        issuer: None,
        audience: None,
        roles_claim: "roles".to_owned(),
        leeway: Duration::from_millis(LEEWAY_MS as u64),
    };
    Tokens::new(rules, keys)
}

fn signed(header: &[u8], claims: &[u8], secret: &[u8]) -> String {
    let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let message = format!("{header}.{claims}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}
