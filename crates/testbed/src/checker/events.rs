//! What reads and the store may show of each event.

use super::facts::{EventFacts, Read, UserFacts};
use super::history::{History, Operation, Outcome};
use super::report::{Finder, Kind};

/// Looks at each event in each read, and in the store.
pub(super) fn check(facts: &UserFacts<'_>, history: &History, finder: &mut Finder<'_>) {
    let operations = history.operations();
    for (event, known) in &facts.events {
        let mut about = About { event, known, operations, finder };
        // The first read that rightly missed it: it was there before, so it had been retracted.
        let mut missed = None;
        for read in &facts.reads {
            match read.events.get(event) {
                Some(contents) => about.seen(read, contents, missed),
                None => {
                    let is_gone = about.missed(read);
                    missed = missed.or(is_gone.then_some(read.number));
                }
            }
        }
        about.stored();
    }
}

/// One event, and where to say what is wrong with it.
struct About<'a, 'f> {
    event: &'a str,
    known: &'a EventFacts<'a>,
    operations: &'a [Operation],
    finder: &'a mut Finder<'f>,
}

impl About<'_, '_> {
    /// A read showed it.
    fn seen(&mut self, read: &Read<'_>, contents: &[&str], missed: Option<usize>) {
        let operation = &self.operations[read.number];
        if contents.len() > 1 {
            self.report(Kind::Duplicated, &[read.number]);
        }
        if let Some((kind, mut evidence)) = self.wrong_origin(contents, operation.end()) {
            evidence.push(read.number);
            self.report(kind, &evidence);
        }
        if let Some(retraction) = self.known.retracted(self.operations, operation.invoked) {
            self.report(Kind::RetractionUndone, &[retraction, read.number]);
        } else if let Some(missed) = missed
            && self.operations[missed].is_before(operation.invoked)
        {
            self.report(Kind::RetractionUndone, &[missed, read.number]);
        }
    }

    /// A read did not show it. Gives whether that is so because it was retracted.
    fn missed(&mut self, read: &Read<'_>) -> bool {
        let operation = &self.operations[read.number];
        if self.known.may_be_retracted(self.operations, operation.end()) {
            return self.known.certain(self.operations, operation.invoked).is_some();
        }
        if let Some(sent) = self.known.acknowledged(self.operations, operation.invoked) {
            self.report(Kind::StaleRead, &[sent, read.number]);
        }
        let is_in_revision = |number: &&usize| match self.operations[**number].outcome {
            Outcome::Acknowledged { revision } => revision <= read.revision,
            _ => false,
        };
        if let Some(sent) = self.known.sends.iter().find(is_in_revision) {
            self.report(Kind::TornRead, &[*sent, read.number]);
        }
        if let Some(first) = self.known.first_seen
            && self.operations[first].is_before(operation.invoked)
        {
            self.report(Kind::Vanished, &[first, read.number]);
        }
        false
    }

    /// What the store holds of it.
    fn stored(&mut self) {
        let end = u64::MAX;
        let rows = &self.known.rows;
        let may_be_retracted = self.known.may_be_retracted(self.operations, end);
        let contents: Vec<&str> = rows.iter().map(|row| row.contents.as_str()).collect();
        if rows.len() > 1 {
            let sends = self.known.sends.clone();
            self.report_stored(Kind::Duplicated, &sends);
        }
        if !rows.is_empty()
            && let Some((kind, evidence)) = self.wrong_origin(&contents, end)
        {
            self.report_stored(kind, &evidence);
        }
        let is_there = rows.iter().any(|row| !row.is_retracted);
        if is_there && let Some(retraction) = self.known.retracted(self.operations, end) {
            self.report_stored(Kind::RetractionUndone, &[retraction]);
        }
        if !is_there && !may_be_retracted {
            if let Some(sent) = self.known.acknowledged(self.operations, end) {
                self.report_stored(Kind::Lost, &[sent]);
            } else if let Some(read) = self.known.first_seen {
                self.report_stored(Kind::Vanished, &[read]);
            }
        }
    }

    /// Whether what is there by this moment cannot come from what was sent until then, and the
    /// sendings that show it.
    fn wrong_origin(&self, contents: &[&str], moment: u64) -> Option<(Kind, Vec<usize>)> {
        let possible: Vec<_> = self.known.possible(self.operations, moment).collect();
        if possible.is_empty() {
            let sends = self.known.sends.iter().copied();
            let refused: Vec<_> =
                sends.filter(|number| self.operations[*number].invoked < moment).collect();
            let kind = if refused.is_empty() { Kind::Invented } else { Kind::RefusedButStored };
            return Some((kind, refused));
        }
        let sent = EventFacts::contents(self.operations, possible.iter().copied());
        let is_changed = contents.iter().any(|contents| !sent.contains(contents));
        is_changed.then_some((Kind::ContentsChanged, possible))
    }

    fn report(&mut self, kind: Kind, operations: &[usize]) {
        self.finder.in_history(kind, Some(self.event), operations);
    }

    fn report_stored(&mut self, kind: Kind, operations: &[usize]) {
        self.finder.in_store(kind, self.event, operations);
    }
}
