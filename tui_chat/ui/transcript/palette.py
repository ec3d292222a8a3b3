"""The styles of the transcript, made from the variables of the active theme."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rich.style import Style
from textual.color import Color, ColorParseError

Variables = Mapping[str, str]

_PLAIN = Style()
_BOLD = Style(bold=True)
_DIM = Style(dim=True)
_UNDERLINED = Style(underline=True)


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by meaning. A style without background lies on whatever the widget's is.

    `code_block` is the ground of code; where it has no colour (16-colour themes) code is marked by
    a thin bar instead. `syntax` maps names of Pygments token types to styles.
    """

    user: Style = _BOLD
    model: Style = _BOLD
    muted: Style = _DIM
    faint: Style = _DIM
    rule: Style = _DIM
    bar: Style = _DIM
    focus: Style = _BOLD
    heading: Style = _BOLD
    code: Style = _PLAIN
    code_block: Style = _PLAIN
    link: Style = _UNDERLINED
    error: Style = _BOLD
    warning: Style = _BOLD
    found: Style = _UNDERLINED
    syntax: Mapping[str, Style] = field(default_factory=dict)

    @property
    def tinted(self) -> bool:
        """Whether code blocks have a ground of their own."""
        return self.code_block.bgcolor is not None

    @classmethod
    def from_variables(cls, variables: Variables) -> Palette:
        """Return the palette of a theme, whose variables are those of `App.theme_variables`."""

        def ink(name: str, **how: bool) -> Style:
            return Style(color=_colour(variables, name).rich_color) + _attributes(**how)

        block = _colour(variables, "code-ground")
        ground = Style() if block.ansi == _DEFAULT else Style(bgcolor=block.rich_color)
        faint = ink("faint")
        return cls(
            user=ink("role-user", bold=True),
            model=ink("role-assistant", bold=True),
            muted=ink("muted"),
            faint=faint,
            rule=ink("rule"),
            bar=ink("bar"),
            focus=ink("accent", bold=True),
            heading=ink("heading", bold=True),
            code=ink("code") + ground,
            code_block=ground,
            link=ink("link", underline=True),
            error=ink("error"),
            warning=ink("warning"),
            found=ink("found", underline=True),
            syntax=_syntax(ink),
        )


def _attributes(bold: bool = False, italic: bool = False, underline: bool = False) -> Style:
    return Style(bold=bold or None, italic=italic or None, underline=underline or None)


_DEFAULT = -1
"""The number of the terminal's own ground and ink."""


def _syntax(ink: Callable[..., Style]) -> dict[str, Style]:
    name, keyword, mark = ink("syntax-name"), ink("syntax-keyword"), ink("syntax-mark")
    return {
        "Comment": ink("syntax-comment", italic=True),
        "Keyword": keyword,
        "Operator.Word": keyword,
        "Name.Builtin": name,
        "Name.Function": ink("syntax-name", bold=True),
        "Name.Class": ink("syntax-name", bold=True),
        "Name.Decorator": mark,
        "Name.Exception": mark,
        "Name.Attribute": name,
        "Name.Tag": name,
        "Literal.String": ink("syntax-string"),
        "Literal.Number": ink("syntax-number"),
        "Generic.Heading": ink("heading", bold=True),
        "Generic.Subheading": ink("heading"),
        "Generic.Deleted": ink("error"),
        "Generic.Inserted": ink("success"),
        "Generic.Prompt": ink("syntax-comment"),
    }


def _colour(variables: Variables, name: str) -> Color:
    try:
        return Color.parse(variables[name])
    except (KeyError, ColorParseError):
        return Color.parse("ansi_default")
