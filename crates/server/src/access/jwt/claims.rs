//! What a token says, held against the rules. Its signature was verified before.

use serde_json::Value;

use super::Rules;
use super::object::Object;
use crate::access::{Identity, IdentityKind, Refusal, Role, Roles, Standing};

/// The longest subject: it is shown in logs and counted against in limits.
const SUBJECT_LEN_MAX: usize = 256;

/// The latest moment that is taken for one: the end of the year 9999.
const SECONDS_MAX: f64 = 253_402_300_799.0;

/// Whose token it is and until when.
pub(super) fn check(claims: &Object, rules: &Rules, now_ms: i64) -> Result<Standing, Refusal> {
    let leeway_ms = i64::try_from(rules.leeway.as_millis()).unwrap_or(i64::MAX);
    let expires_ms = claims.get("exp").and_then(moment_ms).ok_or(Refusal::Invalid)?;
    let ends_ms = expires_ms.saturating_add(leeway_ms);
    let begins_ms = match claims.get("nbf") {
        None => i64::MIN,
        Some(begins) => moment_ms(begins).ok_or(Refusal::Invalid)?.saturating_sub(leeway_ms),
    };
    let issuer_fits = rules.issuer.as_deref().is_none_or(|own| claims.text("iss") == Some(own));
    let audience_fits =
        rules.audience.as_deref().is_none_or(|own| is_among(claims.get("aud"), own));
    let subject = claims.text("sub").filter(|subject| is_fine(subject)).ok_or(Refusal::Invalid)?;
    if now_ms < begins_ms || !issuer_fits || !audience_fits {
        return Err(Refusal::Invalid);
    }
    if ends_ms <= now_ms {
        return Err(Refusal::Expired);
    }
    let roles = roles(claims.get(&rules.roles_claim));
    let identity = Identity { kind: IdentityKind::Token, name: subject.into(), roles };
    Ok(Standing { identity, ends_ms: Some(ends_ms) })
}

/// A `NumericDate`: seconds since 1970, with or without a fraction, as milliseconds.
fn moment_ms(value: &Value) -> Option<i64> {
    let seconds = value.as_f64().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds))?;
    Some((seconds * 1000.0) as i64)
}

/// `aud` is a text or a list of texts.
fn is_among(audience: Option<&Value>, own: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == own,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(own)),
        _ => false,
    }
}

/// Names that are no roles say nothing: there are others in `scope`.
fn roles(claim: Option<&Value>) -> Roles {
    let role = |name: &str| name.parse::<Role>().ok();
    match claim {
        Some(Value::String(names)) => names.split(' ').filter_map(role).collect(),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).filter_map(role).collect()
        }
        _ => Roles::default(),
    }
}

/// Whether a log can show it as it is.
fn is_fine(subject: &str) -> bool {
    let is_printable = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    (1..=SUBJECT_LEN_MAX).contains(&subject.len()) && subject.bytes().all(is_printable)
}
