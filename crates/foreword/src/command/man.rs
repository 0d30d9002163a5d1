//! `foreword man`: a page for each command, made from its help.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::arguments::{Arguments, ManPages};
use crate::{exit, output};

/// Variables that are no single flag's.
const ENVIRONMENT: [(&str, &str); 8] = [
    ("FOREWORD_DATA_DIR", "The folder of the shop's data, as --data-dir."),
    ("FOREWORD_CONFIG", "The settings file, as --config."),
    ("FOREWORD_LOG", "What is logged, such as info or server=debug."),
    (
        "FOREWORD_SECTION__KEY",
        "A setting, such as FOREWORD_TRAIN__NEIGHBOURS=200 for train.neighbours.",
    ),
    (
        "FOREWORD_SECTION__KEY_FILE",
        "The path of a file that holds the value of a setting, as secrets are mounted.",
    ),
    ("NO_COLOR", "If it is not empty, no colours."),
    ("CLICOLOR_FORCE", "If it is neither empty nor 0, colours even where there is no terminal."),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC, LISTEN_FDS",
        "Set by systemd: it is told of start, reload and stop, and its sockets are served.",
    ),
];

const FILES: [(&str, &str); 5] = [
    (
        "~/.local/share/foreword",
        "The folder of the shop's data on Linux, unless --data-dir names another; $XDG_DATA_HOME counts.",
    ),
    ("foreword.db", "In that folder: books, readers and events (SQLite)."),
    ("models", "In that folder: the versions of the model, and which of them is active."),
    ("serving", "In that folder: held by a running service, with its addresses in it."),
    ("FILE of --config", "Settings (TOML); foreword serve --print-config prints every key."),
];

pub(super) fn run(man: &ManPages) -> Result<ExitCode> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &man.out else {
        let page = String::from_utf8(page(command)?).context("the page is not UTF-8")?;
        output::say(page.trim_end());
        return Ok(exit::SUCCESS);
    };
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}; choose another", folder.display()))?;
    write(command, folder)?;
    Ok(exit::SUCCESS)
}

/// Writes the page of a command, and of each below it.
fn write(command: Command, folder: &Path) -> Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write(below.clone(), folder)?;
    }
    let file = folder.join(Man::new(command.clone()).get_filename());
    fs::write(&file, page(command)?)
        .with_context(|| format!("cannot write {}; choose another folder", file.display()))
}

fn page(command: Command) -> Result<Vec<u8>> {
    let has_commands = command.has_subcommands();
    let has_more = command.get_after_long_help().or(command.get_after_help()).is_some();
    let is_whole = command.get_display_name().is_none_or(|name| name == command.get_name());
    let man = Man::new(command);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    // Of the program as a whole these are the exit codes, which come next.
    if has_more && !is_whole {
        man.render_extra_section(&mut page)?;
    }
    more_sections().to_writer(&mut page)?;
    Ok(page)
}

fn more_sections() -> Roff {
    let mut roff = Roff::new();
    let mut section = |name: &str, rows: &[(String, &str)]| {
        roff.control("SH", [name]);
        for (term, text) in rows {
            roff.control("TP", []).text([bold(term.as_str())]).text([roman(*text)]);
        }
    };
    let codes = exit::CODES.map(|(code, meaning)| (code.to_string(), meaning));
    section("EXIT STATUS", &codes);
    section("ENVIRONMENT", &ENVIRONMENT.map(|(name, text)| (name.to_owned(), text)));
    section("FILES", &FILES.map(|(name, text)| (name.to_owned(), text)));
    roff
}
