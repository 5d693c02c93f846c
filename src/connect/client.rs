//! The Connect client: one attempt of one call, through the AWS SDK.

use aws_sdk_connect::config::http::HttpResponse;
use aws_sdk_connect::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_connect::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_connect::error::{BoxError, SdkError};
use aws_sdk_connect::operation::associate_queue_email_addresses::AssociateQueueEmailAddressesError;
use aws_sdk_connect::types::{EmailAddressConfig, Queue, QueueSearchCriteria, SearchableQueueType};
use serde::de::IgnoredAny;

use crate::sdk::LazyClient;

use super::operation::{DirectoryEntry, DirectoryKind, ListCall, ListedAddress, Page, QueueCall, SearchCall};
use super::rejection::Rejection;

/// SearchQueues: at most 500 a page (API reference, SearchQueues, MaxResults).
const QUEUES_A_PAGE: i32 = 500;
/// SearchEmailAddresses: at most 100 a page (API reference, SearchEmailAddresses, MaxResults).
const ADDRESSES_A_PAGE: i32 = 100;
/// ListQueueEmailAddresses: at most 100 a page (API reference, ListQueueEmailAddresses, maxResults).
const LISTED_A_PAGE: i32 = 100;

/// Makes single attempts. The SDK's own retries must be off, because two layers of retries would multiply.
#[derive(Debug, Clone)]
pub struct Connect {
    client: LazyClient<aws_sdk_connect::Client>,
}

impl Connect {
    /// Wraps a client, whose configuration must not retry.
    pub fn new(client: LazyClient<aws_sdk_connect::Client>) -> Self {
        Connect { client }
    }

    /// Makes one attempt to associate addresses with a queue.
    pub(crate) async fn associate(&self, call: &QueueCall) -> Result<(), Rejection> {
        let QueueCall { instance, queue, addresses, .. } = call;
        let config = addresses
            .iter()
            .map(|id| EmailAddressConfig::builder().email_address_id(&**id).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(SdkError::<AssociateQueueEmailAddressesError, HttpResponse>::construction_failure)?;
        self.client
            .associate_queue_email_addresses()
            .instance_id(&**instance)
            .queue_id(&**queue)
            .set_email_addresses_config(Some(config))
            .client_token(call.client_token())
            .customize()
            .interceptor(SuccessBody::EmptyOrObject)
            .send()
            .await?;
        Ok(())
    }

    /// Makes one attempt to remove addresses from a queue. Only the module [`removal`](crate::removal) calls it.
    pub(crate) async fn disassociate(&self, call: &QueueCall) -> Result<(), Rejection> {
        let QueueCall { instance, queue, addresses, .. } = call;
        self.client
            .disassociate_queue_email_addresses()
            .instance_id(&**instance)
            .queue_id(&**queue)
            .set_email_addresses_id(Some(addresses.iter().map(|id| id.to_string()).collect()))
            .client_token(call.client_token())
            .customize()
            .interceptor(SuccessBody::EmptyOrObject)
            .send()
            .await?;
        Ok(())
    }

    /// Makes one attempt to read a page of the addresses that are on a queue.
    pub async fn list(&self, call: &ListCall) -> Result<Page<ListedAddress>, Rejection> {
        let page = self
            .client
            .list_queue_email_addresses()
            .instance_id(&*call.instance)
            .queue_id(&*call.queue)
            .set_next_token(call.next_token.clone())
            .max_results(LISTED_A_PAGE)
            .customize()
            .interceptor(SuccessBody::Object)
            .send()
            .await?;
        let listed = page.email_address_metadata_list.unwrap_or_default().into_iter().filter_map(|address| {
            Some(ListedAddress { id: address.id?, is_default: address.is_default_outbound_email })
        });
        Ok(Page::new(listed, page.next_token))
    }

    /// Makes one attempt to read a page of a directory.
    pub async fn search(&self, call: &SearchCall) -> Result<Page<DirectoryEntry>, Rejection> {
        match call.directory {
            DirectoryKind::Queues => self.search_queues(call).await,
            DirectoryKind::EmailAddresses => self.search_email_addresses(call).await,
        }
    }

    async fn search_queues(&self, call: &SearchCall) -> Result<Page<DirectoryEntry>, Rejection> {
        let standard =
            QueueSearchCriteria::builder().queue_type_condition(SearchableQueueType::Standard).build();
        let page = self
            .client
            .search_queues()
            .instance_id(&*call.instance)
            .search_criteria(standard)
            .set_next_token(call.next_token.clone())
            .max_results(QUEUES_A_PAGE)
            .customize()
            .interceptor(SuccessBody::Object)
            .send()
            .await?;
        let entry = |queue: Queue| Some(DirectoryEntry { name: queue.name?, id: queue.queue_id? });
        Ok(Page::new(page.queues.unwrap_or_default().into_iter().filter_map(entry), page.next_token))
    }

    async fn search_email_addresses(&self, call: &SearchCall) -> Result<Page<DirectoryEntry>, Rejection> {
        let page = self
            .client
            .search_email_addresses()
            .instance_id(&*call.instance)
            .set_next_token(call.next_token.clone())
            .max_results(ADDRESSES_A_PAGE)
            .customize()
            .interceptor(SuccessBody::Object)
            .send()
            .await?;
        let entries = page.email_addresses.unwrap_or_default().into_iter().filter_map(|address| {
            Some(DirectoryEntry { name: address.email_address?, id: address.email_address_id? })
        });
        Ok(Page::new(entries, page.next_token))
    }
}

/// The body that a response with status 200 must have. A response with another body counts as unreadable.
///
/// The SDK accepts more bodies. It ignores the body of AssociateQueueEmailAddresses, and it reads an empty body of the
/// other operations as an empty list. A proxy that responds with status 200 itself would then be taken for the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SuccessBody {
    /// An empty body or a JSON object. AssociateQueueEmailAddresses returns an empty body (API reference, Response
    /// Elements). An object is accepted because AWS adds fields to responses.
    EmptyOrObject,
    /// A JSON object.
    Object,
}

impl SuccessBody {
    fn accepts(self, body: &[u8]) -> bool {
        let body = body.trim_ascii();
        let is_object = body.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(body).is_ok();
        is_object || (self == SuccessBody::EmptyOrObject && body.is_empty())
    }
}

impl Intercept for SuccessBody {
    fn name(&self) -> &'static str {
        "SuccessBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        if response.status().is_success() && !self.accepts(body) {
            return Err("the body is not the API's".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::SuccessBody;

    #[test]
    fn only_the_apis_bodies_are_accepted() {
        for (body, by_associate, by_others) in [
            ("", true, false),
            (" \n", true, false),
            ("{}", true, true),
            (r#" {"ResponseMetadata": {"a": [1, null]}} "#, true, true),
            ("<html>Sign in</html>", false, false),
            ("null", false, false),
            ("[]", false, false),
            ("[1]", false, false),
            ("\"OK\"", false, false),
            (r#"{"cut": "#, false, false),
            ("{} {}", false, false),
        ] {
            assert_eq!(SuccessBody::EmptyOrObject.accepts(body.as_bytes()), by_associate, "{body:?}");
            assert_eq!(SuccessBody::Object.accepts(body.as_bytes()), by_others, "{body:?}");
        }
    }
}
