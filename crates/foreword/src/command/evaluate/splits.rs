//! What `foreword evaluate` learns from and holds out.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use evaluation::{LIKED_MIN, Period, Split, split};
use jiff::Timestamp;
use server::data_folder::DataFolder;
use server::progress::Progress;
use server::settings::Settings;
use server::train::{Lessons, Span};

use crate::arguments::{Evaluate, SplitKind};
use crate::command::lessons;
use crate::output;
use crate::signal::Stop;

/// Refuses arguments that do not go together.
pub(super) fn check(arguments: &Evaluate) -> Result<()> {
    for (name, share) in [("--holdout", arguments.holdout), ("--unseen", arguments.unseen)] {
        ensure!(share > 0.0 && share < 1.0, "{name} is {share}, expected a share between 0 and 1");
    }
    for days in &arguments.half_life {
        ensure!(days.is_finite() && *days > 0.0, "--half-life is {days}, expected days above 0");
    }
    let by_time = arguments.split == SplitKind::Time;
    ensure!(
        !by_time || arguments.store,
        "--split time needs to know when everything happened, and files in the LightGCN format \
         have no times; import dated events with `foreword import` and use --store, or choose \
         --split holdout or unseen-users"
    );
    for (name, given) in
        [("--moment", arguments.moment.is_some()), ("--half-life", !arguments.half_life.is_empty())]
    {
        ensure!(by_time || !given, "{name} goes with --split time --store, which has times");
    }
    Ok(())
}

/// A split of files.
pub(super) fn of_files(train: &Path, arguments: &Evaluate) -> Result<Split> {
    if let Some(test) = &arguments.test {
        return evaluation::read_split(train, test);
    }
    let Evaluate { holdout, unseen, seed, .. } = *arguments;
    if arguments.split == SplitKind::UnseenUsers {
        let interactions = evaluation::read_interactions(train)?;
        let split = evaluation::leave_users_out(&interactions, unseen, holdout, 0.0, seed);
        return tested(split, &train.display().to_string());
    }
    evaluation::read_and_hold_out(train, holdout, seed)
}

/// A split of the store's events; `None` if it was told to stop.
pub(super) async fn of_store(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Evaluate,
    progress: &dyn Progress,
    stop: &Stop,
) -> Result<Option<Split>> {
    let read = async |span| lessons::read(span, data, settings, progress, stop).await;
    let split = match arguments.split {
        SplitKind::Time => by_time(read, arguments).await?,
        SplitKind::Holdout | SplitKind::UnseenUsers => at_random(read, arguments).await?,
    };
    split.map(|split| tested(split, "the store")).transpose()
}

/// `read` gives `None` if it was told to stop, and so do these.
async fn at_random(
    read: impl AsyncFn(Span) -> Result<Option<Lessons>>,
    arguments: &Evaluate,
) -> Result<Option<Split>> {
    let Evaluate { holdout, unseen, seed, .. } = *arguments;
    let Some(lessons) = read(Span::All).await? else { return Ok(None) };
    remark_on(&lessons);
    let liked = &lessons.interactions;
    Ok(Some(match arguments.split {
        SplitKind::UnseenUsers => {
            evaluation::leave_users_out(liked, unseen, holdout, LIKED_MIN, seed)
        }
        _ => evaluation::hold_out(liked, holdout, LIKED_MIN, seed),
    }))
}

/// Reads each side of the moment as if there were no other, so that what somebody did to a
/// book later does not change what is learnt from earlier.
async fn by_time(
    read: impl AsyncFn(Span) -> Result<Option<Lessons>>,
    arguments: &Evaluate,
) -> Result<Option<Split>> {
    let Some(all) = read(Span::All).await? else { return Ok(None) };
    remark_on(&all);
    let moment_ms = moment_ms(&all, arguments)?;
    let undated = all.times_ms().filter(Option::is_none).count();
    drop(all);
    let Some(before) = read(Span::Before(moment_ms)).await? else { return Ok(None) };
    let Some(after) = read(Span::From(moment_ms)).await? else { return Ok(None) };
    let (before, after) = (period(before), period(after));
    let mut split = evaluation::by_time(before, &after, moment_ms, LIKED_MIN, undated);
    if let Ok(moment) = Timestamp::from_millisecond(moment_ms) {
        split.protocol.push_str(&format!("; the moment is {moment}"));
    }
    Ok(Some(split))
}

/// The moment that was asked for, or the one that has the share of all dated interactions
/// behind it.
fn moment_ms(all: &Lessons, arguments: &Evaluate) -> Result<i64> {
    let dated: Vec<i64> = all.times_ms().flatten().collect();
    let (Some(first), Some(last)) = (dated.iter().min().copied(), dated.iter().max().copied())
    else {
        bail!(
            "no event of the store has a time, so there is no before and after; import events \
             with a time column, or choose --split holdout or unseen-users"
        );
    };
    let day = |ms| {
        Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
    };
    let found = format!("the events are from {} to {}", day(first), day(last));
    match arguments.moment.map(Timestamp::as_millisecond) {
        Some(moment_ms) => {
            ensure!(
                first < moment_ms && moment_ms <= last,
                "--moment has to lie between events, some before and some after it; {found}"
            );
            Ok(moment_ms)
        }
        None => split::moment(dated, arguments.holdout).with_context(|| {
            format!(
                "no moment has events before it and a share of {} behind; {found}",
                arguments.holdout
            )
        }),
    }
}

/// Lessons of dated events as a period.
fn period(lessons: Lessons) -> Period {
    Period {
        users: lessons.users.iter().map(|user| user.0).collect(),
        // Spans with bounds hold dated events only.
        times_ms: lessons.times_ms().flatten().collect(),
        interactions: lessons.interactions,
    }
}

fn remark_on(lessons: &Lessons) {
    if lessons.simulated_interactions > 0 {
        output::remark(
            "note: these readers are simulated; the figures say nothing about real ones",
        );
    }
}

/// The split, if it has something to find.
fn tested(split: Split, source: &str) -> Result<Split> {
    ensure!(
        split.held_out_count() > 0,
        "nothing of {source} can be held out: {} need longer histories; add more events, or \
         raise --holdout or --unseen",
        if split.times.is_some() {
            "readers with events before and after the moment"
        } else {
            "readers"
        }
    );
    Ok(split)
}
