//! What every request of the shop shares.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::assets::Assets;
use crate::console::{Figures, Training};
use crate::outbox::Outbox;
use crate::remembered::Remembered;
use crate::service::Service;
use crate::session::{Cookies, FormTokens, SingleSignOn};
use crate::settings::Settings;

/// The shop; a clone is the same one.
#[derive(Clone)]
pub(crate) struct Shop(Arc<Inner>);

/// What is shared.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) service: Arc<Service>,
    pub(crate) remembered: Remembered,
    pub(crate) outbox: Outbox,
    pub(crate) cookies: Cookies,
    pub(crate) form_tokens: FormTokens,
    /// If a proxy in front says who visitors are.
    pub(crate) single_sign_on: Option<SingleSignOn>,
    pub(crate) assets: Assets,
    pub(crate) figures: Figures,
    pub(crate) training: Training,
}

impl Shop {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

impl Deref for Shop {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Now, in seconds since 1970.
pub(crate) fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX)
}
