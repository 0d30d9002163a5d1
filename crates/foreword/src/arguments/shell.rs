//! The arguments of `foreword completions` and `foreword man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  bash  foreword completions bash > ~/.local/share/bash-completion/completions/foreword
  zsh   foreword completions zsh > ~/.zfunc/_foreword   (with fpath+=~/.zfunc before compinit)
  fish  foreword completions fish > ~/.config/fish/completions/foreword.fish";

/// `completions`.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(crate) struct Completions {
    /// The shell that completes
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

const MAN_EXAMPLES: &str = "\
Examples:
  Read the program's page
    foreword man | man -l -
  Install all of them for this account
    foreword man --out ~/.local/share/man/man1";

/// `man`.
#[derive(Args, Debug)]
#[command(after_help = MAN_EXAMPLES)]
pub(crate) struct ManPages {
    /// Folder for a page of each command; without it, the program's own page is printed
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
