//! Rules: stored, replaced, listed, deleted and bounded.

use storage::{
    DeletedRule, FACTOR_MAX, PLACE_MAX, RULES_MAX, Rule, RuleEffect, RuleTarget, Store, StoreError,
    Surface, Surfaces,
};

use crate::support::Kind;

fn rule(id: &str) -> Rule {
    Rule {
        id: id.to_owned(),
        target: RuleTarget::Category("mystery".to_owned()),
        effect: RuleEffect::Boost(1.5),
        surfaces: Surfaces::default(),
        starts_ms: None,
        ends_ms: None,
        note: None,
    }
}

async fn put(store: &Store, rule: &Rule) -> Result<(), StoreError> {
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.put_rule(rule).await?;
    writer.commit().await.expect("the commit succeeds");
    Ok(())
}

async fn delete(store: &Store, id: &str) -> DeletedRule {
    let mut writer = store.begin().await.expect("nobody else writes");
    let deleted = writer.delete_rule(id).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    deleted
}

async fn all(store: &Store) -> Vec<Rule> {
    store.rules_after(None, RULES_MAX).await.expect("it reads")
}

async fn rules_come_back_as_they_were_stored_also_after_opening_anew(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let rules = [
        Rule {
            target: RuleTarget::Author("Le Guin, \"Ursula\" K.".to_owned()),
            effect: RuleEffect::Last,
            surfaces: [Surface::Trending, Surface::Recommend].into_iter().collect(),
            ..rule("a")
        },
        Rule {
            starts_ms: Some(-1),
            ends_ms: Some(1),
            note: Some("spring".to_owned()),
            ..rule("b")
        },
        Rule {
            target: RuleTarget::Book("isbn-17".to_owned()),
            effect: RuleEffect::Pin(100),
            ..rule("c")
        },
        Rule {
            target: RuleTarget::Series("Earthsea".to_owned()),
            effect: RuleEffect::Out,
            surfaces: [Surface::SimilarBooks].into_iter().collect(),
            ends_ms: Some(9),
            ..rule("d")
        },
    ];
    for rule in rules.iter().rev() {
        put(&store, rule).await.expect("it fits");
    }
    assert_eq!(all(&store).await, rules);
    assert_eq!(store.rules_after(Some("b"), 1).await.expect("it reads"), [rules[2].clone()]);
    store.close().await;
    let store = place.open().await;
    assert_eq!(all(&store).await, rules);
    assert_eq!(store.rules_revision().await.expect("it reads"), 4);
}

async fn every_effect_of_every_target_is_read_back_as_it_was_written(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let name = || "a name".to_owned();
    let targets = [
        RuleTarget::Book(name()),
        RuleTarget::Author(name()),
        RuleTarget::Series(name()),
        RuleTarget::Category(name()),
    ];
    let effects = [
        RuleEffect::Pin(PLACE_MAX),
        RuleEffect::Boost(FACTOR_MAX),
        RuleEffect::Last,
        RuleEffect::Out,
    ];
    // A new one is not matched here: it gets a place, in its list too.
    let target_place = |target: &RuleTarget| match target {
        RuleTarget::Book(_) => 0,
        RuleTarget::Author(_) => 1,
        RuleTarget::Series(_) => 2,
        RuleTarget::Category(_) => 3,
    };
    let effect_place = |effect: &RuleEffect| match effect {
        RuleEffect::Pin(_) => 0,
        RuleEffect::Boost(_) => 1,
        RuleEffect::Last => 2,
        RuleEffect::Out => 3,
    };
    let mut rules = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        assert_eq!(target_place(target), place);
        for (at, effect) in effects.iter().enumerate() {
            assert_eq!(effect_place(effect), at);
            // Only a book can be pinned.
            if place == 0 || !matches!(effect, RuleEffect::Pin(_)) {
                let (target, effect) = (target.clone(), *effect);
                rules.push(Rule { target, effect, ..rule(&format!("{place}-{at}")) });
            }
        }
    }
    for rule in &rules {
        put(&store, rule).await.expect("it fits");
    }
    assert_eq!(all(&store).await, rules);
}

async fn a_rule_replaces_the_one_with_its_id_and_is_deleted_once(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    assert_eq!(store.rules_revision().await.expect("it reads"), 0);
    let pin = Rule {
        target: RuleTarget::Book("7".to_owned()),
        effect: RuleEffect::Pin(1),
        note: Some("a note".to_owned()),
        ..rule("a")
    };
    for rule in [&pin, &rule("a"), &rule("a")] {
        put(&store, rule).await.expect("it fits");
        assert_eq!(&all(&store).await[..], std::slice::from_ref(rule));
    }
    assert_eq!(store.rules_revision().await.expect("it reads"), 3);
    assert_eq!(delete(&store, "b").await, DeletedRule::Unknown);
    assert_eq!(store.rules_revision().await.expect("it reads"), 3);
    assert_eq!(delete(&store, "a").await, DeletedRule::Deleted);
    assert_eq!(delete(&store, "a").await, DeletedRule::Unknown);
    assert_eq!(all(&store).await, []);
    assert_eq!(store.rules_revision().await.expect("it reads"), 4);
}

async fn one_rule_too_many_is_refused_and_those_there_can_still_change(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let many = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {RULES_MAX})
         INSERT INTO rules SELECT 1, 'r' || n, 1, 'book', 3, NULL, NULL, 0, NULL, NULL, NULL
         FROM numbers"
    );
    place.tamper(&many).await;
    let refused = put(&store, &rule("new")).await;
    assert!(matches!(refused, Err(StoreError::TooManyRules { max: RULES_MAX })), "{refused:?}");
    put(&store, &rule("r17")).await.expect("it replaces one");
    delete(&store, "r18").await;
    put(&store, &rule("new")).await.expect("there is room");
    assert_eq!(all(&store).await.len(), RULES_MAX as usize);
}

async fn what_no_rule_can_be_is_not_stored(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let refused = [
        Rule { effect: RuleEffect::Pin(1), ..rule("a") },
        Rule { effect: RuleEffect::Boost(0.0), ..rule("a") },
        Rule { effect: RuleEffect::Boost(f64::NAN), ..rule("a") },
        Rule { effect: RuleEffect::Boost(100.1), ..rule("a") },
        Rule { starts_ms: Some(5), ends_ms: Some(5), ..rule("a") },
    ];
    for rule in refused {
        let result = put(&store, &rule).await;
        assert!(matches!(result, Err(StoreError::Database(_))), "{rule:?} {result:?}");
    }
    put(&store, &rule("a")).await.expect("it fits");
    for change in ["effect = 5", "place = 3", "factor = NULL", "surfaces = 8", "target_kind = 0"] {
        let statement = format!("UPDATE rules SET {change}");
        place.try_to_tamper(&statement).await.expect_err(change);
    }
    assert_eq!(all(&store).await, [rule("a")]);
}

on_every_kind!(
    rules_come_back_as_they_were_stored_also_after_opening_anew,
    every_effect_of_every_target_is_read_back_as_it_was_written,
    a_rule_replaces_the_one_with_its_id_and_is_deleted_once,
    one_rule_too_many_is_refused_and_those_there_can_still_change,
    what_no_rule_can_be_is_not_stored,
);
