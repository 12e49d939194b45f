"""The table of a validation script: printed, held to its tolerances, kept in README.md."""

import pathlib
import sys

import matplotlib

README = pathlib.Path(__file__).parent / "README.md"
FIGURES = pathlib.Path(__file__).parent / "figures"
HEAD = ("quantity", "published", "relaxon", "difference", "allowed")


def report(name, rows):
    """Print rows (quantity, published, measured, allowed difference) and fail on a wrong one.

    Without an allowed difference the published number is an error that ours must not exceed. With
    `--write` the section of README.md between the comments `<!-- name -->` and `<!-- end -->` is
    written anew.
    """
    lines, wrong = [HEAD, ("---",) * len(HEAD)], []
    for what, published, found, allowed in rows:
        if allowed is None:
            shown, limit, good = f"{found / published:.1e} of it", "no more", found <= published
        else:
            gap = abs(found - published)
            shown, limit, good = f"{gap:.1e}", f"{allowed:.0e}", gap <= allowed
        lines.append((what, f"{published:.14g}", f"{found:.14g}", shown, limit))
        wrong += [] if good else [what]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    print(table)
    assert not wrong, f"{name}: outside the tolerance: {', '.join(wrong)}"
    if "--write" in sys.argv:
        written(README, name, table)


def written(page, name, table):
    """Put the table into the section of a page between the comments `<!-- name -->` and end."""
    before, mark, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    assert mark, f"{page.name} has no section for {name}"
    after = rest[rest.index("<!-- end -->") :]
    page.write_text(f"{before}{mark}\n{table}\n\n{after}", encoding="utf-8")


def save(figure, name):
    """Write a figure of the page."""
    FIGURES.mkdir(exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": name}):  # the same file from the same numbers
        figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None})
