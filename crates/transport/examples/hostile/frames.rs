//! HTTP/2 frames and header blocks, written by hand so that they can be wrong.
//!
//! Source: RFC 9113 (frames) and RFC 7541 (header blocks). Nothing is Huffman-coded, and
//! nothing goes into the dynamic table unless it is asked for.

/// What a client says first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Path of the call with large requests and answers.
pub(crate) const UNARY: &str = "/grpc.testing.TestService/UnaryCall";

/// Path of the call with streams in both directions.
pub(crate) const DUPLEX: &str = "/grpc.testing.TestService/FullDuplexCall";

/// Types of frames.
pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
    /// One that nobody has defined.
    pub(crate) const UNKNOWN: u8 = 0xbf;
}

/// Flags of frames.
pub(crate) mod flag {
    pub(crate) const ACK: u8 = 1;
    pub(crate) const END_STREAM: u8 = 1;
    pub(crate) const END_HEADERS: u8 = 4;
    pub(crate) const PADDED: u8 = 8;
}

/// Error codes of RFC 9113, section 7.
pub(crate) mod code {
    pub(crate) const CANCEL: u32 = 8;
    pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;
}

/// The name of an error code.
pub(crate) fn code_name(code: u32) -> String {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| format!("error {code}"), |name| (*name).to_owned())
}

/// The nine bytes before a payload of this length.
pub(crate) fn head(length: usize, kind: u8, flags: u8, stream: u32) -> [u8; 9] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let stream = stream.to_be_bytes();
    [length[1], length[2], length[3], kind, flags, stream[0], stream[1], stream[2], stream[3]]
}

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&head(payload.len(), kind, flags, stream), payload].concat()
}

/// A SETTINGS frame of one setting.
pub(crate) fn setting(identifier: u16, value: u32) -> Vec<u8> {
    let payload = [&identifier.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(kind::SETTINGS, 0, 0, &payload)
}

/// `SETTINGS_INITIAL_WINDOW_SIZE`: how much the server may send on a new stream.
pub(crate) fn initial_window(bytes: u32) -> Vec<u8> {
    setting(4, bytes)
}

/// A `WINDOW_UPDATE` frame.
pub(crate) fn window_update(stream: u32, bytes: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
}

/// An `RST_STREAM` frame.
pub(crate) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// A DATA frame that does not end its stream.
pub(crate) fn data(stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(kind::DATA, 0, stream, payload)
}

/// A DATA frame that does.
pub(crate) fn last_data(stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(kind::DATA, flag::END_STREAM, stream, payload)
}

/// The header block of a gRPC call, in one HEADERS frame that does not end its stream.
pub(crate) fn call(stream: u32, path: &str) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_HEADERS, stream, &call_block(path))
}

/// The header block of a gRPC call.
pub(crate) fn call_block(path: &str) -> Vec<u8> {
    // `:method: POST` and `:scheme: http` are whole entries of the static table; `:path` is
    // the name of its entry 4, `:authority` of 1, `content-type` of 31.
    let mut block = vec![0x83, 0x86, 0x04];
    string(&mut block, path.as_bytes());
    block.push(0x01);
    string(&mut block, b"localhost");
    block.extend([0x0f, 0x10]);
    string(&mut block, b"application/grpc");
    block.extend(header(b"te", b"trailers"));
    block
}

/// A header with a name of its own, as `literal header field without indexing`.
pub(crate) fn header(name: &[u8], value: &[u8]) -> Vec<u8> {
    literal(0x00, name, value)
}

/// The same, which the server is to keep in its dynamic table.
pub(crate) fn kept_header(name: &[u8], value: &[u8]) -> Vec<u8> {
    literal(0x40, name, value)
}

/// The header that was kept last: entry 62, the first after the static table.
pub(crate) const LAST_KEPT: u8 = 0x80 | 62;

fn literal(first: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    string(&mut bytes, name);
    string(&mut bytes, value);
    bytes
}

/// A string: its length as an integer with a prefix of seven bits, then the string itself.
fn string(to: &mut Vec<u8>, string: &[u8]) {
    let mut length = string.len();
    if length < 127 {
        to.push(length.to_le_bytes()[0]);
    } else {
        to.push(127);
        length -= 127;
        while length >= 128 {
            to.push(length.to_le_bytes()[0] | 0x80);
            length >>= 7;
        }
        to.push(length.to_le_bytes()[0]);
    }
    to.extend(string);
}

/// The five bytes before a gRPC message, with any length.
pub(crate) fn message_head(compressed: u8, length: u32) -> [u8; 5] {
    let length = length.to_be_bytes();
    [compressed, length[0], length[1], length[2], length[3]]
}

/// A gRPC message.
pub(crate) fn message(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&message_head(0, length), bytes].concat()
}

/// A whole unary call: headers, one message, and the end of the stream.
pub(crate) fn whole_call(stream: u32, path: &str, request: &[u8]) -> Vec<u8> {
    [call(stream, path), last_data(stream, &message(request))].concat()
}

/// The stream of a client's call by its number from 0.
pub(crate) fn stream(number: u32) -> u32 {
    number.saturating_mul(2).saturating_add(1) & (u32::MAX >> 1)
}
