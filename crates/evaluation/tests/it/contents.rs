//! What is asked, and what passes for an answer.

use std::sync::Arc;

use evaluation::load::{Arrivals, Outcomes, run};

use crate::shop::{Shop, ask, plan, some};

fn outcomes(ids: &'static [i32]) -> Outcomes {
    let shop = Shop::start(|_| Box::pin(async { Ok(ids.to_vec()) }));
    let plan = plan(Arrivals::Closed { in_flight: some(1) }, 50);
    run(&plan, &shop.target(), ask(), &|_| {}, &Arc::default()).unwrap().outcomes
}

#[test]
fn one_to_as_many_different_books_as_were_asked_for_are_good() {
    for ids in [&[7][..], &[7, 8], &[9, 8, 7]] {
        let outcomes = outcomes(ids);
        assert!(outcomes.good() > 0 && outcomes.good() == outcomes.count(), "{ids:?}");
    }
}

#[test]
fn other_contents_are_wrong_and_shown() {
    for (ids, wrong) in [
        (&[][..], "no books"),
        (&[7, 8, 7], "book 7 twice"),
        (&[1, 2, 3, 4], "4 books, asked for 3"),
        (&[1, 0], "a book with the id \"0\""),
    ] {
        let outcomes = outcomes(ids);
        assert_eq!(outcomes.count_of("wrong content"), outcomes.count(), "{ids:?}");
        assert_eq!(outcomes.0["wrong content"].examples, [wrong]);
    }
}

#[test]
fn the_same_number_is_the_same_question_and_all_users_are_asked_for() {
    let asked = |in_flight| {
        let shop = Shop::good();
        let plan = plan(Arrivals::Constant { per_second: 1000.0 }, 500);
        let plan = evaluation::load::Plan { connections: some(in_flight), ..plan };
        run(&plan, &shop.target(), ask(), &|_| {}, &Arc::default()).unwrap();
        let requests = shop.seen.requests.lock().unwrap();
        let mut questions: Vec<(i32, i32)> =
            requests.iter().map(|request| (request.user_id, request.category)).collect();
        questions.sort_unstable();
        questions
    };
    let questions = asked(1);
    assert_eq!(questions.len(), 500);
    assert_eq!(questions, asked(4));
    let mut users: Vec<i32> = questions.iter().map(|(user, _)| *user).collect();
    users.dedup();
    assert_eq!(users, (1..=50).collect::<Vec<_>>());
}
