//! A store that does everything right, with clients that ask it at once and sometimes hear nothing.
//!
//! What happens next is drawn from a list of numbers, so that a failure can be made smaller.

use std::collections::BTreeMap;

use testbed::checker::{History, OperationNumber, Outcome, Request, SeenEvent, StoredEvent};

const CLIENTS: u32 = 4;
const USERS: u32 = 2;
/// Few, so that ids meet.
const EVENTS: u32 = 12;

/// One user's part of the store.
#[derive(Default)]
struct Shelf {
    revision: u64,
    /// Contents, and whether it is retracted.
    events: BTreeMap<String, (String, bool)>,
}

#[derive(Default)]
struct Simulation {
    history: History,
    shelves: BTreeMap<String, Shelf>,
    /// What each client waits for: not done yet, or done with this answer.
    waiting: BTreeMap<u32, (OperationNumber, Request, Option<Outcome>)>,
    /// Whose answer was given up, and which may yet be done.
    forgotten: Vec<Request>,
}

/// Plays a history, as long as there are numbers.
pub(crate) fn simulate(choices: &[u32]) -> (History, Vec<StoredEvent>) {
    let mut simulation = Simulation::default();
    for choice in choices {
        simulation.step(*choice);
    }
    let mut stored = Vec::new();
    for (user, shelf) in simulation.shelves {
        for (event, (contents, is_retracted)) in shelf.events {
            stored.push(StoredEvent { user: user.clone(), event, contents, is_retracted });
        }
    }
    (simulation.history, stored)
}

impl Simulation {
    fn step(&mut self, choice: u32) {
        let client = choice % CLIENTS;
        let chance = choice / CLIENTS % 100;
        let detail = choice / CLIENTS / 100;
        if chance == 0 && !self.forgotten.is_empty() {
            let late = self.forgotten.remove(detail as usize % self.forgotten.len());
            self.apply(&late);
            return;
        }
        let Some((number, request, answer)) = self.waiting.remove(&client) else {
            let request = request(chance, detail);
            let number = self.history.invoke(client, request.clone());
            self.waiting.insert(client, (number, request, None));
            return;
        };
        match (answer, chance) {
            (None, 1..8) => self.history.respond(number, Outcome::Refused),
            (None, 8..16) => {
                self.forgotten.push(request);
                self.history.respond(number, Outcome::Unknown);
            }
            (None, _) => {
                let answer = self.apply(&request);
                self.waiting.insert(client, (number, request, Some(answer)));
            }
            (Some(_), 1..10) => self.history.respond(number, Outcome::Unknown),
            (Some(answer), _) => self.history.respond(number, answer),
        }
    }

    fn apply(&mut self, request: &Request) -> Outcome {
        let shelf = self.shelves.entry(request.user().to_owned()).or_default();
        match request {
            Request::Record { event, contents, .. } => {
                if !shelf.events.contains_key(event) {
                    shelf.revision += 1;
                    shelf.events.insert(event.clone(), (contents.clone(), false));
                }
            }
            Request::Retract { event, .. } => {
                if let Some((_, is_retracted @ false)) = shelf.events.get_mut(event) {
                    shelf.revision += 1;
                    *is_retracted = true;
                }
            }
            Request::Read { .. } => {
                let visible = shelf.events.iter().filter(|(_, (_, is_retracted))| !is_retracted);
                let seen = |(event, (contents, _)): (&String, &(String, bool))| SeenEvent {
                    event: event.clone(),
                    contents: contents.clone(),
                };
                let events = visible.map(seen).collect();
                return Outcome::Seen { revision: shelf.revision, events };
            }
        }
        Outcome::Acknowledged { revision: shelf.revision }
    }
}

fn request(chance: u32, detail: u32) -> Request {
    let user = format!("user-{}", detail % USERS);
    let event = format!("event-{}", detail / USERS % EVENTS);
    match chance {
        0..50 => {
            let contents = format!("{event} of {user}, try {}", detail / USERS / EVENTS % 2);
            Request::Record { user, event, contents }
        }
        50..60 => Request::Retract { user, event },
        _ => Request::Read { user },
    }
}
