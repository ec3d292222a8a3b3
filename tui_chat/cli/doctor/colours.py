"""How many colours the chat uses here, what lines are drawn with, and themes that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui_chat.cli.doctor.finding import Finding, Verdict, note, ok, wrong
from tui_chat.config.looks import Ability, Glyphs
from tui_chat.ui.look import look_of
from tui_chat.ui.reach.kinds import inside

SUBJECT = "colours"
_NUMBERS = {Ability.TRUECOLOR: "16 million", Ability.MANY: "256", Ability.FEW: "16", Ability.NONE: "None"}


def check(environ: Mapping[str, str], colors: Ability, glyphs: Glyphs) -> Iterator[Finding]:
    """Say what is used as the terminal and the settings have it, and what would make it more."""
    look = look_of(environ, colors, glyphs)
    number, term = _NUMBERS[look.colors], environ.get("TERM", "")
    if colors is not Ability.AUTO:
        yield ok(SUBJECT, f"{number}, as the settings say (ui.color).")
    elif "NO_COLOR" in environ:
        yield note(SUBJECT, f"{number}, because NO_COLOR is set; marks and words say everything.")
    elif look.colors is Ability.TRUECOLOR:
        yield ok(SUBJECT, f"{number}.")
    else:
        verdict = Verdict.NOTE if inside(environ).ssh or look.colors is not Ability.MANY else Verdict.OK
        remedy = "If your terminal has more: export COLORTERM=truecolor (ssh does not bring it along)."
        what = f"{number}, as a terminal called {term or 'nothing'} promises no more."
        yield Finding(SUBJECT, verdict, what, remedy if verdict is Verdict.NOTE else "")
    if look.glyphs is Glyphs.ASCII:
        yield note(
            SUBJECT,
            "Lines and graphs are drawn with plain letters.",
            "With a locale of UTF-8, and ui.glyphs, they are lines: tui-chat config set ui.glyphs unicode",
        )


def check_themes() -> Iterator[Finding]:
    """Name the theme files that were refused."""
    from tui_chat.ui.themes.files import find_themes, theme_folders

    for refused in find_themes(theme_folders()).refused:
        yield wrong(SUBJECT, refused, "Correct that line; the other themes can be chosen meanwhile.")
