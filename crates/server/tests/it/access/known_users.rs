//! Who may know what users did.

use api::v1::GetBookRequest;
use api::v1::catalog_service_client::CatalogServiceClient;
use server::access::Role;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};

use super::{create, refusal, settings};
use crate::running::{self, Running};

#[tokio::test]
async fn only_who_may_tell_what_a_user_did_is_told_it_with_a_book() {
    let folder = running::full_shop().await;
    let path = folder.path();
    let reader = create(path, &[Role::Reader], None).await;
    let both = create(path, &[Role::Reader, Role::Writer], None).await;
    let settings = settings(path, "[access]\napi_keys = true");
    let running = Running::start_with(path, settings).await;
    for (key, user_id, is_refused) in
        [(&reader, "", false), (&reader, "1", true), (&both, "", false), (&both, "1", false)]
    {
        let (book_id, user_id) = ("2".to_owned(), user_id.to_owned());
        let mut request =
            Request::new(GetBookRequest { book_id, user_id, ..GetBookRequest::default() });
        let bearer = AsciiMetadataValue::try_from(format!("Bearer {}", key.reveal())).unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let mut client = CatalogServiceClient::new(running.channel.clone());
        let answer = client.get_book(request).await.map(drop);
        let missing = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
        assert_eq!(refusal(&answer), is_refused.then_some(missing), "{answer:?}");
    }
    running.stop().await;
}
