//! W3C trace context: `traceparent` and `tracestate`, read strictly.
//!
//! After <https://www.w3.org/TR/trace-context/>. A bad `traceparent` is as good as none, and then
//! `tracestate` is not looked at; a bad `tracestate` alone is left out.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header with the ids.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header with what vendors add.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The flag that says that the caller may have recorded its part.
const SAMPLED: u8 = 1;

/// Bytes of a `traceparent` of version 00.
const PARENT_LEN: usize = 55;

/// Entries of a `tracestate`, and bytes of it, that every vendor has to pass on.
const STATE_ENTRIES_MAX: usize = 32;
const STATE_BYTES_MAX: usize = 512;

/// The trace that a call belongs to; in the extensions of its request. What goes out for the call
/// passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace. Not all zero.
    pub trace_id: [u8; 16],
    /// The span that what goes out belongs to: the call's own, or its caller's where none is made.
    /// Not all zero.
    pub span_id: [u8; 8],
    /// Whether the trace is recorded.
    pub is_sampled: bool,
    /// What vendors have added, as it came.
    pub state: Option<HeaderValue>,
}

impl TraceContext {
    /// The context that a request's headers carry.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next()?;
        // Nobody can tell which of several is right.
        if parents.next().is_some() {
            return None;
        }
        let mut context = Self::parse(parent.as_bytes())?;
        context.state = state(headers);
        Some(context)
    }

    fn parse(parent: &[u8]) -> Option<Self> {
        let (known, rest) = parent.split_at_checked(PARENT_LEN)?;
        let [version] = bytes(&known[..2])?;
        let may_follow = match version {
            0 => rest.is_empty(),
            0xff => false,
            // Later versions may add fields and keep these.
            _ => rest.first().is_none_or(|byte| *byte == b'-'),
        };
        let is_parted = [2, 35, 52].iter().all(|place| known[*place] == b'-');
        let trace_id = bytes(&known[3..35])?;
        let span_id = bytes(&known[36..52])?;
        let [flags] = bytes(&known[53..])?;
        let is_fine = may_follow && is_parted && trace_id != [0; 16] && span_id != [0; 8];
        let is_sampled = flags & SAMPLED != 0;
        is_fine.then_some(Self { trace_id, span_id, is_sampled, state: None })
    }

    /// The header that passes it on.
    ///
    /// # Panics
    ///
    /// Never: hexadecimal digits are fine in a header.
    #[must_use]
    pub fn traceparent(&self) -> HeaderValue {
        let (trace_id, span_id) = (Hex(&self.trace_id), Hex(&self.span_id));
        let text = format!("00-{trace_id}-{span_id}-{:02x}", u8::from(self.is_sampled));
        HeaderValue::try_from(text).expect("hexadecimal digits are fine in a header")
    }

    /// The trace's id as logs show it.
    pub(crate) fn shown_trace_id(&self) -> impl fmt::Display + fmt::Debug {
        Hex(&self.trace_id)
    }
}

/// Bytes from their hexadecimal digits, in lower case only.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    (digits.len() == 2 * N).then_some(bytes)
}

/// Bytes, shown in hexadecimal digits.
struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The entries of all `tracestate` headers, if they are what they should be.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut all = String::new();
    for header in headers.get_all(TRACESTATE) {
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(header.to_str().ok()?);
        if all.len() > STATE_BYTES_MAX {
            return None;
        }
    }
    let mut keys = Vec::new();
    for entry in all.split(',').map(|entry| entry.trim_matches([' ', '\t'])) {
        if entry.is_empty() {
            continue;
        }
        let (key, value) = entry.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
    }
    let is_fine = (1..=STATE_ENTRIES_MAX).contains(&keys.len());
    is_fine.then(|| HeaderValue::try_from(all.as_str()).ok()).flatten()
}

/// `vendor`, or `tenant@vendor`.
fn is_key(key: &str) -> bool {
    let is_fine =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/".contains(&byte);
    let part = |part: &str, len_max, may_begin: fn(&u8) -> bool| {
        (1..=len_max).contains(&part.len())
            && part.as_bytes().first().is_some_and(may_begin)
            && part.bytes().all(is_fine)
    };
    let is_letter: fn(&u8) -> bool = u8::is_ascii_lowercase;
    match key.split_once('@') {
        None => part(key, 256, is_letter),
        Some((tenant, vendor)) => {
            part(tenant, 241, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
                && part(vendor, 14, is_letter)
        }
    }
}

/// Up to 256 visible characters and blanks; entries were trimmed, so the last is no blank.
fn is_value(value: &str) -> bool {
    let is_fine = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b',' && byte != b'=';
    (1..=256).contains(&value.len()) && value.bytes().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn of(headers: &[(&'static str, &str)]) -> Option<TraceContext> {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap())
        };
        // From pairs, so that a name may come several times.
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(header) {
            map.append(name, value);
        }
        TraceContext::of(&map)
    }

    #[test]
    fn a_context_is_read_and_written_alike() {
        let context = of(&[("traceparent", PARENT)]).unwrap();
        assert_eq!(context.traceparent(), PARENT);
        assert_eq!(context.shown_trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled);
        let unsampled = PARENT.replace("-01", "-00");
        assert_eq!(of(&[("traceparent", &unsampled)]).unwrap().traceparent(), unsampled.as_str());
    }

    #[test]
    fn later_versions_may_add_fields_and_flags() {
        for later in [
            PARENT.replacen("00", "01", 1),
            PARENT.replacen("00", "cc", 1) + "-what-comes-later",
            PARENT.replace("-01", "-ff"),
        ] {
            assert_eq!(of(&[("traceparent", &later)]).unwrap().traceparent(), PARENT, "{later}");
        }
    }

    #[test]
    fn what_is_no_context_begins_another_trace() {
        for bad in [
            "",
            "00",
            &PARENT[..54],
            &format!("{PARENT}-more"),
            &PARENT.replacen("00", "01", 1).replace("-01", "-01.more"),
            &PARENT.replacen("00", "ff", 1),
            &PARENT.to_uppercase(),
            &PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
            &PARENT.replace('-', "_"),
            &PARENT.replace("b7", "g7"),
        ] {
            assert_eq!(of(&[("traceparent", bad)]), None, "{bad}");
        }
        assert_eq!(of(&[("traceparent", PARENT), ("traceparent", PARENT)]), None);
        assert_eq!(of(&[("tracestate", "a=1")]), None);
    }

    #[test]
    fn vendors_entries_are_passed_on_and_bad_ones_left_out() {
        let check = |states: &[&str], expected: Option<&str>| {
            let mut headers = vec![("traceparent", PARENT)];
            headers.extend(states.iter().map(|state| ("tracestate", *state)));
            let found = of(&headers).unwrap().state;
            assert_eq!(found.as_ref().map(|state| state.to_str().unwrap()), expected, "{states:?}");
        };
        check(&["rojo=00f067aa0ba902b7,congo=t61"], Some("rojo=00f067aa0ba902b7,congo=t61"));
        check(&["a=1", "b@c=2"], Some("a=1,b@c=2"));
        check(&["0a@b=1 2"], Some("0a@b=1 2"));
        check(&[""], None);
        for bad in ["a", "A=1", "0=1", "a=1,a=2", "a=1=2", "a@0=1", "=1", "a="] {
            check(&[bad], None);
        }
        check(&[&format!("a={}", "1".repeat(600))], None);
        let many: Vec<String> = (0..33).map(|number| format!("a{number}=1")).collect();
        check(&[&many.join(",")], None);
    }
}
