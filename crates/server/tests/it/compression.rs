//! Compression: answers come as their requests did.

use api::v1::TrendingRequest;
use tonic::Response;
use tonic::codec::CompressionEncoding;

use crate::running::{self, Running};

#[tokio::test]
async fn answers_are_compressed_as_requests_are() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let request = TrendingRequest::default;
    let encoding = |answer: &Response<_>| {
        answer.metadata().get("grpc-encoding").map(|value| value.to_str().unwrap().to_owned())
    };
    let plain = running.v1().trending(request()).await.unwrap();
    assert_eq!(encoding(&plain), None);
    for (packed, name) in [(CompressionEncoding::Gzip, "gzip"), (CompressionEncoding::Zstd, "zstd")]
    {
        let mut client = running.v1().send_compressed(packed).accept_compressed(packed);
        let answer = client.trending(request()).await.unwrap();
        assert_eq!(encoding(&answer).as_deref(), Some(name));
        assert_eq!(answer.get_ref().books, plain.get_ref().books);
        // One that could unpack it, but did not compress its own.
        let answer = running.v1().accept_compressed(packed).trending(request()).await.unwrap();
        assert_eq!(encoding(&answer), None, "{name}");
        assert_eq!(answer.get_ref().books, plain.get_ref().books);
    }
    running.stop().await;
}
