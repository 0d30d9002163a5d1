//! Rules from messages, with everything checked, and to messages again.

use api::v1::bury::Depth;
use api::v1::rule::{Effect as EffectMessage, Target as TargetMessage};
use api::v1::{Boost, Bury, Pin, Rule as RuleMessage, Surface as SurfaceMessage};
use storage::book::{AUTHOR_BYTES_MAX, SERIES_BYTES_MAX};
use storage::{
    FACTOR_MAX, NOTE_BYTES_MAX, PLACE_MAX, Rule, RuleEffect, RuleTarget, Surface, Surfaces,
};

use crate::generation::Generation;
use crate::grpc::time::{milliseconds, timestamp};
use crate::grpc::v1::check_id;
use crate::grpc::violations::{Invalid, Violations};
use crate::rules;

/// The rule that a message holds, or everything that is wrong with it.
pub(in crate::grpc) fn from_message(message: Option<RuleMessage>) -> Result<Rule, Invalid> {
    let mut found = Violations::new();
    let rule = read(message, &mut found);
    found.check()?;
    Ok(rule.expect("without a violation there is a rule"))
}

/// The rule, if there are no violations.
fn read(message: Option<RuleMessage>, found: &mut Violations) -> Option<Rule> {
    let Some(message) = message else {
        found.add("rule", "none", "a rule");
        return None;
    };
    check_id("rule.rule_id", &message.rule_id, found);
    let target = target(message.target, found);
    let is_book = matches!(target, Some(RuleTarget::Book(_)));
    let effect = effect(message.effect, is_book, found);
    let starts_ms = milliseconds("rule.start_time", message.start_time, found);
    let ends_ms = milliseconds("rule.end_time", message.end_time, found);
    if let (Some(starts), Some(ends)) = (starts_ms, ends_ms) {
        let what = "the millisecond of start_time, or an earlier one";
        found.expect(starts < ends, "rule.end_time", what, "a later millisecond");
    }
    let note = (!message.note.is_empty()).then_some(message.note);
    if let Some(note) = &note {
        check_line("rule.note", note, NOTE_BYTES_MAX, found);
    }
    let surfaces = surfaces(&message.surfaces, found);
    let (target, effect) = (target?, effect?);
    Some(Rule { id: message.rule_id, target, effect, surfaces, starts_ms, ends_ms, note })
}

fn target(message: Option<TargetMessage>, found: &mut Violations) -> Option<RuleTarget> {
    let Some(message) = message else {
        found.add("rule.target", "none", "one of book_id, author, series and category");
        return None;
    };
    Some(match message {
        TargetMessage::BookId(id) => {
            check_id("rule.book_id", &id, found);
            RuleTarget::Book(id)
        }
        TargetMessage::Author(name) => {
            check_line("rule.author", &name, AUTHOR_BYTES_MAX, found);
            RuleTarget::Author(name)
        }
        TargetMessage::Series(name) => {
            check_line("rule.series", &name, SERIES_BYTES_MAX, found);
            RuleTarget::Series(name)
        }
        TargetMessage::Category(slug) => {
            check_id("rule.category", &slug, found);
            RuleTarget::Category(slug)
        }
    })
}

fn effect(
    message: Option<EffectMessage>,
    is_book: bool,
    found: &mut Violations,
) -> Option<RuleEffect> {
    match message {
        None => {
            found.add("rule.effect", "none", "one of pin, boost and bury");
            None
        }
        Some(EffectMessage::Pin(Pin { place })) => {
            found.expect(is_book, "rule.pin", "a pin of no single book", "a pin of a book_id");
            let fits = u32::try_from(place).ok().filter(|place| (1..=PLACE_MAX).contains(place));
            let expected = format!("1 to {PLACE_MAX}");
            found.expect(fits.is_some(), "rule.pin.place", place, &expected);
            fits.map(RuleEffect::Pin)
        }
        Some(EffectMessage::Boost(Boost { factor })) => {
            let fits = factor > 0.0 && factor <= FACTOR_MAX;
            let expected = format!("above 0 and at most {FACTOR_MAX}");
            found.expect(fits, "rule.boost.factor", factor, &expected);
            fits.then_some(RuleEffect::Boost(factor))
        }
        Some(EffectMessage::Bury(Bury { depth })) => match Depth::try_from(depth) {
            Ok(Depth::Last) => Some(RuleEffect::Last),
            Ok(Depth::Out) => Some(RuleEffect::Out),
            Ok(Depth::Unspecified) | Err(_) => {
                found.add("rule.bury.depth", depth, "DEPTH_LAST or DEPTH_OUT");
                None
            }
        },
    }
}

fn surfaces(messages: &[i32], found: &mut Violations) -> Surfaces {
    let most = Surface::ALL.len();
    if messages.len() > most {
        found.add("rule.surfaces", messages.len(), &format!("at most {most}"));
        return Surfaces::default();
    }
    let surface = |(place, number): (usize, &i32)| match SurfaceMessage::try_from(*number) {
        Ok(SurfaceMessage::Recommend) => Some(Surface::Recommend),
        Ok(SurfaceMessage::SimilarBooks) => Some(Surface::SimilarBooks),
        Ok(SurfaceMessage::Trending) => Some(Surface::Trending),
        Ok(SurfaceMessage::Unspecified) | Err(_) => {
            let expected = "SURFACE_RECOMMEND, SURFACE_SIMILAR_BOOKS or SURFACE_TRENDING";
            found.add(&format!("rule.surfaces[{place}]"), number, expected);
            None
        }
    };
    messages.iter().enumerate().filter_map(surface).collect()
}

fn check_line(field: &str, text: &str, bytes_max: usize, found: &mut Violations) {
    let fits = (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control);
    let expected = format!("1 to {bytes_max} bytes of printable text on one line");
    found.expect(fits, field, format_args!("{} bytes: {text:?}", text.len()), &expected);
}

/// A rule as clients see it, with the number of books that it is about.
pub(super) fn to_message(rule: &Rule, generation: &Generation) -> RuleMessage {
    let target = match rule.target.clone() {
        RuleTarget::Book(id) => TargetMessage::BookId(id),
        RuleTarget::Author(name) => TargetMessage::Author(name),
        RuleTarget::Series(name) => TargetMessage::Series(name),
        RuleTarget::Category(slug) => TargetMessage::Category(slug),
    };
    let bury = |depth: Depth| EffectMessage::Bury(Bury { depth: depth.into() });
    let effect = match rule.effect {
        // At most `PLACE_MAX`.
        RuleEffect::Pin(place) => EffectMessage::Pin(Pin { place: place as i32 }),
        RuleEffect::Boost(factor) => EffectMessage::Boost(Boost { factor }),
        RuleEffect::Last => bury(Depth::Last),
        RuleEffect::Out => bury(Depth::Out),
    };
    let surface = |surface| match surface {
        Surface::Recommend => SurfaceMessage::Recommend,
        Surface::SimilarBooks => SurfaceMessage::SimilarBooks,
        Surface::Trending => SurfaceMessage::Trending,
    };
    let matches = rules::matches(&rule.target, generation);
    RuleMessage {
        rule_id: rule.id.clone(),
        target: Some(target),
        effect: Some(effect),
        surfaces: rule.surfaces.iter().map(|one| surface(one).into()).collect(),
        start_time: rule.starts_ms.map(timestamp),
        end_time: rule.ends_ms.map(timestamp),
        note: rule.note.clone().unwrap_or_default(),
        matches: i32::try_from(matches).unwrap_or(i32::MAX),
    }
}
