//! Every method × every identity.

use ring::rand::SystemRandom;
use server::access::Role;
use server::access::api_key::ApiKey;
use server::methods::METHODS;
use server::settings::Address;
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::Channel;
use transport::development::{Existing, Plan, VALIDITY_DEFAULT, write_certificates};

use super::tokens::{Issuer, base64, unsigned};
use super::{call, create, now_ms, refusal, revoke, settings};
use crate::running::{self, Running};
use crate::secured;

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It gets to a handler if its method is for one of these roles, and only then.
    Roles(&'static [Role]),
    /// It is refused whatever it calls.
    Refused(&'static str),
}

use Fate::{Refused, Roles};

const MISSING: Fate = Refused("CREDENTIALS_MISSING");
const INVALID: Fate = Refused("CREDENTIALS_INVALID");
const EXPIRED: Fate = Refused("CREDENTIALS_EXPIRED");

/// Calls every method there is, and one that there is not.
async fn check(channel: &Channel, name: &str, authorization: &[&str], fate: Fate) {
    for method in METHODS {
        let answer = call(channel, method.path, authorization).await;
        let expected = match fate {
            Roles(roles) if roles.contains(&method.role) => None,
            Roles(_) => Some((Code::PermissionDenied, "ROLE_MISSING".to_owned())),
            Refused(reason) => Some((Code::Unauthenticated, reason.to_owned())),
        };
        assert_eq!(refusal(&answer), expected, "{name} {} {answer:?}", method.path);
        // A handler's answer to an empty question, good or not.
        let code = answer.map_or_else(|status| status.code(), |()| Code::Ok);
        let handled = [Code::Ok, Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition];
        let is_handled = handled.contains(&code);
        assert_eq!(is_handled, expected.is_none(), "{name} {} {code}", method.path);
    }
    let answer =
        call(channel, "/foreword.v1.RecommendationService/Everything", authorization).await;
    let expected = match fate {
        Roles(_) => (Code::Unimplemented, "METHOD_UNKNOWN"),
        Refused(reason) => (Code::Unauthenticated, reason),
    };
    assert_eq!(refusal(&answer), Some((expected.0, expected.1.to_owned())), "{name}");
}

const SHOP: &str = r#""iss": "https://shop.example", "aud": ["foreword", "other"]"#;

/// Claims with an expiry so many seconds from now, and more.
fn claims(seconds: i64, more: &str) -> String {
    let expires = now_ms() / 1000 + seconds;
    format!(r#"{{"exp": {expires}, "sub": "ann@shop.example", {more}}}"#)
}

fn bearer(credential: &str) -> String {
    format!("Bearer {credential}")
}

/// A key with the checksum that belongs to it.
fn whole(key: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let body = &key[..key.len() - 6];
    let (mut sum, mut digits) = (crc32fast::hash(body.as_bytes()) as usize, [b'0'; 6]);
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[sum % 62];
        sum /= 62;
    }
    let key = format!("{body}{}", std::str::from_utf8(&digits).unwrap());
    assert!(ApiKey::parse(&key).is_some());
    key
}

/// A shop that takes keys, and tokens of an issuer.
struct Shop {
    folder: TempDir,
    issuer: Issuer,
}

impl Shop {
    async fn new() -> Self {
        let (folder, issuer) = (running::full_shop().await, Issuer::new());
        std::fs::write(folder.path().join("keys.json"), issuer.key_set()).unwrap();
        Self { folder, issuer }
    }

    async fn start(&self) -> Running {
        let path = self.folder.path();
        let text = format!(
            "[access]\napi_keys = true\njwt_keys = {:?}\njwt_issuer = \"https://shop.example\"\njwt_audience = \"foreword\"",
            path.join("keys.json")
        );
        Running::start_with(path, settings(path, &text)).await
    }
}

#[tokio::test]
async fn api_keys_open_what_their_roles_say() {
    let shop = Shop::new().await;
    let path = shop.folder.path();
    let key = |roles| create(path, roles, None);
    let (reader, writer) = (key(&[Role::Reader]).await, key(&[Role::Writer]).await);
    let (all, revoked) = (key(&Role::ALL).await, key(&Role::ALL).await);
    revoke(path, &revoked).await;
    let expired = create(path, &Role::ALL, Some(now_ms() - 1)).await;
    // Whole, by its checksum, but drawn elsewhere.
    let strange = ApiKey::draw(&SystemRandom::new()).unwrap();
    // A known id, and another's secret.
    let crossed = whole(&strange.reveal().replace(strange.id(), all.id()));
    let running = shop.start().await;
    let channel = &running.channel;

    check(channel, "nothing", &[], MISSING).await;
    let garbage = [
        "",
        "Bearer",
        "Bearer ",
        "Basic Zm9v",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer ..",
        "foreword_",
    ];
    for garbage in garbage {
        check(channel, garbage, &[garbage], INVALID).await;
    }
    let cases = [
        ("a reader's key", reader.reveal(), Roles(&[Role::Reader])),
        ("a writer's key", writer.reveal(), Roles(&[Role::Writer])),
        ("a key with all roles", all.reveal(), Roles(&Role::ALL)),
        ("a revoked key", revoked.reveal(), INVALID),
        ("an expired key", expired.reveal(), EXPIRED),
        ("a stranger's key", strange.reveal(), INVALID),
        ("a key with another's id", &crossed, INVALID),
        ("a cut key", &all.reveal()[..all.reveal().len() - 1], INVALID),
    ];
    for (name, key, fate) in cases {
        check(channel, name, &[&bearer(key)], fate).await;
    }
    let twice = bearer(all.reveal());
    check(channel, "two headers", &[&twice, &twice], INVALID).await;
    running.stop().await;
}

#[tokio::test]
async fn tokens_open_what_their_roles_say() {
    let shop = Shop::new().await;
    let issuer = &shop.issuer;
    let running = shop.start().await;
    let channel = &running.channel;

    let with_roles = |seconds, roles: &str| claims(seconds, &format!("{SHOP}, \"roles\": {roles}"));
    let good = with_roles(60, r#"["reader", "writer", "admin"]"#);
    let other = |from: &str, to: &str| good.replace(from, to);
    let of_claims = [
        ("a token with all roles", good.clone(), Roles(&Role::ALL)),
        ("a reader's token", with_roles(60, r#""openid reader""#), Roles(&[Role::Reader])),
        ("a writer's token", with_roles(60, r#"["writer", "cook", 7]"#), Roles(&[Role::Writer])),
        ("a token without roles", claims(60, SHOP), Roles(&[])),
        ("an expired token", with_roles(-60, r#"["reader"]"#), EXPIRED),
        ("a token within the leeway", with_roles(-20, r#"["reader"]"#), Roles(&[Role::Reader])),
        ("another issuer's token", other("https://shop", "https://other"), INVALID),
        ("another audience's token", other("foreword", "backward"), INVALID),
        ("a token without a subject", other("\"sub\"", "\"bus\""), INVALID),
        ("a token without an end", other("\"exp\"", "\"end\""), INVALID),
        ("a token with two subjects", other("\"iss\"", "\"sub\": \"bob\", \"iss\""), INVALID),
        ("a token of tomorrow", other("\"iss\"", "\"nbf\": 4000000000, \"iss\""), INVALID),
    ];
    for (name, claims, fate) in &of_claims {
        check(channel, name, &[&bearer(&issuer.hs256(claims))], *fate).await;
        let token = issuer.eddsa(claims);
        check(channel, name, &[&bearer(&token)], *fate).await;
        // The second time it may be known.
        check(channel, name, &[&bearer(&token)], *fate).await;
    }
    let stranger = Issuer::new();
    check(channel, "another key's", &[&bearer(&stranger.eddsa(&good))], INVALID).await;
    let none = format!("{}.", unsigned(r#"{"alg":"none"}"#, &good));
    check(channel, "no signature", &[&bearer(&none)], INVALID).await;
    let long = with_roles(60, &format!("\"{}\"", "x".repeat(8 << 10)));
    check(channel, "a long token", &[&bearer(&issuer.hs256(&long))], INVALID).await;
    let cut = issuer.hs256(&good);
    check(channel, "a cut token", &[&bearer(&cut[..cut.len() - 1])], INVALID).await;
    let swapped = cut.replace(&base64(&good), &base64(good.replace("ann", "bob")));
    check(channel, "another's claims", &[&bearer(&swapped)], INVALID).await;
    running.stop().await;
}

#[tokio::test]
async fn refusals_that_cross_their_messages_leave_the_connection_open() {
    let shop = Shop::new().await;
    let running = shop.start().await;
    for place in 0..2000 {
        let answer = call(&running.channel, METHODS[0].path, &["Bearer x"]).await;
        let code = answer.map_or_else(|status| status.code(), |()| Code::Ok);
        assert_eq!(code, Code::Unauthenticated, "call {place}");
    }
    running.stop().await;
}

#[tokio::test]
async fn where_nobody_is_asked_everybody_may_do_everything() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    check(&running.channel, "anonymous", &[], Roles(&Role::ALL)).await;
    check(&running.channel, "a credential of no use", &["Bearer x"], Roles(&Role::ALL)).await;
    running.stop().await;
}

/// Serves with certificates, and calls with the development client's, whose name is
/// `marketplace`.
async fn check_certificate(access: &str, cases: &[(&str, &[&str], Fate)]) {
    let folder = running::full_shop().await;
    let certificates = folder.path().join("certificates");
    let plan = Plan { names: Vec::new(), validity: VALIDITY_DEFAULT, existing: Existing::Keep };
    write_certificates(&certificates, &plan, std::time::SystemTime::now()).unwrap();
    let file = |name: &str| certificates.join(name);
    let text = format!(
        "[tls]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n{access}",
        file("server.pem"),
        file("server.key"),
        file("ca.pem")
    );
    let mut settings = settings(folder.path(), &text);
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let data = server::data_folder::DataFolder::new(folder.path());
    let openness = server::serve::Openness::LoopbackOnly;
    let service = server::serve::Service::start(&data, &settings, openness).await.unwrap();
    let [Address::Tcp(_)] = service.addresses() else { panic!("{:?}", service.addresses()) };
    secured::while_served(service, async |port| {
        let channel = secured::channel(port, secured::client(&certificates, Some("client")));
        for (name, authorization, fate) in cases {
            check(&channel, name, authorization, *fate).await;
        }
    })
    .await;
}

#[tokio::test]
async fn certificates_open_what_their_names_have_in_the_settings() {
    let named = "[access]\ncertificate_roles = []\n[access.certificates]\n\"dns:marketplace\" = [\"writer\"]";
    let writer = Roles(&[Role::Writer]);
    check_certificate(named, &[("named", &[], writer), ("a bad bearer", &["Bearer x"], INVALID)])
        .await;
    let other = "[access.certificates]\n\"dns:other\" = [\"writer\"]";
    check_certificate(other, &[("not named", &[], Roles(&[Role::Reader]))]).await;
    let refused = "[access]\ncertificate_roles = []";
    check_certificate(refused, &[("not named", &[], Roles(&[]))]).await;
    let with_keys = "[access]\napi_keys = true";
    let cases: [(&str, &[&str], Fate); 2] =
        [("no key", &[], Roles(&[Role::Reader])), ("a bad key", &["Bearer foreword_x"], INVALID)];
    check_certificate(with_keys, &cases).await;
}
