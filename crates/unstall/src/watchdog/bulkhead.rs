//! Bulkheads: how much of the executor may be stuck in one method, and what becomes of the rest.
//!
//! A method may hold half of the workers. When all workers but a reserve are stuck, the reserve
//! serves methods of which nothing is stuck, one worker each. Jobs beyond are held back, because
//! a crowd of short waits is over soon. Only when the stuck ones have been so for as long as it
//! takes to report them are new calls shed, those held back included; jobs that have begun are
//! held on to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::crowd::Crowd;
use crate::executor::Shared;

/// Draws the conclusions of one look.
pub(super) fn review(crowd: &Crowd, shared: &Arc<Shared>) {
    let settings = &shared.settings;
    let all = crowd.stuck();
    let before_reserve = settings.workers_before_reserve();
    let saturated = all.for_long >= before_reserve;
    shared.full.store(all.workers >= before_reserve, Ordering::Relaxed);
    shared.saturated.store(saturated, Ordering::Relaxed);
    let mut holding = Vec::new();
    shared.methods.each(|method| {
        let stuck = crowd.stuck_in(method);
        if method.stuck() != stuck.workers {
            method.set_stuck(stuck.workers);
        }
        let sheds = stuck.for_long >= settings.method_workers_max();
        if method.sheds() != sheds {
            method.set_sheds(sheds);
        }
        if method.held() > 0 {
            holding.push((method.clone(), sheds || saturated && stuck.workers > 0));
        }
    });
    for (method, sheds) in holding {
        if sheds {
            // A worker refuses them: what they hold must not be dropped on this thread.
            shared.let_go(&method, usize::MAX, |runnable| !runnable.metadata().has_begun());
        }
        shared.let_go(&method, shared.room(&method, method.running()), |_| true);
    }
}
